package ingest

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// addTraces makes a row of otel_traces of every span.
func (d *Decoder) addTraces(traces ptrace.Traces, received time.Time) {
	for _, rs := range traces.ResourceSpans().All() {
		resource := rs.Resource().Attributes()
		base := model.Span{ServiceName: textOf(resource, signal.KeyServiceName)}
		if !d.inspect {
			base.ResourceAttributes = textMap(resource)
		}
		for _, ss := range rs.ScopeSpans().All() {
			base.ScopeName, base.ScopeVersion = ss.Scope().Name(), ss.Scope().Version()
			d.Items += ss.Spans().Len()
			if d.inspect {
				continue
			}
			for _, s := range ss.Spans().All() {
				d.Rows.Spans = append(d.Rows.Spans, span(base, s, received))
			}
		}
	}
}

// span fills what the spans of a scope do not share. A span that ends before it
// begins has no duration.
func span(out model.Span, s ptrace.Span, received time.Time) model.Span {
	out.Time = timeOr(uint64(s.StartTimestamp()), timeOr(uint64(s.EndTimestamp()), received))
	out.Duration = max(0, timeOr(uint64(s.EndTimestamp()), out.Time).Sub(out.Time))
	out.TraceID, out.SpanID, out.ParentSpanID = traceID(s.TraceID()), spanID(s.SpanID()), spanID(s.ParentSpanID())
	out.TraceState = s.TraceState().AsRaw()
	out.Name, out.Kind = s.Name(), s.Kind().String()
	out.StatusCode, out.StatusMessage = s.Status().Code().String(), s.Status().Message()
	out.SpanAttributes = textMap(s.Attributes())
	for _, e := range s.Events().All() {
		out.Events = append(out.Events, model.SpanEvent{
			Time: timeOr(uint64(e.Timestamp()), out.Time), Name: e.Name(), Attributes: textMap(e.Attributes()),
		})
	}
	for _, l := range s.Links().All() {
		out.Links = append(out.Links, model.SpanLink{
			TraceID: traceID(l.TraceID()), SpanID: spanID(l.SpanID()), TraceState: l.TraceState().AsRaw(), Attributes: textMap(l.Attributes()),
		})
	}
	return out
}

// traceID writes an id as readers look for it; an absent one is empty.
func traceID(id pcommon.TraceID) string {
	if id.IsEmpty() {
		return ""
	}
	return id.String()
}

func spanID(id pcommon.SpanID) string {
	if id.IsEmpty() {
		return ""
	}
	return id.String()
}
