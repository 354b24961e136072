package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// unscored refuses scores, as a crash after the record and before them does.
type unscored struct {
	Store
	model.SeriesReader
	refused int
}

func (s *unscored) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if len(rows.Samples) == 0 || s.refused == 0 {
		return s.Store.Write(ctx, batch, rows, doubt)
	}
	s.refused--
	return errs.E("write", errs.Invalid, errors.New("the machine went down"), "")
}

// What a crash leaves behind is a cohort that is recorded and not scored. Its
// scores come from the record, whatever has come since: also labels that, by
// their time, would have been in it, and another meaning of the predictions.
func TestACohortIsScoredFromItsRecord(t *testing.T) {
	for name, again := range map[string]func(w *world){
		"by the same process": func(*world) {},
		"after a restart":     func(w *world) { w.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			real := storetest.Open(t)
			store := &unscored{Store: real, SeriesReader: real, refused: 1}
			w := newCohortWorld(t, store)
			w.at(0)
			w.slot(1)
			w.now = noon.Add(31 * time.Second)
			if err := w.fleet.Step(context.Background()); err == nil {
				t.Fatal("scores that were refused are taken as stored")
			}
			w.want(0)
			recorded := w.cohorts()
			w.tell(told("1-1-0", "0", 16*time.Second), told("1-1-1", "0", 16*time.Second), told("1-1-3", "1", 16*time.Second))
			w.predict(w.predicted("b", "more", 3*time.Second, "1"))
			w.digest = w.declare(decisionBaseline("0"))
			w.predict(w.predicted("b", "turned", 10*time.Second, "1"))
			again(w)
			w.at(32 * time.Second)
			fw := w.want(1)
			if found := w.cohorts(); len(recorded) != 1 || len(found) != 1 || found[0].Cohort != recorded[0].Cohort || fw.Cohort != recorded[0].Cohort || fw.Rows != 4 {
				t.Errorf("recorded %+v, then %+v, told of %+v", recorded, found, fw)
			}
			w.expect(map[string]float64{
				"evenkeel_performance_score 10s accuracy @10s":          0.75,
				"evenkeel_performance_score 10s precision @10s":         2.0 / 3,
				"evenkeel_performance_score_samples 10s accuracy @10s":  4,
				"evenkeel_label_coverage_samples 10s @10s":              4,
				"evenkeel_label_coverage_samples 10s unfavourable @10s": 1,
			}, 1e-12)
		})
	}
}

// A window over rows and a cohort of the same lane, length and end stand beside
// each other, also where the answers to their writes are lost.
func TestBothKindsOfWindowsStandBesideEachOther(t *testing.T) {
	real := storetest.Open(t)
	store := &lossy{Store: real, SeriesReader: real, failures: 1}
	w := newCohortWorld(t, store)
	w.options.Rules = loadRules(t, rules.Options{Packs: []string{"iso42001-drift"}, Files: []string{labelledRules(t)}},
		"overrides:\n  - {system: s, rule: DRF-01, window: 10s}\n")
	w.restart()
	w.at(0)
	w.slot(1)
	outcome := w.digest
	w.declareBaseline()
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25})...)
	w.digest = outcome
	w.at(11 * time.Second)
	if fw := w.want(1); fw.Labelled() || fw.Rows != 100 || store.failures != 0 {
		t.Errorf("sealed %+v, %d failures left", fw, store.failures)
	}
	store.failures = 1
	for _, second := range []time.Duration{31, 32, 33} { // silence over rows at 20s and 30s
		w.at(second * time.Second)
		if fw := w.want(4); !fw.Labelled() || fw.Rows != 4 || !fw.End.Equal(noon.Add(length)) || store.failures != 0 {
			t.Errorf("sealed %+v, %d failures left", fw, store.failures)
		}
		w.restart() // neither is taken for the other
	}
	if found := w.cohorts(); len(found) != 4 || found[0].Labelled() || !found[1].Labelled() {
		t.Errorf("the store holds %+v", found)
	}
	w.expect(map[string]float64{
		"evenkeel_drift_score_samples psi 10s income @10s": 100, "evenkeel_performance_score_samples accuracy 10s @10s": 4,
	}, 0)
}

// slow lets time pass while predictions are read.
type slow struct {
	Store
	model.SeriesReader
	asked int
	after func(asked int)
}

func (s *slow) LabelledPredictions(ctx context.Context, system signal.SystemID, m signal.ModelRef, from, to, received time.Time, yield func(*signal.LabelledPrediction) error) error {
	s.asked++
	defer s.after(s.asked)
	return s.Store.LabelledPredictions(ctx, system, m, from, to, received, yield)
}

// A cohort that takes long to count holds up no window over rows: it is read in
// chunks, and what has become due is sealed in between.
func TestALongCohortHoldsUpNothing(t *testing.T) {
	real := storetest.Open(t)
	store := &slow{Store: real, SeriesReader: real}
	w := newCohortWorld(t, store)
	w.options.Rules = loadRules(t, rules.Options{Packs: []string{"iso42001-drift"}, Files: []string{labelledRules(t)}},
		"overrides:\n  - {system: s, rule: DRF-01, window: 10s}\n")
	w.options.Chunk = 3 * time.Second
	w.restart()
	store.after = func(asked int) {
		if asked == 6 { // the second of four chunks, when the cohort is counted under its baseline
			w.now = noon.Add(41 * time.Second)
		}
	}
	w.at(0)
	w.slot(1)
	outcome := w.digest
	w.declareBaseline()
	w.arrive(w.parts("a", noon.Add(4*length), [4]uint64{25, 25, 25, 25})...)
	w.digest = outcome
	w.at(31 * time.Second)
	var got []string
	for _, fw := range w.sealed {
		got = append(got, fmt.Sprintf("%s %d %v", fw.End.Sub(noon), fw.Rows, fw.Labelled()))
	}
	if want := []string{"40s 100 false", "10s 4 true"}; !slices.Equal(got, want) || store.asked != 8 {
		t.Errorf("sealed %q, want %q; %d questions", got, want, store.asked)
	}
	w.expect(map[string]float64{"evenkeel_performance_score_samples accuracy 10s @10s": 4}, 0)
}

// After an outage every cohort that was due is closed, in order, with the labels
// that it would have had.
func TestCohortsAreCaughtUpWith(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.at(0)
	for n := 1; n <= 6; n++ {
		w.slot(n)
		if n < 3 {
			w.at(time.Duration(n)*length + horizon + time.Second)
		}
	}
	w.tell(told("1-3-0", "0", 3*length+horizon+1)) // too late, though the cohort is still open
	w.options.CatchUpMost = 4
	w.options.StartGrace = 30 * time.Second
	w.restart()
	w.at(75 * time.Second)
	w.want(2) // agents get the time to deliver
	w.at(106 * time.Second)
	want := []string{"10s", "20s", "30s", "40s", "50s", "1m0s", "1m10s", "1m20s"}
	for i := range want {
		rows := 4
		if i > 5 {
			rows = 0
		}
		want[i] += fmt.Sprintf(" version 1 predictions %d", rows)
	}
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("sealed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.expect(map[string]float64{
		"evenkeel_performance_score 10s accuracy @30s": 0.75, "evenkeel_performance_score 10s accuracy @1m0s": 0.75,
	}, 1e-12)
	if got := count(t, w.fleet.metrics.skipped); got != 0 {
		t.Errorf("%v slots are skipped", got)
	}
	w.restart()
	w.at(1000 * time.Second) // by now most are too long ago
	if got := count(t, w.fleet.metrics.skipped); got != 85 {
		t.Errorf("%v slots are skipped", got)
	}
}

// Before anything was sealed, the predictions alone tell where to begin.
func TestCohortsBeginWithTheFirstPrediction(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.slot(2)
	w.restart()
	w.at(45 * time.Second)
	if got := w.texts(); !slices.Equal(got, []string{"20s version 1 predictions 4"}) {
		t.Errorf("sealed %q", got)
	}
}

// Each system has a horizon of its own. Where it is made shorter, the slots in
// between are not lost.
func TestHorizonsDifferBySystem(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	slow := 60 * time.Second
	w.options.Systems = []signal.SystemID{"s", "slow"}
	w.options.Horizon = func(system signal.SystemID) time.Duration {
		if system == "slow" {
			return slow
		}
		return horizon
	}
	w.restart()
	w.at(0)
	for n := 1; n <= 7; n++ {
		w.slot(n)
		p := w.predicted("z", fmt.Sprint("slow-", n), time.Duration(n)*length, "1")
		p.System = "slow"
		w.predict(p)
		w.at(time.Duration(n)*length + horizon + time.Second)
	}
	ends := func(system signal.SystemID) string {
		var out []string
		for _, fw := range w.sealed {
			if fw.System == system {
				out = append(out, fmt.Sprint(fw.End.Sub(noon)))
			}
		}
		return strings.Join(out, " ")
	}
	if ends("s") != "10s 20s 30s 40s 50s 1m0s 1m10s" || ends("slow") != "10s 20s 30s" {
		t.Errorf("s until %s, slow until %s", ends("s"), ends("slow"))
	}
	slow = horizon
	w.restart()
	w.at(92 * time.Second)
	w.at(93 * time.Second)
	if ends("s") != "10s 20s 30s 40s 50s 1m0s 1m10s" || ends("slow") != ends("s") {
		t.Errorf("s until %s, slow until %s", ends("s"), ends("slow"))
	}
	for _, fw := range w.sealed {
		if fw.System == "slow" && fw.Rows != 1 {
			t.Errorf("%s has %d predictions", fw.End.Sub(noon), fw.Rows)
		}
	}
}

// As long as something that was acknowledged by then is not stored, a cohort
// stays open.
func TestACohortWaitsForWhatIsAcknowledged(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	stored := false
	var asked []time.Time
	w.options.Stored = func(at time.Time) bool {
		asked = append(asked, at)
		return stored
	}
	w.restart()
	w.at(0)
	w.slot(1)
	w.at(35 * time.Second)
	w.want(0)
	stored = true
	w.at(36 * time.Second)
	if w.want(1); !slices.ContainsFunc(asked, noon.Add(31*time.Second).Equal) {
		t.Errorf("asked for %v", asked)
	}
}
