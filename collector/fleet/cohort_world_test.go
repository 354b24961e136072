package fleet

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

const horizon = 20 * time.Second

// labelledRule is one that is judged on labelled windows.
const labelledRule = `pack: test
version: 1
rules:
  - id: T-01
    title: Accuracy
    monitors: share of right decisions
    method: {statistic: accuracy, window: 10s, min_samples: 1, cohort: labelled}
    expr: evenkeel_performance_score{evenkeel_scope="fleet"}
    samples: evenkeel_performance_score_samples{evenkeel_scope="fleet"}
    subject: [evenkeel_model_name, evenkeel_model_version]
    fail: "< 0.5"
    for: 1 window
    decide: point
    evaluate: each window
    analysed: weekly
    responsible: {analyse: ml-oncall, evaluate: ai-risk-owner}
    no_data: {after: 3 windows, opens: observation}
    on_fail: {opens: observation, requires: approved criterion}
    refs: {iso42001: ["9.1"]}
    effectiveness: {window: 1h, min_samples: 1}
    description: For tests.
    runbook: none
`

func labelledRules(t testing.TB) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(labelledRule), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newCohortWorld is a world with labelled windows of 10 seconds, whose labels
// have 20 seconds, and a baseline that says what predictions mean.
func newCohortWorld(t testing.TB, store Store) *world {
	w := newWorld(t, store)
	w.options.Rules = loadRules(t, rules.Options{Files: []string{labelledRules(t)}}, "overrides: []\n")
	w.options.Horizon = func(signal.SystemID) time.Duration { return horizon }
	w.options.Grace, w.options.StartGrace, w.options.LateHorizon = time.Second, 1, 1
	w.digest = w.declare(decisionBaseline("1"))
	w.restart()
	return w
}

// decisionBaseline says which value of approved is favourable.
func decisionBaseline(favourable string) *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat, Model: loans, Rows: 400,
		Features: []signal.FeatureBaseline{
			{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: []uint64{100, 300}, N: 400},
			{
				Name: "p", Target: signal.TargetPrediction, Kind: signal.Numeric, Grid: []float64{0.25, 0.5, 0.75}, Deciles: []int{0, 1, 2},
				Counts: []uint64{100, 100, 100, 100}, N: 400,
			},
		},
		Groups:  []signal.GroupBaseline{{Attribute: "gender", Reference: "male"}},
		Outcome: &signal.OutcomeBaseline{Output: "approved", Favourable: &signal.Favourable{Values: []string{favourable}}, Score: "p"},
	}
}

// predicted is a prediction of version 1 by a replica, so long after noon.
func (w *world) predicted(replica signal.InstanceID, id string, after time.Duration, value string, groups ...string) signal.Prediction {
	p := signal.Prediction{
		System: "s", Model: loans, Instance: replica, ID: id, Time: noon.Add(after), Value: value, Score: math.NaN(), Rate: 1, Baseline: w.digest,
	}
	for _, g := range groups {
		p.Groups = append(p.Groups, signal.Membership{Attribute: "gender", Group: g})
	}
	return p
}

// told is a label that came so long after noon.
func told(id, value string, after time.Duration) signal.Label {
	return signal.Label{System: "s", ID: id, Value: value, Time: noon.Add(after), Received: noon.Add(after)}
}

func (w *world) predict(predictions ...signal.Prediction) {
	w.t.Helper()
	w.write(&model.Rows{Predictions: predictions})
}

func (w *world) tell(labels ...signal.Label) {
	w.t.Helper()
	w.write(&model.Rows{Labels: labels})
}

// slot makes four predictions in the n-th slot from noon and tells how they
// turned out five seconds after its end: three as predicted, one not.
func (w *world) slot(n int) {
	w.t.Helper()
	end := time.Duration(n) * length
	var labels []signal.Label
	for i, actual := range []string{"1", "1", "0", "0"} {
		id := fmt.Sprint(loans.Version, "-", n, "-", i)
		w.predict(w.predicted("a", id, end-time.Duration(i+1)*time.Second, []string{"1", "0"}[i/3]))
		labels = append(labels, told(id, actual, end+5*time.Second))
	}
	w.tell(labels...)
}

// cohortTrack is that of the labelled windows of 10 seconds.
func (w *world) cohortTrack() *track {
	for _, t := range w.fleet.tracks {
		if t.labelled && t.length == length {
			return t
		}
	}
	return nil
}

// cohorts reads back what the store holds.
func (w *world) cohorts() []model.FleetWindow {
	w.t.Helper()
	found, err := w.store.FleetWindows(context.Background(), noon.Add(-time.Hour), noon.Add(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// texts says what was sealed, in order: end, version and predictions.
func (w *world) texts() []string {
	var out []string
	for _, fw := range w.sealed {
		out = append(out, fmt.Sprintf("%s version %s predictions %d", fw.End.Sub(noon), fw.Model.Version, fw.Rows))
	}
	return out
}
