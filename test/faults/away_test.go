package faults

import (
	"math/rand/v2"
	"testing"
	"time"
)

// awayTurns is how often the server goes away in TestServerAwayAndBack; with
// EVENKEEL_KILLS it is a quarter of that.
const awayTurns = 4

// TestServerAwayAndBack takes the ClickHouse server away in every way that a
// network knows, and kills the collector meanwhile now and then. What is
// acknowledged meanwhile waits, and is there once in the end.
func TestServerAwayAndBack(t *testing.T) {
	random := seeded(t)
	server := startServer(t)
	s := newSiteAt(t, server)
	out := startSenders(t, s.http)
	s.start("")
	out.waitFor(t, 60)
	turns := max(awayTurns, killsAsked(t)/4)
	for turn := range turns {
		m := []mood{closed, silent, deaf, open}[turn%4]
		server.be(m)
		out.waitFor(t, 60) // senders are not told, whatever the store does
		<-time.After(time.Duration(random.IntN(1000)) * time.Millisecond)
		if random.IntN(2) == 0 {
			s.kill()
			server.be(open) // a collector starts only where its store is
			s.start("")
			s.untilUp()
			server.be(m)
		}
	}
	server.be(open)
	out.waitFor(t, 60)
	t.Logf("the server was away %d times", turns)
	verify(t, s, out)
}

// seeded gives a source of chance and tells its seed.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
