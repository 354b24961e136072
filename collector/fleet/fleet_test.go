package fleet

import (
	"context"
	"errors"
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
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
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
	t       *testing.T
	store   Store
	now     time.Time
	fleet   *Fleet
	sealed  []model.FleetWindow
	seq     map[signal.InstanceID]uint64
	digest  signal.Digest
	bounds  signal.Digest
	options Options
}

func newWorld(t *testing.T, store Store) *world {
	w := &world{t: t, store: store, now: noon, seq: map[signal.InstanceID]uint64{}}
	file := filepath.Join(t.TempDir(), "overrides.yaml")
	text := "overrides:\n  - {system: s, rule: DRF-01, window: 10s}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load(rules.Options{Packs: []string{"iso42001-drift"}, Overrides: file})
	if err != nil {
		t.Fatal(err)
	}
	w.declareBaseline()
	w.options = Options{Store: store, Rules: set, Subscribers: []Subscriber{w}, Now: func() time.Time { return w.now }}
	w.restart()
	return w
}

// Sealed makes the world a subscriber. What it is told again after a restart is
// what it was told before.
func (w *world) Sealed(_ context.Context, fw model.FleetWindow) {
	for _, known := range w.sealed {
		if known.System == fw.System && known.Model == fw.Model && known.Length == fw.Length && known.End.Equal(fw.End) {
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
	content, err := canonical.JSON(b)
	if err != nil {
		w.t.Fatal(err)
	}
	w.digest, _ = b.Digest()
	w.bounds, _ = b.Features[0].Bounds()
	w.write(&model.Rows{Baselines: []model.Baseline{{Digest: w.digest, System: "s", Model: loans, SeenAt: noon, Content: string(content)}}})
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
				"evenkeel_drift_method", "evenkeel_violation", "evenkeel_feature_required", "evenkeel_protected_attribute":
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

func TestReplicasAreAddedUpAndScored(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{10, 20, 30, 40}, signal.GroupCount{Group: "female", Favourable: 30, Total: 100}, signal.GroupCount{Group: "male", Favourable: 50, Total: 100})...)
	w.arrive(w.parts("b", noon.Add(length), [4]uint64{10, 20, 30, 40}, signal.GroupCount{Group: "female", Favourable: 30, Total: 100}, signal.GroupCount{Group: "male", Favourable: 70, Total: 100}, signal.GroupCount{Group: "other", Favourable: 1, Total: 2})...)
	w.at(12 * time.Second)
	w.want(0) // who belongs to a new model is not known: the grace is waited for
	w.at(15 * time.Second)
	fw := w.want(1)
	if fw.System != "s" || fw.Model != loans || fw.Rows != 402 || !fw.Start.Equal(noon) || !fw.End.Equal(noon.Add(length)) ||
		!slices.Equal(fw.WindowIDs, []string{"a/1", "b/1"}) || !slices.Equal(fw.Instances, []string{"a", "b"}) || fw.Gaps != 0 || len(fw.Absent) != 0 {
		t.Errorf("sealed %+v", fw)
	}
	got := w.values()
	psi := 0.0
	for _, share := range []float64{0.1, 0.2, 0.3, 0.4} {
		psi += (share - 0.25) * math.Log(share/0.25)
	}
	for key, want := range map[string]float64{
		"evenkeel_drift_score psi 10s income @10s":                                                      psi,
		"evenkeel_drift_score_samples psi 10s income @10s":                                              200,
		"evenkeel_drift_score tvd 10s income @10s":                                                      0.2,
		"evenkeel_drift_score ks 10s income @10s":                                                       0.2,
		"evenkeel_drift_score_samples ks 10s income @10s":                                               200,
		"evenkeel_drift_feature_share_samples 10s @10s":                                                 200,
		"evenkeel_feature_quality_ratio_upper 10s income missing true @10s":                             0.018846,
		"evenkeel_fairness_disparity 10s gender impact_ratio_min_max true @10s":                         0.5,
		"evenkeel_fairness_coverage 10s gender @10s":                                                    1,
		"evenkeel_fairness_coverage_samples 10s gender @10s":                                            402,
		"evenkeel_fairness_disparity 10s female gender true statistical_parity_difference @10s":         -0.3,
		"evenkeel_fairness_disparity_samples 10s female gender true statistical_parity_difference @10s": 400,
		"evenkeel_fairness_disparity 10s other gender false statistical_parity_difference @10s":         -0.1,
	} {
		found := false
		for k, v := range got {
			if sameWords(k, key) {
				found = true
				if math.Abs(v-want) > 0.02*math.Abs(want) {
					t.Errorf("%s is %v, want %v", key, v, want)
				}
			}
		}
		if !found {
			t.Errorf("no %s in %v", key, got)
		}
	}
}

// While a new baseline is rolled out, replicas count under two of them. Their
// features are compared each with its own, their groups together.
func TestTwoBaselinesInOneSlot(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	groups := func(women uint64) []signal.GroupCount {
		return []signal.GroupCount{{Group: "female", Favourable: women, Total: 100}, {Group: "male", Favourable: 50, Total: 100}}
	}
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25}, groups(20)...)...)
	other := w.parts("b", noon.Add(length), [4]uint64{25, 25, 25, 25}, groups(40)...)
	for _, d := range other {
		d.Baseline = "sha256:000000000000" // declared by nobody
	}
	w.arrive(other...)
	w.at(15 * time.Second)
	w.want(1)
	got := w.values()
	for key, want := range map[string]float64{
		"evenkeel_fairness_disparity statistical_parity_difference female true gender 10s @10s": -0.2,
		"evenkeel_fairness_disparity_samples impact_ratio_min_max true gender 10s @10s":         400,
		"evenkeel_fairness_coverage_samples gender 10s @10s":                                    400,
		"evenkeel_drift_score_samples psi income 10s @10s":                                      100,
		"evenkeel_feature_quality_ratio_samples income true missing 10s @10s":                   100,
		"evenkeel_feature_quality_ratio_samples income false missing 10s @10s":                  100,
	} {
		if v, there := got[key]; !there || math.Abs(v-want) > 1e-9 {
			t.Errorf("%s is %v, %v; want %v in %v", key, v, there, want, got)
		}
	}
}

// sameWords compares keys whatever the order of their labels.
func sameWords(a, b string) bool {
	words := func(s string) []string { return slices.Sorted(slices.Values(strings.Fields(s))) }
	return slices.Equal(words(a), words(b))
}

func TestASlotWaitsForReplicasPartsAndGaps(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	even := [4]uint64{25, 25, 25, 25}
	for _, r := range []signal.InstanceID{"a", "b"} {
		w.arrive(w.parts(r, noon.Add(length), even)...)
	}
	w.at(15 * time.Second)
	w.want(1)

	// The second slot: everyone is in at once, so it is sealed within the grace.
	w.arrive(w.parts("a", noon.Add(2*length), even)...)
	w.at(20 * time.Second)
	w.want(1) // b is not in
	late := w.parts("b", noon.Add(2*length), even)
	w.arrive(late[0])
	w.at(21 * time.Second)
	w.want(1) // b lacks a part
	w.arrive(late[1])
	w.at(22 * time.Second)
	if fw := w.want(2); fw.Rows != 200 || fw.Gaps != 0 {
		t.Errorf("second slot: %+v", fw)
	}

	// The third: a is absent, b has lost a window and half of another.
	w.seq["b"]++
	w.arrive(w.parts("b", noon.Add(25*time.Second), even)...)
	w.arrive(w.parts("b", noon.Add(3*length), even)[0])
	w.at(34 * time.Second)
	w.want(2)
	w.at(35 * time.Second)
	fw := w.want(3)
	if fw.Rows != 100 || fw.Gaps != 1 || !slices.Equal(fw.Absent, []string{"a"}) || !slices.Equal(fw.WindowIDs, []string{"b/4"}) {
		t.Errorf("third slot: %+v", fw)
	}

	// What comes now is counted and changes nothing.
	w.arrive(w.parts("a", noon.Add(3*length), even)...)
	for _, r := range []signal.InstanceID{"a", "b"} {
		w.arrive(w.parts(r, noon.Add(4*length), even)...)
	}
	w.at(45 * time.Second)
	if fw := w.want(4); fw.Gaps != 2 { // b's half window, and a's that came too late
		t.Errorf("fourth slot: %+v", fw)
	}
	if got := count(t, w.fleet.metrics.late); got != 1 || len(w.sealed) != 4 {
		t.Errorf("%v late windows, %d sealed", got, len(w.sealed))
	}
	if again, err := w.store.FleetWindows(context.Background(), noon, noon.Add(time.Hour)); err != nil || len(again) != 4 || again[2].Rows != 100 {
		t.Errorf("the store holds %+v, %v", again, err)
	}
}

func TestARestartChangesNothing(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	even := [4]uint64{25, 25, 25, 25}
	slot := func(n int) {
		for _, r := range []signal.InstanceID{"a", "b"} {
			w.arrive(w.parts(r, noon.Add(time.Duration(n)*length), even)...)
		}
	}
	slot(1)
	w.restart() // before anything is sealed: the distributions alone tell where to begin
	w.at(16 * time.Second)
	w.want(1)
	w.restart()
	w.at(17 * time.Second)
	w.want(1) // sealed is sealed

	// Down while two slots end. b is expected, and its windows are on their way.
	w.arrive(w.parts("a", noon.Add(2*length), even)...)
	w.arrive(w.parts("a", noon.Add(3*length), even)...)
	w.restart()
	w.at(36 * time.Second)
	w.want(1) // the grace is over, but after a restart agents get time to deliver
	w.arrive(w.parts("b", noon.Add(2*length), even)...)
	w.arrive(w.parts("b", noon.Add(3*length), even)...)
	w.at(37 * time.Second)
	w.want(3)
	for i, fw := range w.sealed {
		if fw.Rows != 200 || fw.Gaps != 0 || len(fw.Absent) != 0 || !fw.End.Equal(noon.Add(time.Duration(i+1)*length)) {
			t.Errorf("slot %d: %+v", i+1, fw)
		}
	}
	// Far too long ago: not sealed any more, and counted.
	w.options.CatchUp = time.Minute
	w.restart()
	w.at(10 * time.Minute)
	if got := count(t, w.fleet.metrics.skipped); got != 50 {
		t.Errorf("%v slots are skipped", got)
	}
}

func TestSilenceIsSealed(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.options.Systems = []signal.SystemID{"s", "elsewhere"} // elsewhere has no rule of this length
	w.restart()
	w.at(1 * time.Second)
	w.at(15 * time.Second)
	if fw := w.want(1); fw.System != "s" || fw.Model != (signal.ModelRef{}) || len(fw.WindowIDs) != 0 {
		t.Errorf("a declared system without data: %+v", fw)
	}
	w.arrive(w.parts("a", noon.Add(2*length), [4]uint64{1, 1, 1, 1})...)
	w.at(25 * time.Second)
	if fw := w.want(2); fw.Model != loans {
		t.Errorf("data: %+v", fw)
	}
	w.at(35 * time.Second)
	if fw := w.want(3); fw.Model != loans || len(fw.WindowIDs) != 0 || !slices.Equal(fw.Absent, []string{"a"}) {
		t.Errorf("silence: %+v", fw)
	}
	w.options.Remember, w.options.StartGrace = 15*time.Second, 1
	w.restart()
	w.at(55 * time.Second)
	w.at(70 * time.Second)
	if fw := w.want(6); fw.Model != (signal.ModelRef{}) {
		t.Errorf("a model of long ago is still expected: %+v", fw)
	}
}

// A slot that is longer than what is read at once is the sum of its chunks, with
// the holes between them.
func TestALongSlotIsReadInChunks(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.options.Chunk = 3 * time.Second
	w.restart()
	w.at(0)
	for second := 1; second <= 10; second++ {
		for _, r := range []signal.InstanceID{"a", "b"} {
			if r == "b" && second == 4 {
				w.seq[r]++ // lost on the way
				continue
			}
			w.arrive(w.parts(r, noon.Add(time.Duration(second)*time.Second), [4]uint64{1, 1, 1, uint64(second)})...)
		}
	}
	w.at(15 * time.Second)
	fw := w.want(1)
	if want := uint64(19*3 + 2*55 - 4); fw.Rows != want || countWindows(t, fw) != 19 || fw.Gaps != 1 {
		t.Errorf("%d rows of %d, windows %v, %d gaps", fw.Rows, want, fw.WindowIDs, fw.Gaps)
	}
	w.arrive(w.parts("a", noon.Add(20*time.Second), [4]uint64{1, 1, 1, 1})...)
	w.arrive(w.parts("b", noon.Add(20*time.Second), [4]uint64{1, 1, 1, 1})...)
	w.at(20 * time.Second)
	if fw := w.want(2); fw.Rows != 8 || fw.Gaps != 0 {
		t.Errorf("second slot: %+v", fw)
	}
}

// lossy stores and then says that it did not, as a connection does that breaks
// before the answer.
type lossy struct {
	Store
	model.SeriesReader
	failures int
}

func (l *lossy) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	err := l.Store.Write(ctx, batch, rows, doubt)
	if err == nil && batch.Derived() && l.failures > 0 {
		l.failures--
		return errs.E("write", errs.Unavailable, errors.New("connection reset"), "")
	}
	return err
}

func TestALostAnswerStoresNothingTwice(t *testing.T) {
	real := storetest.Open(t)
	store := &lossy{Store: real, SeriesReader: real, failures: 2}
	w := newWorld(t, store)
	w.at(0)
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25})...)
	w.at(15 * time.Second)
	w.want(1)
	if found, err := store.FleetWindows(context.Background(), noon, noon.Add(time.Hour)); err != nil || len(found) != 1 || store.failures != 0 {
		t.Errorf("the store holds %+v, %v, after %d failures", found, err, store.failures)
	}
	if _, there := w.values()["evenkeel_drift_score psi income 10s @10s"]; !there {
		t.Errorf("no score in %v", w.values())
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25})...)
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan model.FleetWindow, 1)
	w.options.Subscribers = []Subscriber{subscriber(func(fw model.FleetWindow) { told <- fw })}
	w.options.Poll = time.Hour
	w.now = noon.Add(15 * time.Second)
	w.restart()
	done := make(chan error, 1)
	go func() { done <- w.fleet.Run(ctx) }()
	w.fleet.Wake()
	select {
	case fw := <-told:
		if fw.Rows != 100 {
			t.Errorf("sealed %+v", fw)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was sealed")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
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
