package fleet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// drifting is a stream of windows: even, silent, and then off.
var drifting = [][4]uint64{{250, 250, 250, 250}, {260, 240, 245, 255}, {}, {50, 150, 300, 500}, {60, 140, 300, 500}, {50, 160, 290, 500}}

// drift lets the stream come and does something between the slots.
func (w *world) drift(between func(slot int)) {
	w.at(0)
	for i, counts := range drifting {
		end := noon.Add(time.Duration(i+1) * length)
		w.arrive(w.parts("a", end, counts)...)
		w.at(time.Duration(i+1)*length + 6*time.Second)
		between(i + 1)
	}
}

// processes gives the stored process of income after each slot.
func (w *world) processes() []measure.DriftEvidence {
	w.t.Helper()
	var out []measure.DriftEvidence
	for i := range drifting {
		found, err := w.store.DriftProcesses(context.Background(), "s", loans, length, noon.Add(time.Duration(i+1)*length+1))
		if err != nil || len(found) != 1 || found[0].Feature != "income" || found[0].Baseline != w.digest {
			w.t.Fatalf("slot %d: %+v, %v", i+1, found, err)
		}
		out = append(out, found[0].Evidence)
	}
	return out
}

// The evidence is what the process gives for the same windows, to the last bit.
func TestEvidenceIsCollectedOverSealedWindows(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.drift(func(int) {})
	feature := signal.FeatureBaseline{Kind: signal.Numeric, Grid: []float64{1, 2, 3}, Deciles: []int{0, 1, 2}, Counts: []uint64{100, 100, 100, 100}, N: 400}
	var want []measure.DriftEvidence
	var seen measure.DriftEvidence
	values := w.values()
	for i, counts := range drifting {
		var err error
		if seen, err = feature.Evidence(seen, &signal.Distribution{Counts: counts[:]}); err != nil {
			t.Fatal(err)
		}
		want = append(want, seen)
		at := fmt.Sprintf("@%s", time.Duration(i+1)*length)
		value, there := values["evenkeel_drift_evidence income 10s "+at]
		if silent := counts == [4]uint64{}; silent == there || there && value != seen.Estimate().Value {
			t.Errorf("%s: %v, %v; want %v", at, value, there, seen.Estimate().Value)
		}
		if alarm := values["evenkeel_drift_alarm income 10s "+at]; (alarm == 1) != (i >= 3) {
			t.Errorf("%s: alarm %v with evidence %v", at, alarm, value)
		}
	}
	if got := w.processes(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if n := want[len(want)-1].Windows; n != 5 {
		t.Errorf("%d windows with rows", n)
	}
}

func TestEvidenceGoesOnAfterARestart(t *testing.T) {
	plain := newWorld(t, storetest.Open(t))
	plain.drift(func(int) {})
	restarted := newWorld(t, storetest.Open(t))
	restarted.options.StartGrace = 1
	restarted.drift(func(int) { restarted.restart() })
	if got, want := restarted.processes(), plain.processes(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// torn stores the rows that come before the window itself and then breaks, as a
// crash in the middle of a batch does.
type torn struct {
	Store
	model.SeriesReader
	broken int
}

func (s *torn) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if !batch.Derived() || s.broken == 0 {
		return s.Store.Write(ctx, batch, rows, doubt)
	}
	s.broken--
	half := *rows
	half.FleetWindows = nil
	if err := s.Store.Write(ctx, batch, &half, doubt); err != nil {
		return err
	}
	return errs.E("write", errs.Invalid, errors.New("the machine went down"), "")
}

func TestEvidenceOfATornBatchCountsOnce(t *testing.T) {
	plain := newWorld(t, storetest.Open(t))
	plain.drift(func(int) {})

	real := storetest.Open(t)
	store := &torn{Store: real, SeriesReader: real}
	w := newWorld(t, store)
	w.options.StartGrace = 1
	w.at(0)
	for i, counts := range drifting {
		end := noon.Add(time.Duration(i+1) * length)
		w.arrive(w.parts("a", end, counts)...)
		w.now = end.Add(6 * time.Second)
		if i%2 == 1 {
			store.broken = 1
			if err := w.fleet.Step(context.Background()); err == nil {
				t.Fatal("a torn batch was taken for a whole one")
			}
			if i == 3 {
				w.restart() // the others are tried again by the same process
			}
		}
		w.at(time.Duration(i+1)*length + 6*time.Second)
	}
	if store.broken != 0 || len(w.sealed) != len(drifting) {
		t.Errorf("%d windows sealed, %d failures left", len(w.sealed), store.broken)
	}
	if got, want := w.processes(), plain.processes(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
