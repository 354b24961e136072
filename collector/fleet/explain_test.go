package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// unrecorded refuses the record itself, as a crash before it does.
type unrecorded struct {
	Store
	model.SeriesReader
	refused int
}

func (s *unrecorded) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if len(rows.FleetWindows) == 0 || s.refused == 0 {
		return s.Store.Write(ctx, batch, rows, doubt)
	}
	s.refused--
	return errs.E("write", errs.Invalid, errors.New("the machine went down"), "")
}

// The record says what moved in inputs, outputs and texts, over all replicas,
// and says the same after a crash before and after it.
func TestTheRecordSaysWhatMoved(t *testing.T) {
	real := storetest.Open(t)
	store := &unrecorded{Store: real, SeriesReader: real}
	w := newWorld(t, store)
	w.options.StartGrace = 1
	b := decisionBaseline("1")
	moved, still, words := textColumn("income", signal.Numeric), textColumn("age", signal.Numeric), textColumn("q.length", signal.Numeric)
	moved.Target, still.Target = signal.TargetFeature, signal.TargetFeature
	axis := textColumn("pair/01", signal.Numeric) // its cells mean nothing to people
	axis.Target = signal.TargetMultivariate
	b.Features = append(b.Features, moved, still, words, axis)
	w.digest = w.declare(b)
	w.restart()
	w.at(0)
	for _, replica := range []signal.InstanceID{"a", "b"} {
		w.dispatch(replica, noon.Add(length), 1,
			counted(t, &moved, 0, 0, 0, 100), counted(t, &still, 20, 25, 25, 30), counted(t, &words, 50, 25, 15, 10),
			counted(t, &b.Features[0], 60, 40), counted(t, &axis, 0, 0, 0, 100))
	}
	store.refused = 1
	w.now = noon.Add(15 * time.Second)
	if err := w.fleet.Step(context.Background()); err == nil {
		t.Fatal("a record that was refused is taken as stored")
	}
	w.restart()
	w.at(16 * time.Second)
	w.at(17 * time.Second)
	fw := w.want(1)
	want := map[signal.FeatureName]string{}
	for f, counts := range map[*signal.FeatureBaseline][]uint64{
		&moved: {0, 0, 0, 200}, &words: {100, 50, 30, 20}, &b.Features[0]: {120, 80},
	} {
		text, err := f.Explain(counted(t, f, counts...))
		if err != nil {
			t.Fatal(err)
		}
		want[f.Name] = text
	}
	if !maps.Equal(fw.Explanations, want) {
		t.Errorf("recorded %q, want %q", fw.Explanations, want)
	}
	if !strings.Contains(fw.Explanations["income"], `"above 3" rose from 25% to 100% of rows`) {
		t.Errorf("income: %s", fw.Explanations["income"])
	}
	w.restart() // tells again, and the world compares
	w.at(18 * time.Second)
	if found := w.cohorts(); len(found) != 1 || !maps.Equal(found[0].Explanations, want) {
		t.Errorf("the store holds %+v", found)
	}
}

// Of very many columns that moved, the record names those that moved most.
func TestTheLargestMovesAreTold(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	b := &signal.Baseline{Format: signal.BaselineFormat, Model: loans, Rows: 400}
	for i := range 130 {
		f := textColumn(signal.FeatureName(fmt.Sprintf("f%03d", i)), signal.Numeric)
		f.Target = signal.TargetFeature
		b.Features = append(b.Features, f)
	}
	w.digest = w.declare(b)
	var parts []*signal.Distribution
	for i := range b.Features {
		parts = append(parts, counted(t, &b.Features[i], 250+uint64(i), 250, 250, 250-uint64(i)))
	}
	w.at(0)
	w.dispatch("a", noon.Add(length), 1, parts...)
	w.at(15 * time.Second)
	fw := w.want(1)
	// 0.108 (ln 1.432 - ln 0.568) is 0.0999, and the next one above 0.1.
	if len(fw.Explanations) != 21 || fw.Explanations["f108"] != "" || fw.Explanations["f109"] == "" {
		t.Errorf("%d columns are told: %q", len(fw.Explanations), fw.Explanations)
	}
	for i := range b.Features {
		parts[i] = counted(t, &b.Features[i], 700+uint64(i), 100, 100, 100-uint64(i/2))
	}
	w.dispatch("a", noon.Add(2*length), 1, parts...)
	w.at(25 * time.Second)
	fw = w.want(2)
	for i := range b.Features {
		if _, told := fw.Explanations[b.Features[i].Name]; told != (i >= 30) {
			t.Errorf("column %d is told: %v", i, told)
		}
	}
}
