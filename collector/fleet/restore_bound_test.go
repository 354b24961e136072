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

// spans remembers for how much of the past windows were asked for at once.
type spans struct {
	Store
	model.SeriesReader
	longest, all time.Duration
	baseline     error // of any baseline, where it is set
}

func (s *spans) FleetWindows(ctx context.Context, from, to time.Time) ([]model.FleetWindow, error) {
	s.longest, s.all = max(s.longest, to.Sub(from)), s.all+to.Sub(from)
	return s.Store.FleetWindows(ctx, from, to)
}

func (s *spans) Baseline(ctx context.Context, digest signal.Digest) (*signal.Baseline, error) {
	if s.baseline != nil && strings.Contains(string(digest), "bad") {
		return nil, s.baseline
	}
	return s.Store.Baseline(ctx, digest)
}

// TestARestartReadsTwoMonthsInBoundedMemory has a rule over a month, which needs
// two of them, beside windows of an hour, of which there are 1,440 in them.
func TestARestartReadsTwoMonthsInBoundedMemory(t *testing.T) {
	real := storetest.Open(t)
	store := &spans{Store: real, SeriesReader: real}
	w := newWorld(t, store)
	w.options.Rules = loadRules(t, rules.Options{Packs: []string{"iso42001-drift", "iso42001-fairness"}}, "overrides: []\n")
	end := slotEnd(noon, time.Hour)
	var rows model.Rows
	for i := range 60 * 24 {
		to := end.Add(-time.Duration(i) * time.Hour)
		rows.FleetWindows = append(rows.FleetWindows, model.FleetWindow{
			System: "s", Model: loans, Length: time.Hour, Start: to.Add(-time.Hour), End: to, Rows: 1, SealedAt: to.Add(5 * time.Second),
			WindowIDs:    []string{fmt.Sprintf("a/%d-%d", 100_000-60*i-59, 100_000-60*i)},
			Explanations: map[signal.FeatureName]string{"income": strings.Repeat("x", 1000)},
		})
	}
	w.write(&rows)
	w.restart()
	w.now = noon.Add(time.Minute)
	p, err := w.fleet.readPast(context.Background(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	if store.all < 60*24*time.Hour || store.longest > 24*time.Hour {
		t.Errorf("asked for %s, at most %s at once", store.all, store.longest)
	}
	if n := len(p.told) + len(p.newest); n > 26 {
		t.Errorf("%d windows are kept whole", n)
	}
	for _, track := range w.fleet.tracks {
		for _, state := range track.lanes {
			if n := len(state.taken); n > 4*60 {
				t.Errorf("length %s: %d ids are kept, of the last hours there are 180", track.length, n)
			}
			if got := state.sequence["a"]; got != 100_000 || len(state.live) != keptSlots || !state.sealedEnd.Equal(end) {
				t.Errorf("length %s: sequence %d, %d live slots, sealed until %s", track.length, got, len(state.live), state.sealedEnd)
			}
		}
	}
}

// TestAWindowThatCannotBeClosedStopsNoOther has predictions under a baseline that
// the store cannot give, beside those of another version and windows over rows.
func TestAWindowThatCannotBeClosedStopsNoOther(t *testing.T) {
	real := storetest.Open(t)
	store := &spans{Store: real, SeriesReader: real, baseline: errs.E("read baseline", errs.Corrupt, errors.New("unreadable"), "")}
	w := newCohortWorld(t, store)
	w.at(0)
	w.slot(1)
	bad := w.predicted("b", "bad", 3*time.Second, "1")
	bad.Baseline, bad.Model.Version = "sha256:bad", "0"
	w.predict(bad)
	w.now = noon.Add(31 * time.Second)
	if err := w.fleet.Step(context.Background()); errs.KindOf(err) != errs.Corrupt {
		t.Errorf("told %v", err)
	}
	if got := w.texts(); !slices.Equal(got, []string{"10s version 1 predictions 4"}) {
		t.Errorf("sealed %q", got)
	}
}
