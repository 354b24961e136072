package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// sampler chooses the requests of a model that are profiled, and those whose
// predictions are told. The choice follows from the request's id where it has
// one, so that every replica makes the same one, a request that is repeated is
// chosen again or left out again, and what is chosen at a rate is chosen at every
// higher one. Requests without an id are chosen at random.
type sampler struct {
	rate float64 // share of the requests that are profiled, in (0, 1]
	told float64 // share whose predictions are told, in [0, 1]

	out  atomic.Uint64 // read and left out, since a lower share is wanted
	over atomic.Uint64 // captured and left out unread, to stay below the ceiling

	// Of the one consumer: the ceiling's share at which the open windows count, and
	// when an exchange that was chosen at it came last.
	share     float64
	shareSeen time.Time
}

// newSampler makes one for a model; told is 0 where no single rows are told.
func newSampler(rate, told float64) *sampler {
	return &sampler{rate: rate, told: told, share: 1}
}

// widest is the share of the requests that anything is done with.
func (s *sampler) widest() float64 { return max(s.rate, s.told) }

// raiseAfter is how long no exchange may have come that was chosen at the share
// of the open windows, before they go on at a higher one: requests that began
// before the share rose are under way.
const raiseAfter = 2 * time.Second

// settle finds the share at which the windows count an exchange that was chosen at
// another one, and says whether that is a change. It is never above the
// exchange's: one that was chosen at more can be chosen again, one that was chosen
// at less has left out others.
func (s *sampler) settle(chosen float64, now time.Time) (changed bool) {
	switch {
	case chosen == s.share:
		s.shareSeen = now
	case chosen < s.share || now.Sub(s.shareSeen) >= raiseAfter:
		s.share, s.shareSeen = chosen, now
		return true
	}
	return false
}

// takeOver goes on with another sampler's counts: they never go back.
func (s *sampler) takeOver(o *sampler) {
	s.out.Store(o.out.Load())
	s.over.Store(o.over.Load())
}

// keep says whether a request that was admitted is profiled, and whether its
// predictions are told. It counts those that are not profiled. id is that of the
// observation; empty: it has none.
func (s *sampler) keep(c *tap.Choice, id string) (profile, tell bool) {
	profile, tell = s.chosen(c, id, s.rate), s.chosen(c, id, s.told)
	if !profile {
		s.out.Add(1)
	}
	return profile, tell
}

func (s *sampler) chosen(c *tap.Choice, id string, rate float64) bool {
	if rate >= 1 {
		return true
	}
	if c.ByID || id == "" { // one number for the ceiling and for the rate
		return below(c.Draw, rate*s.share)
	}
	return below(numberOf(id), rate)
}

// within says whether a request is read at a share of the ceiling; rate is that
// of its model. A request whose name may be in its body is chosen by that later.
func within(c *tap.Choice, rate, share float64) bool {
	if c.ByID {
		return below(c.Draw, rate*share)
	}
	return below(c.Draw, share)
}

// below says whether a number is in the lowest share of all there are.
func below(n uint64, share float64) bool {
	return share >= 1 || n < uint64(share*0x1p64)
}

// numberOf gives an id's number, the same everywhere.
func numberOf(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:8])
}
