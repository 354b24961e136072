package fleet

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

// newLateWorld is a world whose cohorts of 10 seconds are revised by labels that
// come within a minute after their horizon of 20.
func newLateWorld(t testing.TB, store Store) *world {
	w := newCohortWorld(t, store)
	w.options.Late, w.options.LateEvery = time.Minute, time.Second
	w.restart()
	return w
}

// revisions gives what the store holds of the first slot, in order.
func (w *world) revisions() []model.FleetWindow {
	var out []model.FleetWindow
	for _, fw := range w.cohorts() {
		if fw.End.Equal(noon.Add(length)) {
			out = append(out, fw)
		}
	}
	return out
}

func (w *world) wantAccuracy(value, labelled float64) {
	w.t.Helper()
	w.expect(map[string]float64{
		"evenkeel_performance_score 10s accuracy @10s": value, "evenkeel_performance_score_samples 10s accuracy @10s": labelled,
	}, 1e-12)
}

// Two of four labels come in time, one a minute too late to be judged, one too
// late for anything.
func TestLateLabelsReviseTheirCohort(t *testing.T) {
	w := newLateWorld(t, storetest.Open(t))
	w.at(0)
	for i, id := range []string{"1", "2", "3", "4"} {
		w.predict(w.predicted("a", id, time.Duration(i+1)*time.Second, "1"))
	}
	w.tell(told("1", "1", 12*time.Second), told("2", "1", 13*time.Second))
	w.at(31 * time.Second)
	closed := w.want(1)
	w.wantAccuracy(1, 2)
	w.at(33 * time.Second)
	w.tell(told("3", "0", 35*time.Second))
	w.at(36 * time.Second)
	revised := w.want(2)
	if revised.Revision != 1 || !revised.End.Equal(closed.End) || revised.Rows != 4 || revised.Cohort == closed.Cohort || closed.Revision != 0 {
		t.Errorf("closed %+v, revised %+v", closed, revised)
	}
	w.wantAccuracy(2.0/3, 3)
	if n := count(t, w.fleet.metrics.revised); n != 1 {
		t.Errorf("%v revisions counted", n)
	}
	w.tell(told("3", "1", 37*time.Second)) // another answer, later: it holds
	w.at(38 * time.Second)
	w.wantAccuracy(1, 3)
	w.tell(told("1", "1", 39*time.Second)) // what was known already
	w.at(89 * time.Second)
	w.tell(told("4", "0", 91*time.Second)) // 91 seconds after noon: past 10s, the horizon of 20s and a minute
	w.at(92 * time.Second)
	w.at(99 * time.Second)
	w.wantAccuracy(1, 3)
	found := w.revisions()
	if len(found) != 3 || found[0].Cohort != closed.Cohort || found[1].Revision != 1 || found[2].Revision != 2 {
		t.Errorf("the store holds %+v", found)
	}
}

// A restart revises nothing that is revised, and goes on with what came since.
func TestRevisionsSurviveARestart(t *testing.T) {
	w := newLateWorld(t, storetest.Open(t))
	w.at(0)
	w.slot(1)
	w.at(31 * time.Second)
	w.wantAccuracy(0.75, 4)
	w.tell(told("1-1-0", "0", 33*time.Second))
	w.at(34 * time.Second)
	w.wantAccuracy(0.5, 4)
	for range 2 {
		w.restart()
		w.at(36 * time.Second)
		w.at(38 * time.Second)
	}
	if found := w.revisions(); len(found) != 2 {
		t.Errorf("the store holds %+v", found)
	}
	w.tell(told("1-1-1", "0", 39*time.Second)) // while nobody looks
	w.restart()
	w.at(40 * time.Second)
	w.wantAccuracy(0.25, 4)
	if found := w.revisions(); len(found) != 3 || found[2].Revision != 2 || found[2].Rows != 4 {
		t.Errorf("the store holds %+v", found)
	}
}

// A revision that is recorded and not scored is scored from its record.
func TestARevisionIsScoredAfterACrash(t *testing.T) {
	for name, again := range map[string]func(w *world){"by the same process": func(*world) {}, "after a restart": (*world).restart} {
		t.Run(name, func(t *testing.T) {
			real := storetest.Open(t)
			store := &unscored{Store: real, SeriesReader: real}
			w := newLateWorld(t, store)
			w.at(0)
			w.slot(1)
			w.at(31 * time.Second)
			w.tell(told("1-1-0", "0", 33*time.Second))
			store.refused = 1
			w.now = noon.Add(34 * time.Second)
			if err := w.fleet.Step(context.Background()); err == nil {
				t.Fatal("scores that were refused are taken as stored")
			}
			w.wantAccuracy(0.75, 4)
			again(w)
			w.at(36 * time.Second)
			w.wantAccuracy(0.5, 4)
			if found := w.revisions(); len(found) != 2 || store.refused != 0 {
				t.Errorf("the store holds %+v", found)
			}
		})
	}
}

// What a revision leaves undefined is not found any more, in place of the old
// value: without a favourable outcome among the labelled there is no recall.
func TestARevisionEndsWhatIsNotDefinedAnyMore(t *testing.T) {
	w := newLateWorld(t, storetest.Open(t))
	w.at(0)
	w.predict(w.predicted("a", "1", time.Second, "1"), w.predicted("a", "2", 2*time.Second, "1"))
	w.tell(told("1", "1", 12*time.Second), told("2", "0", 12*time.Second))
	w.at(31 * time.Second)
	w.expect(map[string]float64{"evenkeel_performance_score 10s recall @10s": 1}, 0)
	w.tell(told("1", "0", 33*time.Second))
	w.at(34 * time.Second)
	w.wantAccuracy(0, 2)
	for key, v := range w.values() {
		if strings.HasPrefix(key, "evenkeel_performance_score ") && strings.Contains(key, "recall") && !math.IsNaN(v) {
			t.Errorf("%s is still %v", key, v)
		}
	}
}
