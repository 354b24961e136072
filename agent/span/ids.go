package span

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/evenkeel/evenkeel/signal"
)

// parentOf reads the W3C trace context that a client sent; not valid where there
// is none.
func parentOf(traceparent, tracestate string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{"traceparent": traceparent, "tracestate": tracestate}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// WindowContext names the span of a window. It follows from the window's own
// name, so that the window's events can carry it before the span is made, and
// carry it again when they are written a second time.
func WindowContext(m signal.ModelRef, id signal.WindowID) trace.SpanContext {
	sum := sha256.Sum256(fmt.Appendf(nil, "window\x00%s\x00%s\x00%s\x00%d", id.Instance, m.Name, m.Version, id.Sequence))
	var c trace.SpanContextConfig
	copy(c.TraceID[:], sum[:16])
	copy(c.SpanID[:], sum[16:24])
	c.TraceFlags = trace.FlagsSampled
	return trace.NewSpanContext(c)
}

// newContext names a request's span: in the client's trace, or in one of its own.
func newContext(parent trace.SpanContext, random func() uint64) trace.SpanContext {
	c := trace.SpanContextConfig{TraceID: parent.TraceID(), TraceFlags: parent.TraceFlags(), TraceState: parent.TraceState()}
	for !c.TraceID.IsValid() {
		binary.BigEndian.PutUint64(c.TraceID[:8], random())
		binary.BigEndian.PutUint64(c.TraceID[8:], random())
		c.TraceFlags = trace.FlagsSampled
	}
	for !c.SpanID.IsValid() {
		binary.BigEndian.PutUint64(c.SpanID[:], random())
	}
	return trace.NewSpanContext(c)
}
