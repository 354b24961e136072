package agent

import (
	"context"
	"net/http"
	"time"

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

// openWindows makes the profilers; what they close goes to the exporter.
func (a *Agent) openWindows(context.Context) error {
	sequences, err := window.OpenSequences(a.state.path(sequencesFile))
	if err != nil {
		return err
	}
	if err := a.openCarries(); err != nil {
		return err
	}
	a.faults = wire.NewFaultLog(a.log, faultLogEvery, time.Now)
	options := make([]window.Options, len(a.models))
	for i := range a.models {
		options[i] = a.windowOptions(&a.models[i], sequences)
	}
	a.windows, err = window.NewSet(options)
	return err
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

func (a *Agent) windowOptions(m *monitored, sequences *window.Sequences) window.Options {
	o := window.Options{
		System:    a.c.System,
		Instance:  a.identity.Instance,
		Model:     signal.ModelRef{Name: m.Name, Version: m.Version},
		Baseline:  m.baseline,
		Length:    a.c.Window.Length.Std(),
		Count:     a.c.Window.Count,
		MinCell:   a.c.Window.MinCell,
		Carries:   a.carries,
		Rate:      m.Sample.Share(),
		Sequences: sequences,
		Capture:   func() signal.Capture { return a.captured(m) },
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
	return o
}

// captured is the running account of one model's requests.
func (a *Agent) captured(m *monitored) signal.Capture {
	counts := a.tap.Counts(m.Name)
	return signal.Capture{
		Seen: counts.Seen, Dropped: counts.Dropped(), SampledOut: m.sampler.out.Load(), Undecodable: a.faults.Undecodable(m.Name),
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
	models := map[string]wire.OIPModel{}
	versions := map[string]string{}
	a.byName = map[string]*served{}
	for i := range a.models {
		m := &a.models[i]
		models[m.Name] = wire.OIPModel{Columns: m.Inputs.Columns}
		versions[m.Name] = m.Version
		a.byName[m.Name] = &served{m, newPredictor(m, a.c.System, a.identity.Instance)}
	}
	a.decoder = wire.NewOIP(wire.OIPOptions{Models: models, MaxInflated: int(a.c.Tap.MaxBody)})
	a.tap, err = tap.New(tap.Options{
		Upstream:    a.upstream,
		Wanted:      a.decoder.Wants,
		Named:       func(model string) bool { return a.byName[model].predictor != nil },
		MaxBody:     int64(a.c.Tap.MaxBody),
		Queue:       int64(a.c.Tap.Queue),
		IdleTimeout: a.c.Tap.IdleTimeout.Std(),
		Finished: func(model string, o tap.Outcome, took time.Duration) {
			a.exporter.Inference(signal.ModelRef{Name: model, Version: versions[model]}, string(o), took)
		},
		Log: a.log,
	})
	if err != nil {
		return err
	}
	a.inference = tap.NewServer(a.tap, 0, a.log)
	a.probe = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a.admin = a.newAdminServer()
	return nil
}

// watch shows the capture's state in the metrics.
func (a *Agent) watch(context.Context) error {
	return a.exporter.Watch(export.Sources{
		QueueBytes:  func() int64 { return a.tap.Stats().Held },
		Dropped:     a.dropped,
		Undecodable: a.undecodable,
		Profilers:   a.windows.Profilers,
		Carries:     a.carries.Faults,
	})
}

// dropped counts the requests that were served but not captured, by reason.
func (a *Agent) dropped() map[string]uint64 {
	out := map[string]uint64{"queue_full": 0, "too_large": 0, "aborted": 0, "upgraded": 0}
	for _, m := range a.models {
		c := a.tap.Counts(m.Name)
		out["queue_full"] += c.QueueFull
		out["too_large"] += c.TooLarge
		out["aborted"] += c.Aborted
		out["upgraded"] += c.Upgraded
	}
	out["panic"] = a.tap.Stats().Panics
	return out
}

// undecodable counts the requests that were captured and gave no observation,
// or not all of one, by reason.
func (a *Agent) undecodable() map[string]uint64 {
	out := map[string]uint64{string(tooManyVersions): 0}
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
	a.pipeline.Go(func() { a.guard.Keep(ctx, partPipeline, a.windows.Run) })
}

// served is a model with what its observations pass through.
type served struct {
	*monitored
	predictor *predictor // nil: nothing is told about single rows
}

// consume decodes one exchange and counts its rows. There is one consumer, so
// one decoder suffices.
func (a *Agent) consume(x *tap.Exchange) {
	exchange := wire.Exchange{
		Path: x.Path, Status: x.Status, End: x.End, ID: x.ID, Trace: x.Trace,
		Request: wire.Message(x.Request), Response: wire.Message(x.Response),
	}
	observation, err := a.decoder.Decode(&exchange)
	if err != nil {
		a.faults.Record(x.Model, &exchange, err)
		return
	}
	model := a.byName[x.Model]
	if !model.sampler.keep(observation.Request) {
		return
	}
	observation.Rate = model.sampler.rate
	if f := a.decoder.LeftOut(); f != nil {
		a.faults.Record(x.Model, &exchange, f)
	}
	if !a.windows.Observe(observation) {
		a.faults.Record(x.Model, &exchange, &wire.Fault{Reason: tooManyVersions, Outline: "the model answers under more versions than are profiled at once"})
		return
	}
	if model.predictor != nil {
		a.exporter.Predict(model.predictor.predictions(observation))
	}
}
