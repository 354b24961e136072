package agent

import (
	"context"
	"net/http"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// faultLogEvery is how often payloads of one kind that cannot be decoded are
// described in the log; all are counted.
const faultLogEvery = time.Minute

// tooManyVersions is why an observation is not counted though it was decoded.
const tooManyVersions wire.Reason = "too_many_versions"

// notMonitored is why a request that was captured is not decoded: its model has
// been taken out of the configuration since.
const notMonitored wire.Reason = "not_monitored"

// openWindows makes the profilers; what they close goes to the exporter.
func (a *Agent) openWindows(context.Context) error {
	var err error
	if a.sequences, err = window.OpenSequences(a.state.path(sequencesFile)); err != nil {
		return err
	}
	if err := a.openCarries(); err != nil {
		return err
	}
	a.faults = wire.NewFaultLog(a.log, faultLogEvery, time.Now)
	return nil
}

// openCarries opens what is held back of small groups. A file that is damaged is
// put aside: monitoring goes on without the few rows in it.
func (a *Agent) openCarries() (err error) {
	a.carries, err = window.OpenCarries(a.state.path(carriesFile))
	if a.carries == nil {
		return err
	}
	if err != nil {
		a.log.Error("rows of small groups are lost", "error", err)
	}
	return nil
}

func (a *Agent) windowOptions(c *agentconfig.Config, m *monitored) window.Options {
	o := window.Options{
		System:    c.System,
		Instance:  a.identity.Instance,
		Model:     signal.ModelRef{Name: m.Name, Version: m.Version},
		Baseline:  m.baseline,
		Length:    m.windowOf(c).Length.Std(),
		Count:     m.windowOf(c).Count,
		MinCell:   c.Window.MinCell,
		Carries:   a.carries,
		Rate:      m.Sample.Share(),
		Sequences: a.sequences,
		Capture:   func() signal.Capture { return a.tallyOf(m.Name).since(a.captured(m)) },
		Sink:      a.publish,
		Guard:     a.guard,
		Log:       a.log,
	}
	if f := m.Outcome.Favourable; f.Given() { // otherwise no groups are compared by the output
		o.Outcome = window.Outcome{Output: m.Outcome.Output, Values: f.Values, AtLeast: f.AtLeast}
	}
	for _, p := range m.Protected {
		o.Protected = append(o.Protected, p.Attribute)
	}
	if len(o.Protected) > 0 { // otherwise there is nothing to cross yet
		o.Intersections = m.Intersections
	}
	return o
}

// captured is the running account of one model's requests.
func (a *Agent) captured(m *monitored) signal.Capture {
	counts, logged := a.tap.Counts(m.Name), a.logged(m.Name)
	unread, over := counts.LeftOut+counts.OverCeiling, m.sampler.over.Load()
	shared, lost := a.seenAtKey(m)
	return signal.Capture{
		Seen: counts.Seen + logged.Seen + shared + lost, Dropped: counts.Dropped() + logged.Dropped() + lost,
		SampledOut: unread + over + m.sampler.out.Load(), OverCeiling: counts.OverCeiling + over, Unread: unread + over,
		Undecodable: a.faults.Undecodable(m.Name),
	}
}

// publish hands a window on. A window that cannot be written is the exporter's
// to keep; nobody before it could do more.
func (a *Agent) publish(c *window.Closed) {
	if err := a.exporter.Publish(context.Background(), c); err != nil {
		a.log.Error("a window is not on disk", "window", c.ID.String(), "error", err)
	}
}

func (a *Agent) openTap(context.Context) (err error) {
	secure, err := upstreamTLS(&a.c.UpstreamTLS)
	if err != nil {
		return err
	}
	a.tap, err = tap.New(tap.Options{
		Upstream:    a.upstream,
		TLS:         secure,
		Wanted:      a.wanted,
		Whose:       a.whose,
		StreamID:    a.streamID,
		Named:       a.named,
		Choose:      a.choose,
		Keep:        a.keptHeaders,
		MaxBody:     int64(a.c.Tap.MaxBody),
		Queue:       int64(a.c.Tap.Queue),
		IdleTimeout: a.c.Tap.IdleTimeout.Std(), StallTimeout: a.c.Tap.StallTimeout.Std(),
		KeepFailed: a.isShared,
		Finished: func(model string, o tap.Outcome, took time.Duration) {
			if a.isShared(model) {
				return // attribute tells it, when it knows whose it is
			}
			a.exporter.Inference(a.refOf(model), string(o), took)
		},
		Lost: a.traceLost,
		Log:  a.log,
	})
	if err != nil {
		return err
	}
	a.inference = tap.NewServer(a.tap, 0, a.log)
	a.inference.IdleTimeout = a.c.Tap.ClientIdle.Std()
	a.probe = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure}}
	a.admin = a.newAdminServer()
	return nil
}

// watch shows the capture's state in the metrics.
func (a *Agent) watch(context.Context) error {
	return a.exporter.Watch(export.Sources{
		QueueBytes:  a.waitingBytes,
		Dropped:     a.dropped,
		Undecodable: a.undecodable,
		Ignored:     a.ignoredEvents,
		Profilers:   func() []*window.Profiler { return a.plan().profilers() },
		Carries:     a.carries.Faults,
	})
}

// dropped counts the requests that were served but not captured, by reason.
func (a *Agent) dropped() map[string]uint64 {
	out := map[string]uint64{"queue_full": 0, "too_large": 0, "aborted": 0, "upgraded": 0, "streamed": 0, "unpaired": 0}
	for _, name := range a.everMonitored() {
		c, logged := a.tap.Counts(name), a.logged(name)
		out["queue_full"] += c.QueueFull + logged.QueueFull
		out["too_large"] += c.TooLarge + logged.TooLarge
		out["unpaired"] += logged.Unpaired
		out["aborted"] += c.Aborted
		out["upgraded"] += c.Upgraded
		out["streamed"] += c.Streamed
	}
	out["panic"] = a.tap.Stats().Panics
	return out
}

// undecodable counts the requests that were captured and gave no observation,
// or not all of one, by reason.
func (a *Agent) undecodable() map[string]uint64 {
	out := map[string]uint64{string(tooManyVersions): 0, string(notMonitored): 0}
	for _, r := range wire.Reasons() {
		out[string(r)] = 0
	}
	for _, reasons := range a.faults.Counts() {
		for r, n := range reasons {
			out[string(r)] += n
		}
	}
	return out
}

// partPipeline names the pipeline in the counts of panics. The tap itself
// recovers those of consume, and counts them as dropped.
const partPipeline = "pipeline"

// startPipeline begins to decode and count what is captured, and to close
// windows by the clock.
func (a *Agent) startPipeline() {
	ctx, stop := context.WithCancel(context.Background())
	a.stopPipeline = stop
	a.guard.Expect(partPipeline)
	a.pipeline.Go(func() {
		defer close(a.drained)
		a.guard.Keep(ctx, partPipeline, func(ctx context.Context) { a.tap.Drain(ctx, a.consume) })
	})
	a.startIntake(ctx)
	for _, s := range a.plan().inOrder() {
		s.tick(a)
	}
}

// consume decodes one exchange and counts its rows. One at a time is counted, so
// one decoder suffices.
func (a *Agent) consume(x *tap.Exchange) {
	a.counting.Lock()
	defer a.counting.Unlock()
	defer a.ceiling.End(a.ceiling.Begin())
	a.consuming.RLock()
	defer a.consuming.RUnlock()
	p := a.plan()
	if !a.attribute(p, x) || a.isLoggedProbe(p, x) {
		return
	}
	trail := a.trail(p, x)
	defer trail.end()
	exchange := wire.Exchange{
		Path: x.Path, Model: p.entries.keys[x.Model], Status: x.Status, Start: x.Start, FirstByte: x.FirstByte, End: x.End, ID: x.ID, Trace: x.Trace,
		Request: wire.Message(x.Request), Response: wire.Message(x.Response),
	}
	if x.Status < 200 || x.Status > 299 { // nothing was predicted: the durations tell it, by outcome
		a.faults.Record(x.Model, &exchange, &wire.Fault{Reason: wire.ErrorStatus})
		a.tellFailed(p, x.Model, &exchange)
		trail.said(p.decoder.Generation())
		return
	}
	model := p.byName[x.Model]
	if model == nil { // it was when the request came
		a.faults.Record(x.Model, &exchange, &wire.Fault{Reason: notMonitored, Outline: "the model has been taken out of the configuration"})
		return
	}
	choice, ok := a.admit(p, model, x)
	if !ok {
		return
	}
	observation, err := p.decoder.Decode(&exchange)
	generation := p.decoder.Generation()
	a.tellGeneration(model, generation)
	trail.said(generation)
	if err != nil {
		a.faults.Record(x.Model, &exchange, err)
		return
	}
	model.rename(observation)
	observation.Lineage = model.behind(x)
	trail.read(model, observation)
	a.seeVersion(model, x, observation)
	profile, tell := model.sampler.keep(&choice, observation.Request)
	if !profile && !tell {
		return
	}
	observation = model.private(observation, x)
	if profile {
		trail.count()
	}
	if profile && !a.profile(p, model, &exchange, observation) {
		return
	}
	if generation != nil {
		withoutContent(observation)
	}
	a.handOn(model, observation, profile, tell)
}

// handOn gives an observation to what comes behind the windows.
func (a *Agent) handOn(model *served, observation *signal.Observation, profile, tell bool) {
	if profile {
		a.countLineage(model, observation)
		a.learn(model, observation)
	}
	if tell {
		observation.Rate = model.sampler.told * model.sampler.share
		a.tellRows(model, observation)
	}
}

// profile counts an observation in its model's windows; false where it cannot.
func (a *Agent) profile(p *plan, model *served, x *wire.Exchange, observation *signal.Observation) bool {
	observation.Rate = model.sampler.rate * model.sampler.share
	if f := p.decoder.LeftOut(); f != nil {
		a.faults.Record(model.Name, x, f)
	}
	if !model.windows.Observe(observation) {
		a.faults.Record(model.Name, x, &wire.Fault{Reason: tooManyVersions, Outline: "the model answers under more versions than are profiled at once"})
		return false
	}
	return true
}
