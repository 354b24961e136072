package fleet

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// restore reads back what was sealed and decides where each length goes on:
// at its last sealed slot (some of whose lanes may be missing), else at the
// first distribution there is, else now. Then it does what a crash may have cut
// short. Where nothing was ever sealed there was no outage, and nobody is
// waited for longer than the grace.
func (f *Fleet) restore(ctx context.Context) error {
	if f.restored {
		return nil
	}
	now := f.options.Now()
	oldest := now
	for _, t := range f.tracks {
		oldest = earlier(oldest, f.knownSince(t, now))
	}
	found, err := f.options.Store.FleetWindows(ctx, oldest, now)
	if err != nil {
		return err
	}
	var sealed []sealedWindow
	for _, t := range f.tracks {
		t.lanes = map[lane]*laneState{}
		for i := range found {
			w := &found[i]
			if w.Length == t.length && w.End.After(f.knownSince(t, now)) && f.wants(w.System, t.length) {
				t.remember(w)
				sealed = append(sealed, sealedWindow{t, w})
			}
		}
		if err := f.begin(ctx, t, now); err != nil {
			return err
		}
	}
	if len(found) > 0 {
		f.patience = now.Add(f.options.StartGrace)
	}
	if err := f.resume(ctx, sealed, now); err != nil {
		return err
	}
	f.restored = true
	return nil
}

// knownSince is how far back the windows of a length are of use.
func (f *Fleet) knownSince(t *track, now time.Time) time.Time {
	return now.Add(-max(f.options.remember(t.length), f.options.catchUp(t.length)))
}

// begin sets the first slot to seal.
func (f *Fleet) begin(ctx context.Context, t *track, now time.Time) error {
	catchUp := f.options.catchUp(t.length)
	bound := min(catchUp, time.Duration(f.options.CatchUpMost)*min(t.length, catchUp))
	oldest := slotEnd(now.Add(-bound), t.length)
	var last time.Time
	for _, s := range t.lanes {
		if s.sealedEnd.After(last) {
			last = s.sealedEnd
		}
	}
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
		f.options.Log.Warn("slots ended too long ago to be sealed", "length", t.length, "slots", int64(skipped), "since", last)
		t.next = oldest
	default:
		t.next = last
	}
	t.begin = t.next.Add(-t.length)
	return nil
}

// firstWindow finds the end of the first window that ended since from; now where
// there is none.
func (f *Fleet) firstWindow(ctx context.Context, t *track, from, now time.Time) (time.Time, error) {
	step := max(f.options.Chunk, now.Sub(from)/24) // a few questions, whatever the chunk
	for ; from.Before(now); from = from.Add(step) {
		parts, err := f.read(ctx, t, from, earlier(from.Add(step), now))
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
	s.sealedEnd = w.End
	if len(w.WindowIDs) > 0 {
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
			if f.wants(d.System, t.length) {
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
