package agent

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/join"
	"github.com/evenkeel/evenkeel/agent/learn"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// plan is what one configuration makes of captured requests: which are decoded,
// and what counts them. It is replaced as a whole; what a change of the
// configuration does not touch goes on under the next plan.
type plan struct {
	c       *agentconfig.Config
	models  []monitored
	byName  map[string]*served
	headers []string // that attributes and lineage come from
	entries *selection
	decoder *wire.Decoders
}

// served is a model with what its observations pass through.
type served struct {
	*monitored
	settings  agentconfig.Window // that its windows were made with
	windows   *window.Set
	predictor *predictor     // nil: nothing is told about single rows
	joins     *join.Join     // nil: predictions are sent, or nothing is told about them
	learner   *learn.Learner // nil: there is a baseline, or none is wanted
	detectors *detect.Set

	stop    context.CancelFunc
	ticking sync.WaitGroup
}

// newPlan makes a plan whose windows are not open yet.
func (a *Agent) newPlan(c *agentconfig.Config, models []monitored) (*plan, error) {
	p := &plan{c: c, models: models, byName: map[string]*served{}, headers: headersOf(models), entries: newSelection(models)}
	for i := range models {
		m := &models[i]
		p.byName[m.Name] = &served{
			monitored: m, settings: m.windowOf(c),
			predictor: newPredictor(m, c.System, a.identity.Instance),
			detectors: newDetectors(m),
		}
		if m.origin == originLearning {
			p.byName[m.Name].learner = learn.New(m.Learn)
		}
	}
	var err error
	p.decoder, err = newDecoder(c, models)
	return p, err
}

// plan gives the one in force.
func (a *Agent) plan() *plan { return a.current.Load() }

// inOrder gives the models as they are configured.
func (p *plan) inOrder() []*served {
	out := make([]*served, len(p.models))
	for i := range p.models {
		out[i] = p.byName[p.models[i].Name]
	}
	return out
}

// names gives the models' names, as they are configured.
func (p *plan) names() []string {
	out := make([]string, len(p.models))
	for i := range p.models {
		out[i] = p.models[i].Name
	}
	return out
}

// profilers gives those of all models, for the figures.
func (p *plan) profilers() []*window.Profiler {
	var out []*window.Profiler
	for _, s := range p.inOrder() {
		out = append(out, s.windows.Profilers()...)
	}
	return out
}

// flush closes the open windows of all models.
func (p *plan) flush() {
	for _, s := range p.inOrder() {
		s.windows.Flush()
	}
}

// same says that a model is counted under one plan as under the other.
func (s *served) same(o *served) bool {
	return s.key == o.key && s.shared == o.shared && s.digest == o.digest && s.origin == o.origin && reflect.DeepEqual(s.settings, o.settings) && reflect.DeepEqual(s.Model, o.Model)
}

// tick closes the model's windows by the clock, until quiet is called.
func (s *served) tick(a *Agent) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.ticking.Go(func() { a.guard.Keep(ctx, partPipeline, s.windows.Run) })
}

// quiet ends tick; it does no harm before it.
func (s *served) quiet() {
	if s.stop != nil {
		s.stop()
		s.ticking.Wait()
	}
}

// replace puts a plan in the place of the one in force, between two requests.
// What is no longer counted as it was has its open window closed first, so that
// no window mixes two configurations; what stays the same goes on counting. On
// an error the old plan is in force. The caller sees to it that there is one
// replace at a time.
func (a *Agent) replace(next *plan) error {
	for _, s := range next.inOrder() {
		if _, err := window.NewSet([]window.Options{a.windowOptions(next.c, s.monitored)}); err != nil {
			return err
		}
	}
	a.consuming.Lock()
	defer a.consuming.Unlock()
	old := a.plan()
	var before map[string]*served
	if old != nil {
		before = old.byName
	}
	kept := map[string]bool{}
	for name, s := range before {
		if n := next.byName[name]; n != nil && s.same(n) {
			next.byName[name], kept[name] = s, true
			continue
		}
		s.quiet()
		s.windows.Flush()
		a.leaveKey(s.monitored)
	}
	if old != nil {
		if err := a.exporter.Reconfigure(exportSettings(next)); err != nil {
			a.log.Error("the exporter goes on as it was", "error", err)
		}
	}
	for _, s := range next.inOrder() {
		if kept[s.Name] {
			continue
		}
		if o := before[s.Name]; o != nil {
			s.sampler.takeOver(o.sampler)
			s.lineage.TakeOver(o.lineage)
		}
		if err := a.openWindow(next.c, s); err != nil {
			return err // NewSet has accepted the same options above
		}
		if old != nil {
			s.tick(a)
		}
	}
	a.spans.Configure(spanSettings(next.c.Spans))
	a.seePlan(next)
	a.current.Store(next)
	return nil
}

// openWindow makes a model's profilers; their first window begins now.
func (a *Agent) openWindow(c *agentconfig.Config, s *served) (err error) {
	a.tallyOf(s.Name).rebase()
	a.joinKey(s.monitored)
	if s.windows, err = window.NewSet([]window.Options{a.windowOptions(c, s.monitored)}); err != nil {
		return err
	}
	s.joins, err = a.joinOf(c, s.monitored)
	return err
}

// tally is one model's capture account over all plans: profilers begin at 0, and
// what an earlier one has accounted for is not theirs.
type tally struct {
	mu         sync.Mutex
	told, base signal.Capture

	lineage lineageCounts
}

// since gives what was added to the totals since rebase.
func (t *tally) since(now signal.Capture) signal.Capture {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = now
	return signal.Capture{
		Seen: now.Seen - t.base.Seen, SampledOut: now.SampledOut - t.base.SampledOut,
		Dropped: now.Dropped - t.base.Dropped, Undecodable: now.Undecodable - t.base.Undecodable,
		OverCeiling: now.OverCeiling - t.base.OverCeiling, Unread: now.Unread - t.base.Unread,
	}
}

// rebase begins again where the account was read last.
func (t *tally) rebase() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base = t.told
}

func (a *Agent) tallyOf(model string) *tally {
	a.talliesMu.Lock()
	defer a.talliesMu.Unlock()
	t := a.tallies[model]
	if t == nil {
		t = &tally{}
		a.tallies[model] = t
	}
	return t
}

// everMonitored gives the names of all models that were configured since the
// start: what was counted of them does not go away.
func (a *Agent) everMonitored() []string {
	a.talliesMu.Lock()
	defer a.talliesMu.Unlock()
	return slices.Sorted(maps.Keys(a.tallies))
}
