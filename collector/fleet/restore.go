package fleet

import (
	"context"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// restore reads back what was sealed and decides where each track goes on:
// at its last sealed slot (some of whose lanes may be missing), else at the
// first distribution or prediction there is, else now. Then it does what a crash may have cut
// short. Where nothing was ever sealed there was no outage, and nobody is
// waited for longer than the grace.
func (f *Fleet) restore(ctx context.Context) error {
	if f.restored {
		return nil
	}
	now := f.options.Now()
	p, err := f.readPast(ctx, now)
	if err != nil {
		return err
	}
	for _, t := range f.tracks {
		if err := f.begin(ctx, t, now); err != nil {
			return err
		}
	}
	if p.any {
		f.patience = now.Add(f.options.StartGrace)
	}
	if err := f.resume(ctx, p); err != nil {
		return err
	}
	f.restored = true
	return nil
}

// restoreStep is how much of the past is read at once. A window of a month asks
// for two months of it, in which those of an hour have many sentences and ids.
const restoreStep = 24 * time.Hour

// readPast brings the tracks to where they were, and gives the windows that are
// needed as a whole. The others are let go as soon as they are counted in.
func (f *Fleet) readPast(ctx context.Context, now time.Time) (*past, error) {
	p, from := newPast(), now
	for _, t := range f.tracks {
		t.lanes = map[lane]*laneState{}
		from = earlier(from, f.knownSince(t, now))
	}
	for from.Before(now) {
		to := earlier(from.Add(restoreStep), now)
		found, err := f.options.Store.FleetWindows(ctx, from, to)
		if err != nil {
			return nil, err
		}
		for _, t := range f.tracks {
			f.readWindows(t, found, p, now)
		}
		p.any = p.any || len(found) > 0
		from = to
	}
	return p, nil
}

// readWindows takes those of a track in, oldest first.
func (f *Fleet) readWindows(t *track, found []model.FleetWindow, p *past, now time.Time) {
	since, told := f.knownSince(t, now), t.clock(now).Add(-f.options.catchUp(t.length))
	for i := range found {
		w := &found[i]
		if w.Length != t.length || w.Labelled() != t.labelled || !w.End.After(since) || !f.wants(t, w.System) {
			continue
		}
		t.remember(w)
		p.take(sealedWindow{t, w}, w.End.After(told))
	}
	for _, state := range t.lanes {
		state.forget(state.sealedEnd.Add(-t.length - f.lateSpan(t)))
	}
}

// knownSince is how far back the windows of a track are of use.
func (f *Fleet) knownSince(t *track, now time.Time) time.Time {
	span := max(f.options.remember(t.length), f.options.catchUp(t.length))
	if t.labelled {
		span = max(span, f.options.Late+t.length)
	}
	return t.clock(now).Add(-span)
}

// begin sets the first slot to seal.
func (f *Fleet) begin(ctx context.Context, t *track, now time.Time) error {
	now = t.clock(now)
	catchUp := f.options.catchUp(t.length)
	bound := min(catchUp, time.Duration(f.options.CatchUpMost)*min(t.length, catchUp))
	oldest := slotEnd(now.Add(-bound), t.length)
	last := t.lastSealed(f.options.remember(t.length))
	switch {
	case last.IsZero():
		first, err := f.firstWindow(ctx, t, now.Add(-bound), now)
		if err != nil {
			return err
		}
		t.next = slotEnd(first, t.length)
		if !first.Before(now) {
			t.next = slotEnd(now.Add(1), t.length)
		}
	case last.Before(oldest):
		skipped := oldest.Sub(last)/t.length - 1
		f.metrics.skipped.Add(float64(skipped))
		f.options.Log.Warn("slots ended too long ago to be sealed", "length", t.length, "labelled", t.labelled, "slots", int64(skipped), "since", last)
		t.next = oldest
	default:
		t.next = last
	}
	t.begin = t.next.Add(-t.length)
	return nil
}

// lastSealed is the end of the last slot that was sealed. Of labelled windows it
// is that of the system furthest behind, of those that are still expected: one
// whose horizon has become shorter has slots to catch up with.
func (t *track) lastSealed(remember time.Duration) time.Time {
	ends, expected := map[signal.SystemID]time.Time{}, map[signal.SystemID]bool{}
	var last time.Time
	for l, s := range t.lanes {
		last = later(last, s.sealedEnd)
		ends[l.System] = later(ends[l.System], s.sealedEnd)
		if s.lastData.After(s.sealedEnd.Add(t.length - remember)) {
			expected[l.System] = true
		}
	}
	if t.labelled {
		for system := range expected {
			last = earlier(last, ends[system])
		}
	}
	return last
}

// firstWindow finds where there is something to seal since from: the end of the
// first agent's window, or a time not long before the first prediction; now where
// there is nothing.
func (f *Fleet) firstWindow(ctx context.Context, t *track, from, now time.Time) (time.Time, error) {
	step := max(f.options.Chunk, now.Sub(from)/24) // a few questions, whatever the chunk
	for ; from.Before(now); from = from.Add(step) {
		to := earlier(from.Add(step), now)
		if t.labelled {
			lanes, err := f.predicted(ctx, t, from, to)
			if err != nil || len(lanes) > 0 {
				return from, err
			}
			continue
		}
		parts, err := f.read(ctx, t, from, to)
		if err != nil {
			return now, err
		}
		first := now
		for _, d := range parts {
			first = earlier(first, d.End)
		}
		if len(parts) > 0 {
			return first, nil
		}
	}
	return now, nil
}

// remember takes a sealed window into the state of its lane.
func (t *track) remember(w *model.FleetWindow) {
	s := t.state(lane{w.System, w.Model})
	if w.Labelled() {
		s.closed[w.End] = closed{w.Revision, xxhash.Sum64String(w.Cohort)}
	}
	if w.Revision > 0 {
		return // the slot is known already
	}
	s.sealedEnd = w.End
	if w.Labelled() {
		s.counted[w.End] = w.Rows
	}
	if len(w.WindowIDs) > 0 || w.Rows > 0 {
		s.lastData = w.End
	}
	if w.Rows > 0 {
		s.live = append(s.live, w.End)
		s.live = s.live[max(0, len(s.live)-keptSlots):]
	}
	instances := make([]signal.InstanceID, len(w.Instances))
	for i, name := range w.Instances {
		instances[i] = signal.InstanceID(name)
	}
	s.recent = append(s.recent, instances)
	s.recent = s.recent[max(0, len(s.recent)-keptSlots):]
	for _, text := range w.WindowIDs {
		ids, err := signal.ParseWindows(text)
		if err != nil {
			continue // not one of ours; it names no agent's window
		}
		for _, id := range ids {
			s.sequence[id.Instance] = max(s.sequence[id.Instance], id.Sequence)
			s.seen[id.Instance] = w.End
			s.taken[id] = w.End
		}
	}
}

// read gives the distributions that ended in (from, to] of the systems that
// use this length.
func (f *Fleet) read(ctx context.Context, t *track, from, to time.Time) ([]*signal.Distribution, error) {
	var out []*signal.Distribution
	for _, system := range t.systems() {
		parts, err := f.options.Store.DistributionsBetween(ctx, system, from, to)
		if err != nil {
			return nil, err
		}
		for _, d := range parts {
			if f.wants(t, d.System) {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
