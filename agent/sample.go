package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync/atomic"
)

// sampler chooses the requests of a model that are profiled. The choice follows
// from the request's id alone, so that every replica makes the same one, and a
// request that is repeated is chosen again or left out again. Requests without
// an id are chosen by turns, evenly.
type sampler struct {
	rate  float64 // in (0, 1]
	bound uint64  // hashes below it are chosen

	nameless uint64        // requests without an id so far; of the one consumer
	out      atomic.Uint64 // requests that were left out
}

func newSampler(rate float64) *sampler {
	s := &sampler{rate: rate, bound: math.MaxUint64}
	if rate < 1 {
		s.bound = uint64(rate * 0x1p64)
	}
	return s
}

// keep says whether a request is profiled, and counts it where it is not. One
// goroutine may call it.
func (s *sampler) keep(id string) bool {
	if s.rate >= 1 || s.chosen(id) {
		return true
	}
	s.out.Add(1)
	return false
}

func (s *sampler) chosen(id string) bool {
	if id != "" {
		sum := sha256.Sum256([]byte(id))
		return binary.BigEndian.Uint64(sum[:8]) < s.bound
	}
	before := math.Floor(float64(s.nameless) * s.rate)
	s.nameless++
	return math.Floor(float64(s.nameless)*s.rate) > before
}
