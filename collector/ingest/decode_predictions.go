package ingest

import (
	"fmt"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// oldestPrediction is how long before it was received a prediction may have
// been made: longer than any agent waits. Each day of a batch is an insert of
// its own, so times without a bound would be inserts without one.
const oldestPrediction = 366 * 24 * time.Hour

// addRow takes events about one row of a request, and lineage that came over
// the API; false: this is none. They become no rows of otel_logs: their tables hold all that they say.
func (d *Decoder) addRow(resource pcommon.Map, lr plog.LogRecord, received time.Time) bool {
	var err error
	reason := ""
	switch eventName(lr) {
	case signal.EventPrediction:
		reason, err = reasonPrediction, d.addPrediction(resource, lr, received)
	case signal.EventLabel:
		reason, err = reasonLabel, d.addLabel(resource, lr, received)
	case signal.EventLineage:
		reason, err = reasonLineage, d.addLineage(resource, lr, received)
	default:
		return false
	}
	d.Items++
	if err != nil {
		d.Refused.add(reason, "%s: %v", eventName(lr), err)
	}
	return true
}

// addPrediction takes what a model answered about one row.
func (d *Decoder) addPrediction(resource pcommon.Map, lr plog.LogRecord, received time.Time) error {
	system, err := systemOf(resource)
	if err == nil {
		err = checkTexts(lr.Attributes())
	}
	if err != nil {
		return err
	}
	p, err := signal.DecodePrediction(lr.Attributes().AsRaw())
	if err != nil {
		return err
	}
	p.System = system
	return d.keepPrediction(p, resource, uint64(lr.Timestamp()), received)
}

// keepPrediction fills in what the event left to its resource and to its own
// time, in unix nanoseconds.
func (d *Decoder) keepPrediction(p *signal.Prediction, resource pcommon.Map, at uint64, received time.Time) error {
	if p.Instance == "" {
		p.Instance = signal.InstanceID(textOf(resource, signal.KeyInstanceID))
	}
	if p.Time.IsZero() {
		p.Time = timeOr(at, received)
	}
	if p.Time.Before(received.Add(-oldestPrediction)) || p.Time.After(received.Add(model.ClockSlack)) {
		return fmt.Errorf("made at %s, but received at %s", p.Time.Format(time.RFC3339), received.UTC().Format(time.RFC3339))
	}
	d.Predictions++
	if !d.inspect {
		d.Rows.Predictions = append(d.Rows.Predictions, *p)
	}
	return nil
}

// addLabel takes how it turned out for one row.
func (d *Decoder) addLabel(resource pcommon.Map, lr plog.LogRecord, received time.Time) error {
	system, err := systemOf(resource)
	if err == nil {
		err = checkTexts(lr.Attributes())
	}
	if err != nil {
		return err
	}
	l, err := signal.DecodeLabel(lr.Attributes().AsRaw())
	if err != nil {
		return err
	}
	l.System, l.Received = system, received
	if l.Time.IsZero() {
		l.Time = timeOr(uint64(lr.Timestamp()), received)
	}
	if l.Time.After(received.Add(model.ClockSlack)) {
		return fmt.Errorf("known at %s, but received at %s", l.Time.Format(time.RFC3339), received.UTC().Format(time.RFC3339))
	}
	d.Labels++
	if !d.inspect {
		d.Rows.Labels = append(d.Rows.Labels, *l)
	}
	return nil
}

// checkTexts refuses what is not UTF-8, as OTLP says. Such texts would count as
// one in the JSON of a cohort, though they are two in memory: its record could
// never be written.
func checkTexts(attributes pcommon.Map) error {
	for key, v := range attributes.All() {
		if v.Type() == pcommon.ValueTypeStr && !utf8.ValidString(v.Str()) {
			return fmt.Errorf("%s: not UTF-8", key)
		}
	}
	return nil
}
