package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
	"github.com/evenkeel/evenkeel/signal"
)

// slot is what was read about one slot that has ended.
type slot struct {
	start, end time.Time
	tailFrom   time.Time          // the last chunk begins here; the slot's start where it is short
	tail       map[lane][]*window // windows that ended in the last chunk of the slot
	seen       map[lane][]*window // those, and what came after the slot's end
}

// sealSlot seals the lanes of the track's next slot that are settled, or all of
// them when the grace is over. It says whether the slot is done.
func (f *Fleet) sealSlot(ctx context.Context, t *track, now time.Time) (bool, error) {
	s, err := f.readSlot(ctx, t, now)
	if err != nil {
		return false, err
	}
	over := f.graceOver(s.end, now)
	done := true
	for _, l := range f.lanesOf(t, s) {
		state := t.state(l)
		if !state.sealedEnd.Before(s.end) {
			continue
		}
		if !over && !state.settled(s.seen[l], s.end, s.tailFrom.Equal(s.start)) {
			done = false
			continue
		}
		if err := f.sealLane(ctx, t, s, l); err != nil {
			return false, err
		}
	}
	return done, nil
}

// graceOver says that nobody is waited for any longer: the grace has passed,
// and everything that had come by then is in the store.
func (f *Fleet) graceOver(end, now time.Time) bool {
	deadline := end.Add(f.options.Grace)
	if f.patience.After(deadline) {
		deadline = f.patience
	}
	return !now.Before(deadline) && f.options.Stored(deadline)
}

func (f *Fleet) readSlot(ctx context.Context, t *track, now time.Time) (*slot, error) {
	s := &slot{start: t.next.Add(-t.length), end: t.next}
	s.tailFrom = s.start
	if t.length > f.options.Chunk {
		s.tailFrom = s.end.Add(-f.options.Chunk)
	}
	parts, err := f.read(ctx, t, s.tailFrom, earlier(now, s.end.Add(f.options.Chunk)))
	if err != nil {
		return nil, err
	}
	s.seen, s.tail = assemble(parts), map[lane][]*window{}
	for l, windows := range s.seen {
		for _, w := range windows {
			if !w.end.After(s.end) {
				s.tail[l] = append(s.tail[l], w)
			}
		}
	}
	return s, nil
}

// lanesOf gives the lanes that get a window for this slot, in a fixed order:
// those with data, those that are expected, and declared systems without any.
func (f *Fleet) lanesOf(t *track, s *slot) []lane {
	known := map[signal.SystemID]bool{}
	var out []lane
	take := func(l lane) {
		known[l.System] = true
		out = append(out, l)
	}
	for l := range s.tail {
		take(l)
	}
	for l, state := range t.lanes {
		if _, here := s.tail[l]; here {
			continue
		}
		if state.lastData.After(s.end.Add(-f.options.Remember)) {
			take(l)
		} else if l.Model.Name != "" && len(state.reported) == 0 {
			delete(t.lanes, l)
		}
	}
	for _, system := range f.options.Systems {
		if !known[system] && f.wants(system, t.length) {
			take(lane{System: system})
		}
	}
	slices.SortFunc(out, func(a, b lane) int {
		return cmp.Or(strings.Compare(string(a.System), string(b.System)),
			strings.Compare(a.Model.Name, b.Model.Name), strings.Compare(a.Model.Version, b.Model.Version))
	})
	return out
}

// sealLane merges, scores, stores and tells.
func (f *Fleet) sealLane(ctx context.Context, t *track, s *slot, l lane) error {
	sum := newMerged()
	for from := s.start; from.Before(s.tailFrom); from = from.Add(f.options.Chunk) {
		parts, err := f.options.Store.DistributionsBetween(ctx, l.System, from, earlier(from.Add(f.options.Chunk), s.tailFrom))
		if err != nil {
			return err
		}
		sum.add(assemble(parts)[l])
	}
	sum.add(s.tail[l])

	state := t.state(l)
	w := f.window(t, s, l, sum, state)
	rows := &model.Rows{FleetWindows: []model.FleetWindow{w}}
	if err := f.score(ctx, &w, sum, rows); err != nil {
		return err
	}
	stored, err := f.store(ctx, &w, rows)
	if err != nil {
		return err
	}
	faultpoint.Hit("fleet.sealed")
	t.remember(stored)
	f.account(stored, sum)
	for _, subscriber := range f.options.Subscribers {
		subscriber.Sealed(ctx, *stored)
	}
	return nil
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

// store writes a sealed window until it is stored, with the same rows each
// time. Where the store already holds other rows for this window (a try before
// a crash that came through after all), theirs is the one that counts.
func (f *Fleet) store(ctx context.Context, w *model.FleetWindow, rows *model.Rows) (*model.FleetWindow, error) {
	batch := batchOf(w)
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f.options.Store.Write(ctx, batch, rows, model.InDoubt)
		if err != nil && !errs.Retryable(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, wait time.Duration) {
		f.options.Log.Warn("sealed window is not stored yet", "error", err, "again_in", wait)
	}))
	if errs.KindOf(err) != errs.Corrupt {
		return w, err
	}
	f.metrics.failed.Inc()
	f.options.Log.Error("the store holds other rows for this window than were computed now; theirs stand", "error", err,
		"system", w.System, "model", w.Model.String(), "length", w.Length, "end", w.End)
	found, err := f.options.Store.FleetWindows(ctx, w.End.Add(-time.Nanosecond), w.End)
	for i := range found {
		if o := &found[i]; o.System == w.System && o.Model == w.Model && o.Length == w.Length {
			return o, nil
		}
	}
	return w, err
}

// batchOf numbers a window by what it is about, so that it is stored once.
func batchOf(w *model.FleetWindow) model.Batch {
	return model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("fleet\x00%s\x00%s\x00%s\x00%d\x00%d",
		w.System, w.Model.Name, w.Model.Version, w.Length, w.End.UnixNano())))
}

func (f *Fleet) account(w *model.FleetWindow, sum *merged) {
	f.metrics.sealed.Inc()
	f.metrics.gaps.Add(float64(w.Gaps))
	f.metrics.absent.Add(float64(len(w.Absent)))
	if sum.refused > 0 {
		f.metrics.unscored.WithLabelValues("other cells under the same bounds").Add(float64(sum.refused))
	}
	f.options.Log.Debug("window sealed", "system", w.System, "model", w.Model.String(), "length", w.Length,
		"end", w.End, "rows", w.Rows, "windows", w.WindowIDs, "gaps", w.Gaps, "absent", len(w.Absent))
}
