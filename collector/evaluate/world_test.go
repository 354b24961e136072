package evaluate_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/fleet"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const length = 10 * time.Second

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	loans = signal.ModelRef{Name: "loans", Version: "1"}
)

const overrides = `overrides:
  - {system: bank, rule: DRF-01, window: 10s, min_samples: 100}
  - {system: bank, rule: FAI-02, window: 10s, min_samples: 100}
`

// world is the way from distributions to verdicts over a real store, with a
// clock in its hand and everything in memory to be thrown away by restart.
type world struct {
	t         testing.TB
	store     *journal
	set       *rules.Set
	systems   []signal.SystemID
	now       time.Time
	fleet     *fleet.Fleet
	evaluator *evaluate.Evaluator
	consumed  []model.Evaluation // in order, as the register gets them
	baseline  *signal.Baseline
	digest    signal.Digest
	sequence  map[signal.InstanceID]uint64
	batch     uint64
	queries   query.Options
	metrics   *prometheus.Registry
	crowd     uint64                 // women, and men, in each window
	outside   uint64                 // incomes out of the baseline's range in each window
	grace     time.Duration          // after a restart; none unless a test sets it
	horizon   time.Duration          // of labels
	settled   func(t time.Time) bool // nil: what is acknowledged is stored
}

func newWorld(t testing.TB, packs ...string) *world {
	var kept []string
	for _, line := range strings.SplitAfter(overrides, "\n") {
		drift, fair := strings.Contains(line, "DRF"), strings.Contains(line, "FAI")
		if !drift && !fair || drift && strings.Contains(fmt.Sprint(packs), "drift") || fair && strings.Contains(fmt.Sprint(packs), "fairness") {
			kept = append(kept, line)
		}
	}
	return newWorldWith(t, strings.Join(kept, ""), packs...)
}

func newWorldWith(t testing.TB, overrides string, packs ...string) *world {
	w := &world{t: t, store: &journal{storetest.Open(t), map[string]model.Evaluation{}}, now: noon, crowd: 100, sequence: map[signal.InstanceID]uint64{}}
	file := filepath.Join(t.TempDir(), "overrides.yaml")
	if err := os.WriteFile(file, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load(rules.Options{Packs: packs, Overrides: file, Expression: query.Check})
	if err != nil {
		t.Fatal(err)
	}
	w.set = set
	w.declare()
	w.restart()
	return w
}

// restart drops all that is in memory.
func (w *world) restart() {
	w.t.Helper()
	var err error
	w.metrics = prometheus.NewRegistry()
	horizon := func(signal.SystemID) time.Duration { return w.horizon }
	clock := func() time.Time { return w.now }
	w.evaluator, err = evaluate.New(evaluate.Options{
		Store: w.store, Queries: query.New(w.store, w.queries), Rules: w.set, Register: w, Systems: w.systems, Now: clock, Metrics: w.metrics, StartGrace: max(w.grace, 1), Stored: w.settled, Horizon: horizon, SQL: w.store,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.fleet, err = fleet.New(fleet.Options{
		Store: w.store, Rules: w.set, Systems: w.systems, Subscribers: []fleet.Subscriber{w.evaluator}, Now: clock, StartGrace: 1, Horizon: horizon,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Consume makes the world the register.
func (w *world) Consume(_ context.Context, rule *rules.Effective, ev model.Evaluation) error {
	if rule.ID != ev.Rule || rule.Digest != ev.RuleDigest {
		w.t.Errorf("%s comes with the rule %s", ev.Rule, rule.ID)
	}
	w.consumed = append(w.consumed, ev)
	return nil
}

func (w *world) declare() {
	column := func(target signal.Target, name signal.FeatureName) signal.FeatureBaseline {
		return signal.FeatureBaseline{
			Name: name, Target: target, Kind: signal.Numeric, Grid: []float64{1, 2, 3}, Deciles: []int{0, 1, 2},
			Counts: []uint64{100, 100, 100, 100}, N: 400,
		}
	}
	w.baseline = &signal.Baseline{
		Format: signal.BaselineFormat, Model: loans, Rows: 400,
		Features: []signal.FeatureBaseline{
			column(signal.TargetFeature, "income"), column(signal.TargetFeature, "age"), column(signal.TargetPrediction, "score"),
		},
		Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male"}},
	}
	content, err := canonical.JSON(w.baseline)
	if err != nil {
		w.t.Fatal(err)
	}
	w.digest, _ = w.baseline.Digest()
	w.write(&model.Rows{Baselines: []model.Baseline{{Digest: w.digest, System: "bank", Model: loans, SeenAt: noon, Content: string(content)}}})
}

func (w *world) write(rows *model.Rows) {
	w.t.Helper()
	w.batch++
	if err := w.store.Write(context.Background(), model.SpoolBatch(w.batch), rows, model.FirstTry); err != nil {
		w.t.Fatal(err)
	}
}

type cells [4]uint64

var (
	even    = cells{50, 50, 50, 50}
	tilted  = cells{30, 40, 60, 70} // PSI near 0.13
	shifted = cells{5, 15, 60, 120} // PSI near 0.7
	nothing = cells{}
)

// window lets one replica report: income as given, age and the model's score
// even, approvals of women and men out of a hundred each.
func (w *world) window(replica signal.InstanceID, slot int, income cells, women, men uint64) {
	w.t.Helper()
	w.sequence[replica]++
	end := noon.Add(time.Duration(slot) * length)
	common := signal.Distribution{
		System: "bank", Model: loans, Window: signal.WindowID{Instance: replica, Sequence: w.sequence[replica]},
		Start: end.Add(-length), End: end, Parts: 4, Baseline: w.digest, Min: math.NaN(), Max: math.NaN(),
	}
	rows := &model.Rows{}
	rest := even
	if w.crowd == 0 { // nobody came
		rest = nothing
	}
	for i, counts := range []cells{income, rest, rest} {
		d := common
		d.Target, d.Feature, d.Kind = w.baseline.Features[i].Target, w.baseline.Features[i].Name, signal.Numeric
		d.Bounds, _ = w.baseline.Features[i].Bounds()
		d.Counts = counts[:]
		if i == 0 {
			d.OutOfRange = w.outside
		}
		for _, c := range counts {
			d.N += c
		}
		rows.Distributions = append(rows.Distributions, &d)
	}
	d := common
	d.Target, d.Feature = signal.TargetGroup, "gender"
	d.Groups = []signal.GroupCount{{Group: "female", Favourable: women, Total: w.crowd}, {Group: "male", Favourable: men, Total: w.crowd}}
	rows.Distributions = append(rows.Distributions, &d)
	w.write(rows)
}

// at moves the clock and lets fleet and evaluator do what is due.
func (w *world) at(offset time.Duration) {
	w.t.Helper()
	w.now = noon.Add(offset)
	if err := w.fleet.Step(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.evaluator.Step(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// slot is both replicas' next window, and the time when it is sealed.
func (w *world) slot(n int, income cells, women, men uint64) {
	w.t.Helper()
	w.window("a", n, income, women, men)
	w.window("b", n, income, women, men)
	w.at(time.Duration(n)*length + 6*time.Second)
}

// stored tells what the store holds of a rule, oldest first: "@10s income fail
// firing 2".
func (w *world) stored(rule signal.RuleID) []string {
	w.t.Helper()
	found := w.store.evaluations(w.t, rule)
	out := make([]string, len(found))
	for i, ev := range found {
		var names []string
		for _, label := range []string{"evenkeel_feature_name", "evenkeel_violation", "evenkeel_protected_attribute", "evenkeel_group", "service_instance_id"} {
			if v := ev.Subject[label]; v != "" {
				names = append(names, v)
			}
		}
		name := cmp.Or(strings.Join(names, ","), "whole")
		out[len(found)-1-i] = fmt.Sprintf("@%s %s %s %s %d", ev.WindowEnd.Sub(noon), name, ev.Verdict, ev.State, ev.Streak)
	}
	return out
}

// score stores a score of loans over all replicas and what stands beside it:
// value, lower, upper, samples.
func (w *world) score(at time.Time, metric string, values []float64, labels map[string]string) {
	w.t.Helper()
	all := map[string]string{
		"evenkeel_system_id": "bank", "evenkeel_model_name": loans.Name, "evenkeel_model_version": loans.Version,
		"evenkeel_scope": "fleet", "evenkeel_window_length": "10s",
	}
	maps.Copy(all, labels)
	var sorted []model.Label
	for name, value := range all {
		sorted = append(sorted, model.Label{Name: name, Value: value})
	}
	sorted = model.SortLabels(sorted)
	rows := &model.Rows{}
	for i, suffix := range []string{"", "_lower", "_upper", "_samples"}[:len(values)] {
		s := model.Series{Name: metric + suffix, Kind: model.Gauge, SeenAt: at, Labels: sorted}
		s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
		rows.Series = append(rows.Series, s)
		rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: at, Value: values[i]})
	}
	w.write(rows)
}

// counter adds up a counter of the evaluator since the last restart.
func (w *world) counter(name string) float64 {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// of finds the newest stored evaluation of a subject.
func (w *world) of(rule signal.RuleID, label, value string) model.Evaluation {
	w.t.Helper()
	for _, ev := range w.store.evaluations(w.t, rule) {
		if ev.Subject[label] == value {
			return ev
		}
	}
	w.t.Fatalf("no evaluation of %s %s", rule, value)
	return model.Evaluation{}
}
