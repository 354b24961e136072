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
	predicted  map[lane]bool      // of a labelled track: who made predictions in the slot
	received   time.Time          // of a labelled track: labels that came by then count; zero: by the horizon
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

// live says that a lane has rows in the slot, or predictions.
func (s *slot) live(l lane) bool {
	sum := s.sums[l]
	return s.predicted[l] || sum != nil && sum.rows > 0
}

// has says that anything of the slot was read of a lane.
func (s *slot) has(l lane) bool { return s.predicted[l] || s.sums[l] != nil }

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

	// Of labelled windows.
	outcome signal.Digest        // the baseline that the last predictions were counted under
	counted map[time.Time]uint64 // predictions by end of the slots that are still to be looked at for late ones
	closed  map[time.Time]closed // what was recorded last, by end of the slots that late labels may still revise
}

// closed is the newest record of a labelled slot.
type closed struct {
	revision uint32
	digest   uint64 // of the cohort
}

func newLaneState() *laneState {
	return &laneState{
		sequence: map[signal.InstanceID]uint64{},
		seen:     map[signal.InstanceID]time.Time{},
		taken:    map[signal.WindowID]time.Time{},
		reported: map[signal.WindowID]time.Time{},
		counted:  map[time.Time]uint64{},
		closed:   map[time.Time]closed{},
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
