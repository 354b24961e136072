package ingest

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/evenkeel/evenkeel/signal"
)

// TakeLabels takes labels that came over the API, as the events that say the
// same over OTLP: on nil all of them are durable. A label without a time became
// known when it is received. The sender names the request as
// BatchHeader does, and may be empty; the same labels under the same name are
// stored once. Without a name a label that has no time is new each time it
// comes: who corrects A to B and B to A again within minutes means A, and must
// not be taken for one who repeats himself.
func (s *Server) TakeLabels(ctx context.Context, labels []signal.Label, sender string) error {
	if len(labels) == 0 {
		return nil
	}
	var unsaid time.Time
	if sender == "" {
		unsaid = s.in.now()
	}
	body, err := labelRequest(labels, unsaid)
	if err != nil {
		return err
	}
	return s.takeLogs(ctx, "take labels", body, sender)
}

// RefusedLabels counts items of a request to the API that are no labels.
func (s *Server) RefusedLabels(n int) {
	s.in.health.refused.WithLabelValues(reasonLabel).Add(float64(n))
}

// labelRequest writes labels as an export request, a resource for each system
// in the order in which they come. unsaid stands for a time that a label lacks;
// zero leaves it out.
func labelRequest(labels []signal.Label, unsaid time.Time) ([]byte, error) {
	logs := plog.NewLogs()
	records := map[signal.SystemID]plog.LogRecordSlice{}
	for i := range labels {
		l := &labels[i]
		into, known := records[l.System]
		if !known {
			resource := logs.ResourceLogs().AppendEmpty()
			resource.Resource().Attributes().PutStr(signal.KeySystemID, string(l.System))
			into = resource.ScopeLogs().AppendEmpty().LogRecords()
			records[l.System] = into
		}
		lr := into.AppendEmpty()
		lr.SetEventName(signal.EventLabel)
		if known := cmp.Or(l.Time, unsaid); !known.IsZero() {
			lr.SetTimestamp(pcommon.NewTimestampFromTime(known))
		}
		for _, a := range signal.EncodeLabel(l) {
			switch v := a.Value.(type) {
			case string:
				lr.Attributes().PutStr(a.Key, v)
			case int64:
				lr.Attributes().PutInt(a.Key, v)
			default:
				return nil, fmt.Errorf("encode label: attribute %s is a %T", a.Key, a.Value)
			}
		}
	}
	return plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
}
