package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// track is one length of one kind of window, and how far it is sealed: windows
// over rows, or labelled ones of the systems whose labels have the same horizon.
type track struct {
	trackKey
	all   bool              // over rows: every system without overrides uses this length
	only  []signal.SystemID // over rows, where not all: the systems that do
	begin time.Time         // start of the first slot that this process or its past knows
	next  time.Time         // end of the next slot to seal
	lanes map[lane]*laneState

	// Of labelled windows: late labels were looked for among those received by
	// looked, and are being looked for among those received by looking.
	looked, looking time.Time
}

// trackKey is what a track is for.
type trackKey struct {
	length   time.Duration
	labelled bool
	horizon  time.Duration // of labelled windows: how long after a slot's end it is sealed; else 0
}

// tracksFor finds every window that some system's rules need: those over rows
// first, each kind by length.
func tracksFor(o Options) []*track {
	byKey := map[trackKey]*track{}
	of := func(key trackKey) *track {
		t := byKey[key]
		if t == nil {
			t = &track{trackKey: key, lanes: map[lane]*laneState{}}
			byKey[key] = t
		}
		return t
	}
	for _, l := range o.Rules.Lengths("") {
		of(trackKey{length: l}).all = true
	}
	for _, system := range o.Rules.Overridden() {
		for _, l := range o.Rules.Lengths(system) {
			t := of(trackKey{length: l})
			t.only = append(t.only, system)
		}
	}
	for _, system := range slices.Concat([]signal.SystemID{""}, o.Rules.Overridden(), o.Systems) {
		for _, l := range o.Rules.Cohorts(system) {
			of(trackKey{length: l, labelled: true, horizon: o.Horizon(system)})
		}
	}
	out := make([]*track, 0, len(byKey))
	for _, t := range byKey {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *track) int {
		kind := func(t *track) int {
			if t.labelled {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(kind(a), kind(b)), cmp.Compare(a.length, b.length), cmp.Compare(a.horizon, b.horizon))
	})
	return out
}

// wants says that the system's rules need the track's windows.
func (f *Fleet) wants(t *track, system signal.SystemID) bool {
	if t.labelled {
		return f.options.Horizon(system) == t.horizon && slices.Contains(f.options.Rules.Cohorts(system), t.length)
	}
	return slices.Contains(f.options.Rules.Lengths(system), t.length)
}

// clock is the track's own time. That of labelled windows runs behind by the
// horizon, so that a slot ends on it when its labels are due.
func (t *track) clock(now time.Time) time.Time { return now.Add(-t.horizon) }

func (t *track) state(l lane) *laneState {
	s := t.lanes[l]
	if s == nil {
		s = newLaneState()
		t.lanes[l] = s
	}
	return s
}

// systems gives what to ask the store for, of a track over rows: the empty
// system means all.
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
		if s.live(other) && state.sealedEnd.Before(s.end) {
			slots++
		}
		if slots >= keptSlots {
			return true
		}
	}
	return false
}
