package otlptest

import "go.opentelemetry.io/collector/pdata/ptrace"

// Span is one span as it arrived.
type Span struct {
	ptrace.Span
	Resource map[string]any
	Scope    string
}

// Spans gives the accepted spans with the given name, in order.
func (r *Receiver) Spans(name string) []Span {
	var out []Span
	for _, req := range r.Accepted() {
		if req.Path != "/v1/traces" {
			continue
		}
		for _, rs := range req.Traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					if s.Name() == name {
						out = append(out, Span{s, rs.Resource().Attributes().AsRaw(), ss.Scope().Name()})
					}
				}
			}
		}
	}
	return out
}
