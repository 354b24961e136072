package agent

import (
	"context"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/agent/changes"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/signal"
)

// changesFile holds what was served last.
const changesFile = "served.json"

// silentWindows is for how many windows a version must have been silent to be
// gone, as windows are retired.
const silentWindows = 3

// openChanges reads what was served last. A file that is damaged is no reason not
// to start.
func (a *Agent) openChanges(context.Context) (err error) {
	a.changes, err = changes.Open(a.state.path(changesFile), silentWindows*a.c.Window.Length.Std(), time.Now())
	if err != nil {
		a.log.Error("changes of models since the last run are not noticed", "error", err)
	}
	return nil
}

// see tells what is served, where that is a change.
func (a *Agent) see(s changes.Sight) {
	now := time.Now()
	c, changed := a.changes.See(s, now)
	if !changed {
		return
	}
	if err := a.exporter.Changed(context.Background(), c); err != nil {
		a.changes.Failed(c, now)
		a.log.Error("a change of a model is not on disk; it is told again", "model", c.Model.Name, "of", c.Of, "error", err)
		return
	}
	a.log.Info("a model changed", "model", c.Model.Name, "of", c.Of, "old", c.Old, "new", c.New, "found", c.Found)
	if err := a.changes.Done(c, s.Alone); err != nil {
		a.log.Warn("a change of a model is told again after a restart", "model", c.Model.Name, "error", err)
	}
}

// seeVersion looks at the version that answered. One that the configuration pins
// is seen with that.
func (a *Agent) seeVersion(m *served, x *tap.Exchange, obs *signal.Observation) {
	if m.Version != "" || obs.Model.Version == "" {
		return
	}
	found := signal.FoundAnswer
	if strings.Contains(x.Path, "/versions/"+obs.Model.Version) {
		found = signal.FoundURL
	}
	a.see(changes.Sight{Model: signal.ModelRef{Name: m.Name, Version: obs.Model.Version}, Of: signal.ChangeVersion, Value: obs.Model.Version, Found: found})
}

// foundBaseline says how a baseline comes; not of those that are still to come.
var foundBaseline = map[origin]signal.ChangeFound{
	originNone: signal.FoundConfiguration, originFile: signal.FoundConfiguration,
	originCollector: signal.FoundCollector, originLearned: signal.FoundLearned,
}

// seePlan looks at what a plan says is served.
func (a *Agent) seePlan(p *plan) {
	for i := range p.models {
		m := &p.models[i]
		ref := signal.ModelRef{Name: m.Name, Version: m.Version}
		if m.Version != "" {
			a.see(changes.Sight{Model: ref, Of: signal.ChangeVersion, Value: m.Version, Found: signal.FoundConfiguration, Alone: true})
		}
		if found, there := foundBaseline[m.origin]; there {
			a.see(changes.Sight{Model: ref, Of: signal.ChangeBaseline, Value: string(m.digest), Found: found, Alone: true})
		}
		a.seeLineage(m)
	}
}

// changeFigures show what was too much to be a change.
func (a *Agent) changeFigures() []export.Figure {
	return []export.Figure{{
		Name: signal.MetricChangesOverlooked, Unit: "{request}", Counter: true,
		About: "Requests whose version or digest was not told as a change: too many answer at once, or it is too long.",
		Read:  func(tell tell) { tell(float64(a.changes.Overlooked())) },
	}}
}
