package fleet

import (
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// slotEnd gives the end of the slot that an instant belongs to: the least
// multiple of length since the Unix epoch that is not before t.
func slotEnd(t time.Time, length time.Duration) time.Time {
	n, l := t.UnixNano(), int64(length)
	rest := n % l
	if rest < 0 {
		rest += l
	}
	if rest == 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Unix(0, n-rest+l).UTC()
}

// slot is what was read about one slot that has ended.
type slot struct {
	start, end time.Time
	tailFrom   time.Time          // the last chunk begins here; the slot's start where it is short
	sums       map[lane]*merged   // of what ended in the slot, as far as it was read
	seen       map[lane][]*window // what ended in the last chunk, and what came after the slot's end
}

// inChunks says that the slot is longer than what is read at once.
func (s *slot) inChunks() bool { return s.tailFrom.After(s.start) }

// add takes windows of the slot in.
func (s *slot) add(l lane, windows []*window) {
	if len(windows) == 0 {
		return
	}
	if s.sums[l] == nil {
		s.sums[l] = newMerged()
	}
	s.sums[l].add(windows)
}

// rows is how many rows of a lane were read.
func (s *slot) rows(l lane) uint64 {
	if sum := s.sums[l]; sum != nil {
		return sum.rows
	}
	return 0
}

// lane is one model version of one system: what is merged and judged together.
// The empty model stands for a declared system of which nothing is known.
type lane struct {
	System signal.SystemID
	Model  signal.ModelRef
}

// keptSlots is for how many slots a replica is expected after its last window,
// and in how many a newer version must have rows until a silent one of the same
// model counts as replaced.
const keptSlots = 3

// laneState is what is known about a lane from the windows that were sealed.
type laneState struct {
	sealedEnd time.Time   // end of the last sealed slot
	lastData  time.Time   // end of the last one with windows in it
	live      []time.Time // ends of the last keptSlots ones with rows, oldest first
	recent    [][]signal.InstanceID
	sequence  map[signal.InstanceID]uint64    // highest one that was sealed
	seen      map[signal.InstanceID]time.Time // end of the slot it was sealed in
	taken     map[signal.WindowID]time.Time
	reported  map[signal.WindowID]time.Time // counted as late
}

func newLaneState() *laneState {
	return &laneState{
		sequence: map[signal.InstanceID]uint64{},
		seen:     map[signal.InstanceID]time.Time{},
		taken:    map[signal.WindowID]time.Time{},
		reported: map[signal.WindowID]time.Time{},
	}
}

// expected gives the replicas of the last slots.
func (s *laneState) expected() map[signal.InstanceID]bool {
	out := map[signal.InstanceID]bool{}
	for _, instances := range s.recent {
		for _, i := range instances {
			out[i] = true
		}
	}
	return out
}

// forget drops window ids of slots that ended before t.
func (s *laneState) forget(t time.Time) {
	for _, ids := range []map[signal.WindowID]time.Time{s.taken, s.reported} {
		for id, end := range ids {
			if end.Before(t) {
				delete(ids, id)
			}
		}
	}
}

// forgetReplicas drops the sequences of replicas whose last slot ended before
// t; one that comes back after that long begins without a gap.
func (s *laneState) forgetReplicas(t time.Time) {
	for i, end := range s.seen {
		if end.Before(t) {
			delete(s.seen, i)
			delete(s.sequence, i)
		}
	}
}

// lastRows is the end of the last sealed slot with rows; zero where none had.
func (s *laneState) lastRows() time.Time {
	if len(s.live) == 0 {
		return time.Time{}
	}
	return s.live[len(s.live)-1]
}

// liveSince counts the last slots with rows that ended after t.
func (s *laneState) liveSince(t time.Time) int {
	n := 0
	for _, end := range s.live {
		if end.After(t) {
			n++
		}
	}
	return n
}

// track is one window length and how far it is sealed.
type track struct {
	length time.Duration
	all    bool              // every system without overrides uses this length
	only   []signal.SystemID // where not all: the systems that do
	begin  time.Time         // start of the first slot that this process or its past knows
	next   time.Time         // end of the next slot to seal
	lanes  map[lane]*laneState
}

func (t *track) state(l lane) *laneState {
	s := t.lanes[l]
	if s == nil {
		s = newLaneState()
		t.lanes[l] = s
	}
	return s
}

// systems gives what to ask the store for: the empty system means all.
func (t *track) systems() []signal.SystemID {
	if t.all {
		return []signal.SystemID{""}
	}
	return t.only
}

// replaced says that a lane is silent because its model has another version
// now: one that has had rows in keptSlots slots since the lane last had some,
// the slot at hand included.
func (t *track) replaced(l lane, s *slot) bool {
	own := t.lanes[l]
	if l.Model.Name == "" || own == nil {
		return false
	}
	for other, state := range t.lanes {
		if other == l || other.System != l.System || other.Model.Name != l.Model.Name {
			continue
		}
		slots := state.liveSince(own.lastRows())
		if s.rows(other) > 0 && state.sealedEnd.Before(s.end) {
			slots++
		}
		if slots >= keptSlots {
			return true
		}
	}
	return false
}
