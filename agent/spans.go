package agent

import (
	"strconv"
	"strings"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/genai"
	"github.com/evenkeel/evenkeel/agent/span"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// spanSettings is what the configuration says about spans.
func spanSettings(s agentconfig.Spans) span.Settings {
	return span.Settings{
		Send: s.Send, Rate: s.Rate, Slow: s.Slow, MaxCount: s.MaxCount, MaxBytes: int64(s.MaxBytes), Every: s.Every.Std(),
	}
}

// trail is what is known so far of the request that is being counted, for its
// span. A nil one keeps nothing.
type trail struct {
	spans   *span.Keeper
	x       *tap.Exchange
	request span.Request

	lineage    signal.Lineage
	route      string // configured path, where one is
	rows       int
	generation *wire.Generation
	ended      bool
}

// trail begins that of an exchange; nil where no request is told.
func (a *Agent) trail(p *plan, x *tap.Exchange) *trail {
	if !a.spans.On() {
		return nil
	}
	t := &trail{spans: a.spans, x: x, request: span.Request{
		Model: signal.ModelRef{Name: x.Model}, ID: x.ID, Traceparent: x.Trace, Tracestate: x.TraceState,
		Start: x.Start, End: x.End, Status: x.Status,
	}}
	if m := p.byName[x.Model]; m != nil {
		t.request.Model.Version = m.Version
		t.request.ID, t.route = m.filter.HashID(x.ID), m.Path
		t.lineage = m.behind(x)
	}
	if x.GRPC {
		t.request.Status = 0 // that of HTTP says nothing
	}
	t.number(x.ID)
	t.request.Failed, t.request.ServerSide = failureOf(x)
	t.request.Attrs = t.attrs
	return t
}

// number gives the request the number by which it is sampled.
func (t *trail) number(id string) {
	if id != "" {
		t.request.Number, t.request.Numbered = numberOf(id), true
	}
}

// failureOf gives what stands as error.type, and whether the failure is the model
// server's.
func failureOf(x *tap.Exchange) (failed string, serverSide bool) {
	switch {
	case x.Outcome == tap.Unreachable || x.Outcome == tap.Aborted:
		return string(x.Outcome), true
	case x.Status >= 400:
		return strconv.Itoa(x.Status), x.Status >= 500
	}
	return "", false
}

// said notes what was exchanged with a language model; nil: it was with none.
func (t *trail) said(g *wire.Generation) {
	if t != nil {
		t.generation = g
	}
}

// read notes what was decoded, before it is hashed.
func (t *trail) read(m *served, obs *signal.Observation) {
	if t == nil {
		return
	}
	t.rows, t.request.ID, t.lineage = obs.Rows, m.filter.HashID(obs.Request), obs.Lineage
	if t.x.ID == "" {
		t.number(obs.Request)
	}
	if m.Version == "" {
		t.request.Model.Version = obs.Model.Version
	}
}

// count says that a window counts the request, which is told from now on: the
// window may close before count's caller has counted it.
func (t *trail) count() {
	if t == nil {
		return
	}
	t.request.Counted = time.Now()
	t.end()
}

// end looks whether the request is told. What comes later changes nothing.
func (t *trail) end() {
	if t == nil || t.ended {
		return
	}
	t.ended = true
	t.spans.Add(&t.request)
}

// attrs tells what OpenTelemetry's conventions for HTTP and language models have
// names for.
func (t *trail) attrs() []signal.Attr {
	var out []signal.Attr
	add := func(key string, value any) { out = append(out, signal.Attr{Key: key, Value: value}) }
	switch {
	case t.x.GRPC:
		add("rpc.system.name", "grpc")
		add("rpc.method", strings.TrimPrefix(t.x.Path, "/"))
	case t.x.Method != "":
		add("http.request.method", t.x.Method)
		add("url.scheme", "http")
		if t.route != "" { // the path itself may name a customer
			add("http.route", t.route)
		} else {
			add("url.path", t.x.Path)
		}
	}
	if n := len(t.x.Request.Body); n > 0 {
		add("http.request.body.size", int64(n))
	}
	if n := len(t.x.Response.Body); n > 0 {
		add("http.response.body.size", int64(n))
	}
	if t.x.Outcome != "" {
		add(signal.KeyOutcome, string(t.x.Outcome))
	}
	if t.rows > 0 {
		add(signal.KeyRows, int64(t.rows))
	}
	out = t.lineage.Attrs(out)
	if t.generation != nil {
		out = append(out, genai.Told(t.generation)...)
	}
	return out
}

// traceLost tells a request of which there is no copy.
func (a *Agent) traceLost(x *tap.Exchange) {
	if p := a.plan(); p != nil {
		a.trail(p, x).end()
	}
}
