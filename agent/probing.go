package agent

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/probe"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// probing asks the model server known cases, and keeps those that pass out of
// what is counted of requests.
type probing struct {
	probersMu sync.Mutex
	probers   map[string]*running // by model

	passed sync.Map // model -> *atomic.Uint64: marked requests that passed, of anybody
}

// running is the prober of one model, with the settings that it was made with.
type running struct {
	*probe.Prober
	model  agentconfig.Model
	digest signal.Digest // of its cases
	stop   context.CancelFunc
}

// loadCases reads the model's known cases.
func (m *monitored) loadCases(at *config.Faults) {
	if !m.Probe.Wanted() {
		return
	}
	var err error
	m.cases, err = probe.ReadFile(m.Probe.Cases, probe.Reading{Output: m.Outcome.Output, Protocol: m.Protocol})
	if err != nil {
		at.Add("%v", err)
	}
}

// reprobe lets the probers be those of a plan: what did not change goes on in its
// rhythm, all else begins anew with what it has counted so far. Before the
// operation begins it does nothing.
func (a *Agent) reprobe(p *plan) {
	if !a.spawn(func(context.Context) {}) {
		return
	}
	a.probersMu.Lock()
	defer a.probersMu.Unlock()
	before := a.probers
	a.probers = map[string]*running{}
	for i := range p.models { // not inOrder: a model that goes on as it was may have new cases
		s := &p.models[i]
		if s.cases == nil {
			continue
		}
		old := before[s.Name]
		if old != nil && old.digest == s.cases.Digest && reflect.DeepEqual(old.model, s.Model) {
			a.probers[s.Name] = old
			delete(before, s.Name)
			continue
		}
		var told *probe.Account
		if old != nil {
			account := old.Account()
			told = &account
		}
		r, err := a.newProber(p.c, s, told)
		if err != nil { // the same models have been checked before
			a.log.Error("known cases are not asked", "model", s.Name, "error", err)
			continue
		}
		a.probers[s.Name] = r
		ctx, stop := context.WithCancel(context.Background())
		r.stop = stop
		a.spawn(func(ending context.Context) {
			defer context.AfterFunc(ending, stop)()
			r.Run(ctx)
		})
	}
	for _, gone := range before {
		gone.stop()
	}
}

func (a *Agent) newProber(c *agentconfig.Config, m *monitored, told *probe.Account) (*running, error) {
	decoder, err := newDecoder(c, []monitored{*m})
	if err != nil {
		return nil, err
	}
	o := m.Probe.WithDefaults()
	asked := m.Model
	asked.Name = m.asked
	path, err := url.PathUnescape(asked.ProbePath())
	if err != nil {
		return nil, fmt.Errorf("probe.path: %w", err)
	}
	decode := func(r *probe.Reply) (*signal.Observation, error) {
		obs, err := decoder.Decode(&wire.Exchange{
			Path: path, Model: m.key, Status: http.StatusOK, Start: r.Start, FirstByte: r.Start, End: r.End,
			Request:  wire.Message{Body: r.Request},
			Response: wire.Message{Body: r.Body, ContentEncoding: r.Encoding, JSONLength: r.JSONLength},
		})
		if err != nil {
			return nil, err
		}
		if m.Version != "" {
			obs.Model.Version = m.Version
		}
		return obs, nil
	}
	return &running{model: m.Model, digest: m.cases.Digest, Prober: probe.New(probe.Options{
		Model: m.Name, URL: a.upstream.JoinPath(asked.ProbePath()).String(), Header: o.Headers, Set: m.cases, Tolerance: o.Tolerance,
		Every: o.Every.Std(), Timeout: o.Timeout.Std(), MaxAnswer: int64(c.Tap.MaxBody),
		Client: a.probeClient(), Decode: decode, Before: told, Now: time.Now, After: time.After, Log: a.log,
	})}, nil
}

// probeClient reaches the model server as the question for its readiness does. It
// follows nobody elsewhere.
func (a *Agent) probeClient() *http.Client {
	return &http.Client{
		Transport:     a.probe.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// wanted says whether a request is to be captured, and of which model. Probes
// pass and are counted as such, whoever sends them.
func (a *Agent) wanted(r *http.Request) (model string, ok bool) {
	p := a.plan()
	key, ok := p.decoder.Wants(r)
	if !ok {
		return "", false
	}
	model, ok = p.entryOf(key, r)
	if ok && probe.IsMarked(r.Header) {
		if strings.HasPrefix(model, sharedKey) {
			model = "" // nobody has looked which it is
		}
		a.countProbe(model)
		return "", false
	}
	return model, ok
}

// isLoggedProbe says whether an exchange is a probe that only its id tells, as
// payload loggers have it. It has been seen as a request: so it is accounted for
// as one that is left out on purpose.
func (a *Agent) isLoggedProbe(p *plan, x *tap.Exchange) bool {
	if !probe.IsID(x.ID) {
		return false
	}
	a.countProbe(x.Model)
	if s := p.byName[x.Model]; s != nil && x.Status >= 200 && x.Status <= 299 { // others are in no account
		s.sampler.out.Add(1)
	}
	return true
}

func (a *Agent) countProbe(model string) {
	n, ok := a.passed.Load(model)
	if !ok {
		n, _ = a.passed.LoadOrStore(model, new(atomic.Uint64))
	}
	n.(*atomic.Uint64).Add(1)
}

// accounts gives what the probers have found out, by model in the plan's order.
func (a *Agent) accounts(each func(model *served, account probe.Account)) {
	a.probersMu.Lock()
	defer a.probersMu.Unlock()
	for _, s := range a.plan().inOrder() {
		if r := a.probers[s.Name]; r != nil {
			each(s, r.Account())
		}
	}
}

// probeScores gives how the last rounds went, by version of the model.
func (a *Agent) probeScores() []export.Measured {
	var out []export.Measured
	confidence := a.plan().c.Window.Confidence
	a.accounts(func(s *served, account probe.Account) {
		for _, r := range account.Last {
			if q, ok := signal.ProbeScore(r.Agreed, r.Answered, confidence); ok {
				out = append(out, export.Measured{Model: signal.ModelRef{Name: s.Name, Version: r.Version}, Quantity: q})
			}
		}
	})
	return out
}

// watchProbes shows what the probers find out.
func (a *Agent) watchProbes(context.Context) error {
	a.exporter.Measure(a.probeScores)
	return a.exporter.Show(append(a.probeFigures(), a.sharedFigures()...)...)
}

func (a *Agent) probeFigures() []export.Figure {
	each := func(read func(tell tell, model export.Label, c *probe.Account)) func(tell) {
		return func(tell tell) {
			a.accounts(func(s *served, account probe.Account) { read(tell, modelLabel(s.Name), &account) })
		}
	}
	lastRound := func(value func(c *probe.Account) float64) func(tell) {
		return each(func(tell tell, model export.Label, c *probe.Account) {
			if !c.Ended.IsZero() {
				tell(value(c), model)
			}
		})
	}
	return []export.Figure{
		{
			Name: signal.MetricProbeInfo, Unit: "1", About: "1 for the known cases that the model server is asked, which the digest names.",
			Read: each(func(tell tell, model export.Label, c *probe.Account) {
				tell(1, model, export.Label{Key: signal.KeyProbeDigest, Value: c.Digest.Short()})
			}),
		},
		{
			Name: signal.MetricProbeCount, Unit: "{case}", Counter: true, About: "Known cases that were answered, by whether as expected.",
			Read: each(func(tell tell, model export.Label, c *probe.Account) {
				tell(float64(c.Agreed), model, export.Label{Key: signal.KeyOutcome, Value: signal.ProbeAgreed})
				tell(float64(c.Differed), model, export.Label{Key: signal.KeyOutcome, Value: signal.ProbeDiffered})
			}),
		},
		{
			Name: signal.MetricProbeFailures, Unit: "{case}", Counter: true, About: "Known cases that were not answered, by reason.",
			Read: each(func(tell tell, model export.Label, c *probe.Account) {
				for _, why := range probe.Failures() {
					tell(float64(c.Failures[why]), model, export.Label{Key: signal.KeyReason, Value: string(why)})
				}
			}),
		},
		{
			Name: signal.MetricProbeSeconds, Unit: "s", Counter: true, About: "Time that all known cases together took, answered or not.",
			Read: each(func(tell tell, model export.Label, c *probe.Account) { tell(c.Seconds, model) }),
		},
		{
			Name: signal.MetricProbeDuration, Unit: "s", About: "How long the last round of known cases took.",
			Read: lastRound(func(c *probe.Account) float64 { return c.Took.Seconds() }),
		},
		{
			Name: signal.MetricProbeLast, Unit: "s", About: "When the last round of known cases ended, in seconds since the Unix epoch.",
			Read: lastRound(func(c *probe.Account) float64 { return float64(c.Ended.UnixMilli()) / 1000 }),
		},
		{
			Name: signal.MetricProbePassed, Unit: "{request}", Counter: true, About: "Requests marked as probes that passed and were not counted, whoever sent them.",
			Read: func(tell tell) {
				a.passed.Range(func(model, n any) bool {
					var labels []export.Label
					if model != "" { // of some requests only the body tells
						labels = append(labels, modelLabel(model.(string)))
					}
					tell(float64(n.(*atomic.Uint64).Load()), labels...)
					return true
				})
			},
		},
	}
}
