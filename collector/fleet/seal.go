package fleet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
	"github.com/evenkeel/evenkeel/signal"
)

// sealSlot seals the lanes of the track's next slot that are settled, or all of
// them when the grace is over. It says whether the slot is done. A slot that is
// read in chunks is read once: when nothing is to be waited for any longer.
func (f *Fleet) sealSlot(ctx context.Context, t *track, now time.Time) (bool, error) {
	if t.labelled {
		return f.closeSlot(ctx, t, now)
	}
	s, err := f.readSlot(ctx, t, now)
	if err != nil {
		return false, err
	}
	over := f.graceOver(s.end, now)
	if s.inChunks() {
		if !over && !f.tailSettled(t, s) {
			return false, nil
		}
		over = true
		if err := f.readBeforeTail(ctx, t, s); err != nil {
			return false, err
		}
	}
	done := true
	for _, l := range f.lanesOf(t, s) {
		state := t.state(l)
		if !state.sealedEnd.Before(s.end) {
			continue
		}
		if !over && !state.settled(s.seen[l], s.end, true) {
			done = false
			continue
		}
		if err := f.sealLane(ctx, t, s, l); err != nil {
			return false, err
		}
	}
	return done, nil
}

// tailSettled says that no lane is waited for, of those that are in the slot's
// last chunk or expected there.
func (f *Fleet) tailSettled(t *track, s *slot) bool {
	lanes := f.lanesOf(t, s)
	for _, l := range lanes {
		if state := t.state(l); state.sealedEnd.Before(s.end) && !state.settled(s.seen[l], s.end, false) {
			return false
		}
	}
	return len(lanes) > 0
}

// graceOver says that nobody is waited for any longer: the grace has passed since
// the windows of a slot, or its labels, were due, and everything that had come by
// then is in the store.
func (f *Fleet) graceOver(due, now time.Time) bool {
	deadline := due.Add(f.options.Grace)
	if f.patience.After(deadline) {
		deadline = f.patience
	}
	return !now.Before(deadline) && f.options.Stored(deadline)
}

// readSlot reads what ended in the last chunk of the slot and since: it tells
// whether anything is to be waited for, also in a slot of a month.
func (f *Fleet) readSlot(ctx context.Context, t *track, now time.Time) (*slot, error) {
	s := &slot{start: t.next.Add(-t.length), end: t.next, sums: map[lane]*merged{}}
	s.tailFrom = s.start
	if t.length > f.options.Chunk {
		s.tailFrom = s.end.Add(-f.options.Chunk)
	}
	parts, err := f.read(ctx, t, s.tailFrom, earlier(now, s.end.Add(f.options.Chunk)))
	if err != nil {
		return nil, err
	}
	s.seen = assemble(parts)
	for l, windows := range s.seen {
		s.add(l, slices.DeleteFunc(slices.Clone(windows), func(w *window) bool { return w.end.After(s.end) }))
	}
	return s, nil
}

// readBeforeTail adds the chunks before the last one, each read once for all
// lanes: a version that served until the middle of the slot is in them alone.
func (f *Fleet) readBeforeTail(ctx context.Context, t *track, s *slot) error {
	for from := s.start; from.Before(s.tailFrom); from = from.Add(f.options.Chunk) {
		parts, err := f.read(ctx, t, from, earlier(from.Add(f.options.Chunk), s.tailFrom))
		if err != nil {
			return err
		}
		for l, windows := range assemble(parts) {
			s.add(l, windows)
		}
	}
	return nil
}

// lanesOf gives the lanes that get a window for this slot: those with data,
// those that are expected and not replaced, and, of windows over rows, declared
// systems without any. The order is fixed, those with rows first, so that who is
// told of the silence of one version already knows of the others.
func (f *Fleet) lanesOf(t *track, s *slot) []lane {
	known := map[signal.SystemID]bool{}
	var out []lane
	take := func(l lane) {
		known[l.System] = true
		out = append(out, l)
	}
	for l := range s.sums {
		take(l)
	}
	for l := range s.predicted {
		take(l)
	}
	for l, state := range t.lanes {
		if s.has(l) {
			continue
		}
		expected := state.lastData.After(s.end.Add(-f.options.remember(t.length)))
		switch {
		case expected && !t.replaced(l, s):
			take(l)
		case !expected && l.Model.Name != "" && len(state.reported) == 0:
			delete(t.lanes, l)
		}
	}
	for _, system := range f.options.Systems {
		if !t.labelled && !known[system] && f.wants(t, system) {
			take(lane{System: system})
		}
	}
	slices.SortFunc(out, func(a, b lane) int {
		silent := func(l lane) int {
			if s.live(l) {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(silent(a), silent(b)), strings.Compare(string(a.System), string(b.System)),
			strings.Compare(a.Model.Name, b.Model.Name), strings.Compare(a.Model.Version, b.Model.Version))
	})
	return out
}

// sealLane seals what was merged of a lane, with a sentence about what moved.
func (f *Fleet) sealLane(ctx context.Context, t *track, s *slot, l lane) error {
	sum := s.sums[l]
	if sum == nil {
		sum = newMerged()
	}
	w := f.window(t, s, l, sum, t.state(l))
	var err error
	if w.Explanations, err = f.explain(ctx, sum); err != nil {
		return err
	}
	return f.seal(ctx, t, &w, sum)
}

// seal records a window, scores it and tells. The record goes first, as the
// intent: whatever happens in between, the scores are those of exactly what is
// recorded. sum is what a window over rows was merged from.
func (f *Fleet) seal(ctx context.Context, t *track, w *model.FleetWindow, sum *merged) error {
	recorded, err := f.record(ctx, w)
	if err != nil {
		return err
	}
	faultpoint.Hit("fleet.recorded")
	if !slices.Equal(recorded.WindowIDs, w.WindowIDs) { // by a try that came before other windows did
		if sum, err = f.recount(ctx, t, recorded); err != nil {
			return err
		}
	}
	if err := f.storeScores(ctx, recorded, sum); err != nil {
		return err
	}
	faultpoint.Hit("fleet.sealed")
	t.remember(recorded)
	f.account(recorded, sum)
	f.tell(ctx, recorded)
	return nil
}

func (f *Fleet) tell(ctx context.Context, w *model.FleetWindow) {
	for _, subscriber := range f.options.Subscribers {
		subscriber.Sealed(ctx, *w)
	}
}

func (f *Fleet) window(t *track, s *slot, l lane, sum *merged, state *laneState) model.FleetWindow {
	w := model.FleetWindow{
		System: l.System, Model: l.Model, Length: t.length, Start: s.start, End: s.end,
		WindowIDs: signal.FormatWindows(sum.taken), Rows: sum.rows, Gaps: sum.gaps(state.sequence), SealedAt: f.options.Now().UTC(),
	}
	expected := state.expected()
	for _, i := range sum.instances() {
		w.Instances = append(w.Instances, string(i))
		delete(expected, i)
	}
	for i := range expected {
		w.Absent = append(w.Absent, string(i))
	}
	slices.Sort(w.Absent)
	return w
}

func (f *Fleet) account(w *model.FleetWindow, sum *merged) {
	f.metrics.sealed.Inc()
	f.metrics.gaps.Add(float64(w.Gaps))
	f.metrics.absent.Add(float64(len(w.Absent)))
	if sum != nil && sum.refused > 0 {
		f.metrics.unscored.WithLabelValues("other cells under the same bounds").Add(float64(sum.refused))
	}
	f.options.Log.Debug("window sealed", "system", w.System, "model", w.Model.String(), "length", w.Length,
		"labelled", w.Labelled(), "end", w.End, "rows", w.Rows, "windows", w.WindowIDs, "gaps", w.Gaps, "absent", len(w.Absent))
}
