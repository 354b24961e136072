package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

func group(name string, favourable, total uint64) signal.GroupCount {
	return signal.GroupCount{Group: name, Favourable: favourable, Total: total}
}

// A version that served at the begin of a long slot only is in a chunk that
// nobody looks at while waiting for replicas; it gets its window all the same.
func TestAVersionThatLeftBeforeTheLastChunkIsSealed(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.options.Chunk = 2 * time.Second
	w.restart()
	w.at(0)
	w.arrive(w.parts("a", noon.Add(4*time.Second), [4]uint64{10, 20, 30, 40})...)
	w.at(14 * time.Second)
	w.want(0)
	w.at(20 * time.Second)
	if fw := w.want(1); fw.Rows != 100 || fw.Model != loans || !slices.Equal(fw.WindowIDs, []string{"a/1"}) {
		t.Errorf("sealed %+v", fw)
	}
}

// A silence longer than what is remembered by default is still within a slot
// that is longer.
func TestLongSlotsAreRememberedAndCaughtUp(t *testing.T) {
	const month = 30 * 24 * time.Hour
	var o Options
	o = o.withDefaults()
	for length, want := range map[time.Duration][2]time.Duration{
		time.Hour: {7 * 24 * time.Hour, 24 * time.Hour},
		month:     {2 * month, month},
	} {
		if got := [2]time.Duration{o.remember(length), o.catchUp(length)}; got != want {
			t.Errorf("windows of %s: remembered and caught up for %v, want %v", length, got, want)
		}
	}
}

// cut refuses scores while it is on, as a store does whose client is killed
// after the record of a window and before its scores.
type cut struct {
	*clickhouse.Store
	on bool
}

func (c *cut) Write(ctx context.Context, b model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if c.on && b.Derived() && len(rows.Samples) > 0 {
		return errors.New("killed")
	}
	return c.Store.Write(ctx, b, rows, doubt)
}

// Whatever arrives between a crash and the next start, the scores are those of
// the windows that are recorded, and nothing else is told.
func TestAKillBetweenRecordAndScores(t *testing.T) {
	for _, restarted := range []bool{true, false} { // false: the store refused once, and the process lives on
		t.Run(fmt.Sprint("restarted ", restarted), func(t *testing.T) {
			store := &cut{Store: storetest.Open(t)}
			w := newWorld(t, store)
			w.at(0)
			w.arrive(w.parts("a", noon.Add(length), [4]uint64{10, 20, 30, 40}, group("male", 90, 100))...)
			store.on = true
			w.now = noon.Add(16 * time.Second)
			if err := w.fleet.Step(context.Background()); err == nil {
				t.Fatal("the kill did not come through")
			}
			w.want(0)
			store.on = false
			w.arrive(w.parts("b", noon.Add(length), [4]uint64{40, 30, 20, 10}, group("male", 50, 100))...)
			if restarted {
				w.restart()
			}
			w.at(17 * time.Second)
			fw := w.want(1)
			stored, err := store.FleetWindows(context.Background(), noon, noon.Add(length))
			if err != nil || len(stored) != 1 || !slices.Equal(stored[0].WindowIDs, fw.WindowIDs) || !slices.Equal(fw.WindowIDs, []string{"a/1"}) {
				t.Errorf("told of %+v, stored %+v, %v", fw, stored, err)
			}
			scored := 0
			for key, value := range w.values() {
				if strings.HasPrefix(key, "evenkeel_drift_score_samples") {
					if scored++; value != 100 {
						t.Errorf("%s is %v, want the rows of the recorded window", key, value)
					}
				}
			}
			if scored == 0 {
				t.Error("the recorded window has no scores")
			}
		})
	}
}

// An order without a record would be a verdict without evidence: scores are
// refused before the record is there.
func TestTheRecordComesBeforeTheScores(t *testing.T) {
	order := &writes{Store: storetest.Open(t)}
	w := newWorld(t, order)
	w.at(0)
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{10, 20, 30, 40})...)
	w.at(16 * time.Second)
	if want := []string{"windows", "samples"}; !slices.Equal(order.derived, want) {
		t.Errorf("written %v, want %v", order.derived, want)
	}
}

type writes struct {
	*clickhouse.Store
	derived []string
}

func (s *writes) Write(ctx context.Context, b model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if b.Derived() && len(rows.FleetWindows) > 0 {
		s.derived = append(s.derived, "windows")
	}
	if b.Derived() && len(rows.Samples) > 0 {
		s.derived = append(s.derived, "samples")
	}
	return s.Store.Write(ctx, b, rows, doubt)
}

// While replicas change over to a new baseline, drift is measured against each
// one's own, and fairness over all of the traffic.
func TestABaselineRolloutDoesNotSplitTheGroups(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{10, 20, 30, 40}, group("female", 10, 100), group("male", 90, 100))...)
	old := w.digest
	w.declareOther("female")
	if old == w.digest {
		t.Fatal("the baselines are the same")
	}
	w.arrive(w.parts("b", noon.Add(length), [4]uint64{10, 20, 30, 40}, group("female", 50, 100), group("male", 50, 100))...)
	w.at(16 * time.Second)
	w.want(1)
	data, err := w.store.(model.SeriesReader).SelectSeries(context.Background(), []model.Matcher{
		{Name: "__name__", Type: model.MatchEqual, Value: "evenkeel_fairness_disparity"},
		{Name: "evenkeel_fairness_metric", Type: model.MatchEqual, Value: "statistical_parity_difference"},
	}, noon, noon.Add(time.Hour))
	if err != nil || len(data) != 1 {
		t.Fatalf("disparities %+v, %v: want one", data, err)
	}
	if got := math.Abs(data[0].Samples[0].Value); math.Abs(got-0.4) > 1e-9 {
		t.Errorf("the difference is %v, want 0.4 of all 400 rows", got)
	}
	var samples, points uint64
	row := w.store.(*clickhouse.Store).Conn().QueryRow(context.Background(), "SELECT count(), uniqExact(fingerprint, time) FROM samples")
	if err := row.Scan(&samples, &points); err != nil || samples != points {
		t.Errorf("%d samples for %d points, %v", samples, points, err)
	}
}

func TestTheNewestBaselineNamesTheReference(t *testing.T) {
	parts := func(end time.Duration, digest signal.Digest) []*window {
		id := signal.WindowID{Instance: "a", Sequence: uint64(end)}
		d := &signal.Distribution{Window: id, End: noon.Add(end), Parts: 1, Target: signal.TargetGroup, Feature: "gender", Baseline: digest}
		return []*window{{id: id, end: d.End, want: 1, parts: []*signal.Distribution{d}}}
	}
	for name, order := range map[string][][]*window{
		"last seen":                 {parts(3, "z"), parts(4, "new"), parts(2, "z")},
		"seen as long, begun later": {parts(1, "z"), parts(2, "new"), parts(4, "z"), parts(4, "new")},
		"none declared by one":      {parts(3, "new"), parts(4, "")},
	} {
		sum := newMerged()
		for _, w := range order {
			sum.add(w)
		}
		if len(sum.ordered()) != 1 {
			t.Fatalf("%s: %d columns", name, len(sum.ordered()))
		}
		for _, d := range columns(sum) {
			if d.Baseline != "new" {
				t.Errorf("%s: the newest is %q", name, d.Baseline)
			}
		}
	}
}

// declareOther puts a second baseline in the place of the first, with the same
// bounds and another reference group.
func (w *world) declareOther(reference string) {
	w.t.Helper()
	b := &signal.Baseline{Format: signal.BaselineFormat, Model: loans, Rows: 401, Features: []signal.FeatureBaseline{{
		Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: []float64{1, 2, 3}, Deciles: []int{0, 1, 2},
		Counts: []uint64{101, 100, 100, 100}, N: 401,
	}}, Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: reference}}}
	w.digest = w.declare(b)
}
