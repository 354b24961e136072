package fleet

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

const length = 10 * time.Second

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	loans = signal.ModelRef{Name: "loans", Version: "1"}
)

// world is a store, a clock and a fleet that can be started again.
type world struct {
	t       testing.TB
	store   Store
	now     time.Time
	fleet   *Fleet
	sealed  []model.FleetWindow
	seq     map[signal.InstanceID]uint64
	digest  signal.Digest
	bounds  signal.Digest
	options Options
}

func newWorld(t testing.TB, store Store) *world {
	w := &world{t: t, store: store, now: noon, seq: map[signal.InstanceID]uint64{}}
	set := loadRules(t, rules.Options{Packs: []string{"iso42001-drift"}}, "overrides:\n  - {system: s, rule: DRF-01, window: 10s}\n")
	w.declareBaseline()
	w.options = Options{Store: store, Rules: set, Subscribers: []Subscriber{w}, Now: func() time.Time { return w.now }}
	w.restart()
	return w
}

func loadRules(t testing.TB, o rules.Options, overrides string) *rules.Set {
	t.Helper()
	o.Overrides = filepath.Join(t.TempDir(), "overrides.yaml")
	if err := os.WriteFile(o.Overrides, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Sealed makes the world a subscriber. What it is told again after a restart is
// what it was told before.
func (w *world) Sealed(_ context.Context, fw model.FleetWindow) {
	for _, known := range w.sealed {
		if sameWindow(&known, &fw) {
			if fmt.Sprint(known) != fmt.Sprint(fw) {
				w.t.Errorf("told of %+v and then of %+v", known, fw)
			}
			return
		}
	}
	w.sealed = append(w.sealed, fw)
}

// restart forgets everything but the store.
func (w *world) restart() {
	w.options.Metrics = prometheus.NewRegistry()
	f, err := New(w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.fleet = f
}

func (w *world) declareBaseline() {
	b := &signal.Baseline{Format: signal.BaselineFormat, Model: loans, Rows: 400, Features: []signal.FeatureBaseline{{
		Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: []float64{1, 2, 3}, Deciles: []int{0, 1, 2},
		Counts: []uint64{100, 100, 100, 100}, N: 400,
	}}, Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male"}}}
	w.digest = w.declare(b)
	w.bounds, _ = b.Features[0].Bounds()
}

// declare stores a baseline, as if an agent had sent it.
func (w *world) declare(b *signal.Baseline) signal.Digest {
	w.t.Helper()
	content, err := canonical.JSON(b)
	if err != nil {
		w.t.Fatal(err)
	}
	digest, err := b.Digest()
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(&model.Rows{Baselines: []model.Baseline{{Digest: digest, System: "s", Model: loans, SeenAt: noon, Content: string(content)}}})
	return digest
}

var batches uint64

func (w *world) write(rows *model.Rows) {
	w.t.Helper()
	batches++
	if err := w.store.Write(context.Background(), model.SpoolBatch(batches), rows, model.FirstTry); err != nil {
		w.t.Fatal(err)
	}
}

// parts makes the next window of a replica: counts of income in four cells, and
// favourable and all of both genders.
func (w *world) parts(replica signal.InstanceID, end time.Time, counts [4]uint64, groups ...signal.GroupCount) []*signal.Distribution {
	w.seq[replica]++
	common := signal.Distribution{
		System: "s", Model: loans, Window: signal.WindowID{Instance: replica, Sequence: w.seq[replica]},
		Start: end.Add(-length), End: end, Parts: 2, Baseline: w.digest, Min: math.NaN(), Max: math.NaN(),
	}
	income, gender := common, common
	income.Target, income.Feature, income.Kind, income.Bounds = signal.TargetFeature, "income", signal.Numeric, w.bounds
	income.Counts = counts[:]
	for _, c := range counts {
		income.N += c
	}
	gender.Target, gender.Feature, gender.Groups = signal.TargetGroup, "gender", groups
	return []*signal.Distribution{&income, &gender}
}

func (w *world) arrive(parts ...*signal.Distribution) { w.write(&model.Rows{Distributions: parts}) }

// at moves the clock and does what is due.
func (w *world) at(offset time.Duration) {
	w.t.Helper()
	w.now = noon.Add(offset)
	if err := w.fleet.Step(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(n int) *model.FleetWindow {
	w.t.Helper()
	if len(w.sealed) != n {
		w.t.Fatalf("%d windows are sealed, want %d: %+v", len(w.sealed), n, w.sealed)
	}
	if n == 0 {
		return nil
	}
	return &w.sealed[n-1]
}

func (w *world) values() map[string]float64 {
	w.t.Helper()
	out := map[string]float64{}
	data, err := w.store.(model.SeriesReader).SelectSeries(context.Background(),
		[]model.Matcher{{Name: "evenkeel_scope", Type: model.MatchEqual, Value: "fleet"}}, noon, noon.Add(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range data {
		key := s.Name
		for _, l := range s.Labels {
			switch l.Name {
			case "evenkeel_feature_name", "evenkeel_fairness_metric", "evenkeel_group", "evenkeel_group_judged", "evenkeel_window_length",
				"evenkeel_drift_method", "evenkeel_violation", "evenkeel_feature_required", "evenkeel_protected_attribute",
				"evenkeel_performance_metric", "evenkeel_predicted":
				key += " " + l.Value
			}
		}
		for _, p := range s.Samples {
			at := fmt.Sprintf("%s @%s", key, p.Time.Sub(noon))
			if _, twice := out[at]; twice {
				w.t.Errorf("%s is there twice", at)
			}
			out[at] = p.Value
		}
	}
	return out
}

// expect compares what is stored with what is wanted, whatever the order of the
// labels in the keys, within a share of the wanted value.
func (w *world) expect(want map[string]float64, within float64) {
	w.t.Helper()
	words := func(key string) string { return strings.Join(slices.Sorted(slices.Values(strings.Fields(key))), " ") }
	got := map[string]float64{}
	for key, v := range w.values() {
		got[words(key)] = v
	}
	for key, value := range want {
		if v, there := got[words(key)]; !there {
			w.t.Errorf("there is no %s among %d values", key, len(got))
		} else if !(math.Abs(v-value) <= float64(within*math.Abs(value))) {
			w.t.Errorf("%s is %v, want %v", key, v, value)
		}
	}
}

func count(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

type subscriber func(model.FleetWindow)

func (s subscriber) Sealed(_ context.Context, fw model.FleetWindow) { s(fw) }

func countWindows(t *testing.T, w *model.FleetWindow) int {
	t.Helper()
	n := 0
	for _, run := range w.WindowIDs {
		ids, err := signal.ParseWindows(run)
		if err != nil {
			t.Fatal(err)
		}
		n += len(ids)
	}
	return n
}
