package export

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/agent/span"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// partTraces is where spans are written, for the counts of panics.
const partTraces = "traces"

// spansAtOnce bounds one request of spans, by estimate and before compression.
const spansAtOnce = 1 << 20

// lostBound is why spans are lost that were not even made: there were more than
// an interval may have.
const lostBound = "bound"

// traces turn spans into OTLP requests in the spool. The SDK's tracer has no part
// in it: it names spans itself and decides at their start.
type traces struct {
	spool *spool
	scope *commonpb.InstrumentationScope
	who   *resourcepb.Resource

	full   atomic.Int64 // spans that the spool did not take
	unsent atomic.Int64 // that could not be encoded
}

func newTraces(id Identity, s *spool) *traces {
	return &traces{
		spool: s, who: resourceOf(id.resource()),
		scope: &commonpb.InstrumentationScope{Name: scopeName, Version: id.Version},
	}
}

// keepSpans writes the spans of each interval, until ctx is done; those of the last
// one are Close's to write.
func (e *Exporter) keepSpans(ctx context.Context) {
	for {
		timer := time.NewTimer(e.o.Spans.Every())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			e.writeSpans()
		}
	}
}

// writeSpans writes what the interval chose, a bounded part of it in each request.
// What the spool does not take is lost: there is nowhere to keep it.
func (e *Exporter) writeSpans() {
	spans := e.o.Spans.Take()
	for len(spans) > 0 {
		end, n := 0, int64(0)
		for end < len(spans) && n < spansAtOnce {
			n += spans[end].Bytes()
			end++
		}
		part := spans[:end]
		spans = spans[end:]
		err := e.o.Guard.Try(partTraces, func() error { return e.traces.write(part) })
		if err != nil {
			e.o.Log.Warn("spans are lost: they could not be written to the export spool", "spans", len(part), "error", err)
		}
	}
}

// write makes one request of the spans.
func (t *traces) write(spans []span.Span) error {
	message := &coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: t.who, ScopeSpans: []*tracepb.ScopeSpans{{Scope: t.scope, Spans: make([]*tracepb.Span, len(spans))}},
	}}}
	for i := range spans {
		message.ResourceSpans[0].ScopeSpans[0].Spans[i] = encodeSpan(&spans[i])
	}
	body, err := compressed(message)
	if err != nil {
		t.unsent.Add(int64(len(spans)))
		return err
	}
	err = t.spool.Append(&request{
		Kind: Traces, Path: "/v1/traces", ContentType: "application/x-protobuf", ContentEncoding: "gzip",
		Records: int64(len(spans)), Body: body,
	})
	if err != nil {
		t.full.Add(int64(len(spans)))
	}
	return err
}

func compressed(m proto.Message) ([]byte, error) {
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, errs.E("encode spans", errs.Invalid, err, "")
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(raw) // a buffer takes everything
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress spans: %w", err)
	}
	return out.Bytes(), nil
}

// lost gives how many spans were lost, by reason; c is the spool's account, and
// bound what was too much to be made.
func (t *traces) lost(c Counts, bound int64) map[string]int64 {
	return map[string]int64{
		lostBound: bound, lostSpool: t.full.Load() + c.RecordsEvicted, lostUnsent: t.unsent.Load(),
		lostRefused: c.RecordsRefused, lostExpired: c.RecordsExpired, lostDamaged: c.RecordsDamaged,
	}
}

func encodeSpan(s *span.Span) *tracepb.Span {
	id, in := s.Context.SpanID(), s.Context.TraceID()
	out := &tracepb.Span{
		TraceId: in[:], SpanId: id[:], TraceState: s.Context.TraceState().String(), Flags: uint32(s.Context.TraceFlags()),
		Name: s.Name, Kind: tracepb.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: uint64(s.Start.UnixNano()), EndTimeUnixNano: uint64(s.End.UnixNano()),
		Attributes: make([]*commonpb.KeyValue, len(s.Attrs)), Links: make([]*tracepb.Span_Link, len(s.Links)),
	}
	if s.Server {
		out.Kind = tracepb.Span_SPAN_KIND_SERVER
	}
	if s.Parent.IsValid() {
		out.ParentSpanId = s.Parent[:]
	}
	if s.Failed {
		out.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	}
	for i, a := range s.Attrs {
		out.Attributes[i] = &commonpb.KeyValue{Key: a.Key, Value: anyValue(a.Value)}
	}
	for i, l := range s.Links {
		id, in := l.SpanID(), l.TraceID()
		out.Links[i] = &tracepb.Span_Link{TraceId: in[:], SpanId: id[:], TraceState: l.TraceState().String(), Flags: uint32(l.TraceFlags())}
	}
	return out
}

// anyValue gives a value its OTLP form; what has none is told as text.
func anyValue(v any) *commonpb.AnyValue {
	switch v := v.(type) {
	case string:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: strings.ToValidUTF8(v, "\uFFFD")}}
	case int64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: v}}
	case float64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v}}
	case []string:
		list := &commonpb.ArrayValue{Values: make([]*commonpb.AnyValue, len(v))}
		for i := range v {
			list.Values[i] = anyValue(v[i])
		}
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: list}}
	}
	return anyValue(fmt.Sprint(v))
}

func resourceOf(r *resource.Resource) *resourcepb.Resource {
	out := new(resourcepb.Resource)
	for _, a := range r.Attributes() {
		out.Attributes = append(out.Attributes, &commonpb.KeyValue{Key: string(a.Key), Value: anyValue(a.Value.AsString())})
	}
	return out
}

// traced gives a window's records the name of its span, where there will be one.
func (e *Exporter) traced(ctx context.Context, c *window.Closed) context.Context {
	if !e.o.Spans.On() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, span.WindowContext(c.Model, c.ID))
}

// traceWindow tells that a window was evaluated, and of which requests that have a
// span it was made.
func (e *Exporter) traceWindow(c *window.Closed, published error) {
	w := span.Window{
		Model: c.Model, ID: c.ID, Start: c.Start, End: c.End, Told: e.o.Now(), Failed: published != nil,
		Attrs: []signal.Attr{
			{Key: signal.KeyCapture + "." + signal.CaptureSeen, Value: int64(c.Capture.Seen)},
			{Key: signal.KeyCapture + "." + signal.CaptureProfiled, Value: int64(c.Capture.Profiled)},
		},
	}
	if c.Baseline != nil {
		w.Attrs = append(w.Attrs, signal.Attr{Key: signal.KeyBaselineID, Value: digestOf(c.Baseline).Short()})
	}
	e.o.Spans.Close(&w)
}
