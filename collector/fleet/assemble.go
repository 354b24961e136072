package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// window is one agent's window, put together from its distributions.
type window struct {
	id    signal.WindowID
	end   time.Time
	want  int // how many parts it has in all
	parts []*signal.Distribution
}

func (w *window) complete() bool { return len(w.parts) >= w.want }

// rows is how many model rows the window counted. Each input, output and table
// of groups holds them all, as far as they are told, and so does the sketch of
// whole rows; other parts count something else, such as the trigrams of texts.
func (w *window) rows() uint64 {
	var most uint64
	for _, d := range w.parts {
		switch d.Target {
		case signal.TargetFeature, signal.TargetPrediction, signal.TargetRows:
			most = max(most, d.N)
		case signal.TargetGroup:
			var n uint64
			for _, g := range d.Groups {
				n += g.Total
			}
			most = max(most, n)
		}
	}
	return most
}

// assemble puts distributions together into windows, by lane, ordered by
// instance and sequence. A part that came twice is taken once.
func assemble(parts []*signal.Distribution) map[lane][]*window {
	type key struct {
		lane lane
		id   signal.WindowID
	}
	found := map[key]*window{}
	out := map[lane][]*window{}
	for _, d := range parts {
		k := key{lane{d.System, d.Model}, d.Window}
		w := found[k]
		if w == nil {
			w = &window{id: d.Window, end: d.End, want: d.Parts}
			found[k] = w
			out[k.lane] = append(out[k.lane], w)
		}
		if !slices.ContainsFunc(w.parts, func(o *signal.Distribution) bool { return o.Target == d.Target && o.Feature == d.Feature }) {
			w.parts = append(w.parts, d)
		}
	}
	for _, windows := range out {
		slices.SortFunc(windows, func(a, b *window) int {
			return cmp.Or(cmp.Compare(a.id.Instance, b.id.Instance), cmp.Compare(a.id.Sequence, b.id.Sequence))
		})
	}
	return out
}

// settled says that nothing more is to be waited for in a slot: every replica
// that is expected has a window at the slot's end or beyond, no window lacks a
// part, and no sequence has a hole. Where the windows are not the whole slot but
// its last chunk, a hole before them is too old to be waited for. Of a lane that
// is new nobody knows who belongs to it, so it is never settled.
func (s *laneState) settled(windows []*window, end time.Time, whole bool) bool {
	reached := map[signal.InstanceID]bool{}
	last := map[signal.InstanceID]uint64{}
	if whole {
		for i, n := range s.sequence {
			last[i] = n
		}
	}
	for _, w := range windows {
		i := w.id.Instance
		before, known := last[i]
		if !w.complete() || known && w.id.Sequence > before+1 {
			return false
		}
		last[i] = max(before, w.id.Sequence)
		reached[i] = reached[i] || !w.end.Before(end)
	}
	expected := s.expected()
	for i := range reached {
		expected[i] = true
	}
	for i := range expected {
		if !reached[i] {
			return false
		}
	}
	return len(s.recent) > 0 && len(reached) > 0
}
