package fleet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

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
