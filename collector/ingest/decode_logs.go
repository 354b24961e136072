package ingest

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// addLogs makes a row of otel_logs of every record, and evidence of our own
// events; of predictions and labels, of which there are many, only that.
func (d *Decoder) addLogs(logs plog.Logs, received time.Time) {
	for _, rl := range logs.ResourceLogs().All() {
		base := d.logOf(rl)
		for _, sl := range rl.ScopeLogs().All() {
			d.putScope(&base, sl)
			for _, lr := range sl.LogRecords().All() {
				d.addRecord(&base, rl.Resource().Attributes(), lr, received)
			}
		}
	}
}

// logOf gives what the rows of a resource share.
func (d *Decoder) logOf(rl plog.ResourceLogs) model.Log {
	resource := rl.Resource().Attributes()
	base := model.Log{
		ServiceName:       textOf(resource, signal.KeyServiceName),
		ResourceSchemaURL: rl.SchemaUrl(),
	}
	if !d.inspect {
		base.ResourceAttributes = textMap(resource)
	}
	return base
}

// putScope adds what those of a scope share.
func (d *Decoder) putScope(base *model.Log, sl plog.ScopeLogs) {
	base.ScopeName, base.ScopeVersion = sl.Scope().Name(), sl.Scope().Version()
	base.ScopeSchemaURL = sl.SchemaUrl()
	if !d.inspect {
		base.ScopeAttributes = textMap(sl.Scope().Attributes())
	}
}

func (d *Decoder) addRecord(base *model.Log, resource pcommon.Map, lr plog.LogRecord, received time.Time) {
	if d.addRow(resource, lr, received) {
		return
	}
	d.addLog(*base, lr, received)
	d.addEvent(resource, lr, received)
}

func (d *Decoder) addLog(l model.Log, lr plog.LogRecord, received time.Time) {
	d.Items++
	if d.inspect {
		return
	}
	l.ObservedTime = timeOr(uint64(lr.ObservedTimestamp()), received)
	l.Time = timeOr(uint64(lr.Timestamp()), l.ObservedTime)
	if id := lr.TraceID(); !id.IsEmpty() {
		l.TraceID = id.String()
	}
	if id := lr.SpanID(); !id.IsEmpty() {
		l.SpanID = id.String()
	}
	l.TraceFlags = uint32(lr.Flags())
	l.SeverityText = lr.SeverityText()
	l.SeverityNumber = int32(lr.SeverityNumber())
	l.Body = lr.Body().AsString()
	l.EventName = eventName(lr)
	l.LogAttributes = logAttributes(l.EventName, lr.Attributes())
	d.Rows.Logs = append(d.Rows.Logs, l)
}

// eventName reads the record's field, or the attribute that came before it.
func eventName(lr plog.LogRecord) string {
	if name := lr.EventName(); name != "" {
		return name
	}
	return textOf(lr.Attributes(), "event.name")
}

// textOf gives a string attribute; "" if it is absent or no string.
func textOf(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok && v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return ""
}

// logAttributes leaves out what of a window's event is large and for machines
// only: the table distributions holds it.
func logAttributes(event string, m pcommon.Map) map[string]string {
	out := make(map[string]string, m.Len())
	for k, v := range m.All() {
		if event != signal.EventWindowProfile || !signal.Heavy(k) {
			out[k] = v.AsString()
		}
	}
	return out
}

// textMap writes every value as text: arrays and maps as JSON.
func textMap(m pcommon.Map) map[string]string {
	out := make(map[string]string, m.Len())
	for k, v := range m.All() {
		out[k] = v.AsString()
	}
	return out
}
