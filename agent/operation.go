package agent

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/agent/clock"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/reload"
	"github.com/evenkeel/evenkeel/agent/scrape"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// partOperation names what follows here in the counts of panics.
const partOperation = "operation"

// operation is what goes on beside the requests while the agent runs: following
// the configuration, fetching and learning baselines, reading the model server's
// counters.
type operation struct {
	first   *plan // until it is in force
	kept    *baselineKeeper
	clock   *clock.Estimator
	scraper *scrape.Scraper

	applying sync.Mutex // one change of the configuration at a time
	inForce  atomic.Pointer[configuration]
	failures atomic.Uint64 // configurations that were refused

	mu      sync.Mutex
	ending  context.Context // ends with the operation; nil before operate
	end     context.CancelFunc
	running sync.WaitGroup
	wanting chan struct{} // some model awaits its baseline
}

// configuration is what is known of the configuration in force.
type configuration struct {
	digest string
	since  time.Time
}

func (a *Agent) openModels(context.Context) (err error) {
	if a.kept, err = newBaselineKeeper(a.state.path(baselinesFolder), a.log); err != nil {
		return err
	}
	models, err := loadModels(a.c, a.kept)
	if err != nil {
		return err
	}
	if a.first, err = a.newPlan(a.c, models); err != nil {
		return err
	}
	a.clock = clock.New(time.Now)
	a.wanting = make(chan struct{}, 1)
	a.scraper = scrape.New(a.c.Scrape, func() []string { return modelNames(a.plan().c) }, a.log)
	return nil
}

func (a *Agent) openPlan(context.Context) error {
	if err := a.replace(a.first); err != nil {
		return err
	}
	return a.note(a.first)
}

// note says that a plan is in force.
func (a *Agent) note(p *plan) error {
	digest, err := configDigest(p.c)
	if err != nil {
		return err
	}
	a.inForce.Store(&configuration{digest, time.Now()})
	a.reprobe(p)
	for i := range p.models {
		m := &p.models[i]
		switch m.origin {
		case originLearning:
			a.log.Warn("there is no baseline; one is learnt from the first rows, which nobody has approved",
				"model", m.Name, "rows", m.Learn.Rows, "for", m.Learn.For)
		case originLearned:
			a.log.Warn("the baseline is one that was learnt, which nobody has approved", "model", m.Name, "baseline", m.digest.Short())
		case originAwaited:
			a.log.Info("the baseline is fetched from the collector; until then nothing is compared", "model", m.Name, "baseline", m.Baseline)
			a.want()
		}
	}
	return nil
}

func (a *Agent) want() {
	select {
	case a.wanting <- struct{}{}:
	default:
	}
}

// configDigest identifies a configuration by what it says, defaults included.
func configDigest(c *agentconfig.Config) (string, error) {
	raw, err := yaml.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the configuration out: %w", err)
	}
	return canonical.Sum(raw), nil
}

// operate begins what goes on beside the requests.
func (a *Agent) operate() {
	a.guard.Expect(partOperation)
	a.mu.Lock()
	a.ending, a.end = context.WithCancel(context.Background())
	a.mu.Unlock()
	if every := a.c.Reload.Watch.Std(); every > 0 && a.c.File != "" {
		a.spawn(reload.Watcher{Every: every, Files: a.files, Changed: a.fileChanged}.Run)
	}
	a.spawn(a.scraper.Run)
	a.spawn(a.stepJoins)
	a.spawn(a.followTables)
	a.spawn(a.followDigests)
	a.spawn(a.fetchBaselines)
	a.reprobe(a.plan())
	a.spawn(a.steer)
}

// spawn runs f until the operation ends; false where it has.
func (a *Agent) spawn(f func(context.Context)) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ending == nil || a.ending.Err() != nil {
		return false
	}
	ctx := a.ending
	a.running.Go(func() { a.guard.Keep(ctx, partOperation, f) })
	return true
}

// stopOperation ends what operate began; it does no harm before it.
func (a *Agent) stopOperation() {
	a.mu.Lock()
	if a.end != nil {
		a.end()
	}
	a.mu.Unlock()
	a.running.Wait()
}

// files are those that a change of means a new configuration.
func (a *Agent) files() []string {
	c := a.plan().c
	out := []string{c.File}
	for i := range c.Models {
		if _, byDigest := c.Models[i].BaselineDigest(); !byDigest {
			out = append(out, c.Models[i].Baseline)
		}
		out = append(out, c.Models[i].Probe.Cases)
	}
	out = append(out, c.Export.TLS.CAFile, c.Baselines.TLS.CAFile)
	return slices.DeleteFunc(out, func(path string) bool { return path == "" })
}

func (a *Agent) fileChanged() {
	if err := a.Reload(); err != nil {
		a.log.Error("the changed configuration is refused; the last good one stays in force", "error", err)
	}
}

// Reload reads the configuration file again and puts it in force without losing
// a request. An error says why it is refused: then the configuration in force
// stays as it is. It is safe to call at any time while the agent runs.
func (a *Agent) Reload() error {
	c, err := agentconfig.Load(a.c.File)
	if err == nil {
		err = a.Apply(c)
	} else {
		a.failures.Add(1)
	}
	return err
}

// Apply is Reload with a configuration that is there already.
func (a *Agent) Apply(c *agentconfig.Config) error {
	a.applying.Lock()
	defer a.applying.Unlock()
	if err := a.apply(c); err != nil {
		a.failures.Add(1)
		return err
	}
	a.log.Info("configuration in force", "digest", a.inForce.Load().digest)
	return nil
}

func (a *Agent) apply(c *agentconfig.Config) error {
	if err := c.Validate(c.File); err != nil {
		return err
	}
	if fixed := differences(a.c, c); len(fixed) > 0 {
		return errs.E("reload the configuration", errs.Invalid,
			fmt.Errorf("%s: cannot change while the agent runs", strings.Join(fixed, ", ")), "restart the agent, or put the old value back")
	}
	return a.load(c)
}

// load makes a plan of a configuration, with the baselines as they are now, and
// puts it in force.
func (a *Agent) load(c *agentconfig.Config) error {
	models, err := loadModels(c, a.kept)
	if err != nil {
		return err
	}
	p, err := a.newPlan(c, models)
	if err != nil {
		return err
	}
	if err := a.replace(p); err != nil {
		return err
	}
	return a.note(p)
}

// again puts the configuration in force once more, since a baseline has come.
func (a *Agent) again() error {
	a.applying.Lock()
	defer a.applying.Unlock()
	return a.load(a.plan().c)
}

// changeable are the settings, of the file's first level, that take effect while
// the agent runs. All others are as long-lived as a port or the state folder.
var changeable = map[string]bool{"models": true, "window": true, "baselines": true, "export": true, "spans": true, "evaluations": true, "sample": true}

// fixedExport are those of export that are fixed all the same.
var fixedExport = map[string]bool{"spool": true, "metrics_every": true}

// differences names the settings that need a restart and in which two
// configurations differ.
func differences(a, b *agentconfig.Config) []string {
	out := unequal("", *a, *b, func(key string) bool { return !changeable[key] })
	return append(out, unequal("export.", a.Export, b.Export, func(key string) bool { return fixedExport[key] })...)
}

// unequal names the wanted settings of two structs of one type that differ.
func unequal(prefix string, a, b any, wanted func(key string) bool) []string {
	var out []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		key := x.Type().Field(i).Tag.Get("yaml")
		if key != "-" && wanted(key) && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			out = append(out, prefix+key)
		}
	}
	return out
}

// exportSettings is what a plan changes in the exporter.
func exportSettings(p *plan) export.Settings {
	return export.Settings{Export: p.c.Export, Window: p.c.Window, Models: exportModels(p.models)}
}

// learn counts an observation for a baseline to be, and makes it when there are
// enough.
func (a *Agent) learn(s *served, obs *signal.Observation) {
	if !s.learner.Observe(obs) {
		return
	}
	a.spawn(func(context.Context) { a.finishLearning(s) })
}

func (a *Agent) finishLearning(s *served) {
	b, left, err := s.learner.Build(&s.Model, a.identity.Instance)
	if err == nil {
		err = a.kept.keep(a.kept.learnedPath(s.Name), b)
	}
	if err == nil {
		a.log.Info("a baseline was learnt; it takes over with the next window", "model", s.Name, "rows", b.Rows, "left_out", left)
		err = a.again()
	}
	if err != nil {
		a.log.Error("no baseline could be learnt; the model stays without one until the next start or change of its configuration", "model", s.Name, "error", err)
	}
}

func modelNames(c *agentconfig.Config) []string {
	var out []string
	for _, m := range c.Models {
		if !slices.Contains(out, m.Name) { // one of several stages or routes
			out = append(out, m.Name)
		}
	}
	return out
}

// named says whether a model's requests are to have names.
func (a *Agent) named(model string) bool {
	if model == "" || a.isShared(model) {
		return a.namesCalls()
	}
	s := a.plan().byName[model]
	return s != nil && s.predictor != nil
}

// refOf gives a model under the version that its configuration pins.
func (a *Agent) refOf(model string) signal.ModelRef {
	ref := signal.ModelRef{Name: model}
	if s := a.plan().byName[model]; s != nil {
		ref.Version = s.Version
	}
	return ref
}
