package span

import (
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/evenkeel/evenkeel/signal"
)

// Names of spans.
const (
	NameInference = "inference"
	NameWindow    = "evaluate_window"
)

// Span is what is told about one request or one window.
type Span struct {
	Context    trace.SpanContext // whose trace it is part of, and its own id
	Parent     trace.SpanID      // of the client's span; zero: there is none
	Name       string
	Server     bool // it answers a client; else nobody asked
	Start, End time.Time
	// Attrs hold string, int64, float64 and []string.
	Attrs  []signal.Attr
	Failed bool
	Links  []trace.SpanContext
}

// Bytes estimates the size of a span in memory and, about, on the wire.
func (s *Span) Bytes() int64 {
	const own, attr, link = 256, 48, 48
	n := int64(own + link*len(s.Links))
	for _, a := range s.Attrs {
		n += attr + int64(len(a.Key))
		switch v := a.Value.(type) {
		case string:
			n += int64(len(v))
		case []string:
			for _, one := range v {
				n += 16 + int64(len(one))
			}
		}
	}
	return n
}
