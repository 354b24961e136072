package ingest

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/signal"
)

// addLineage takes an OpenLineage event: a row of its own, and what it adds to
// the graph. The resource may name the system; of events by the API it need not.
func (d *Decoder) addLineage(resource pcommon.Map, lr plog.LogRecord, received time.Time) error {
	var system signal.SystemID
	if _, named := resource.Get(signal.KeySystemID); named || eventName(lr) == signal.EventLineageRun {
		var err error
		if system, err = systemOf(resource); err != nil {
			return err
		}
	}
	content := lr.Body().AsString()
	e, err := lineage.Parse([]byte(content), received)
	if err != nil || d.inspect {
		return err
	}
	d.Rows.Lineage = append(d.Rows.Lineage, e.Row(content, system))
	d.Rows.LineageEdges = append(d.Rows.LineageEdges, e.Edges(system)...)
	return nil
}
