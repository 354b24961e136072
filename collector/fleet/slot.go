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

// lane is one model version of one system: what is merged and judged together.
// The empty model stands for a declared system of which nothing is known.
type lane struct {
	System signal.SystemID
	Model  signal.ModelRef
}

// keptSlots is for how many slots a replica is expected after its last window.
const keptSlots = 3

// laneState is what is known about a lane from the windows that were sealed.
type laneState struct {
	sealedEnd time.Time // end of the last sealed slot
	lastData  time.Time // end of the last one with windows in it
	recent    [][]signal.InstanceID
	sequence  map[signal.InstanceID]uint64 // highest one that was sealed
	taken     map[signal.WindowID]time.Time
	reported  map[signal.WindowID]time.Time // counted as late
}

func newLaneState() *laneState {
	return &laneState{
		sequence: map[signal.InstanceID]uint64{},
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
