package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestKilledAtEveryFaultPoint kills the collector where it hurts most, twice
// at each place: early, and once data flows.
func TestKilledAtEveryFaultPoint(t *testing.T) {
	for _, point := range []string{"ingest.synced", "drain.cut", "store.before_insert", "store.after_insert", "drain.inserted"} {
		t.Run(point, func(t *testing.T) {
			s := newSite(t)
			out := startSenders(t, s.http)
			for _, fault := range []string{point, point + ":5"} {
				s.start(fault)
				if status := s.gone(); status.Signal() != syscall.SIGKILL {
					t.Fatalf("the collector ended with %v, not at its fault point", status)
				}
			}
			s.start("")
			out.waitFor(t, 60)
			verify(t, s, out)
		})
	}
}

// TestKilledWhileMigrating kills the first migration at every step in turn, the
// next start going on where the last one was stopped.
func TestKilledWhileMigrating(t *testing.T) {
	s := newSite(t)
	out := startSenders(t, s.http)
	steps := 0
	for ; ; steps++ {
		s.start(fmt.Sprintf("migrate.step:%d", steps+1))
		if !s.diesBefore(func() bool { return out.journal.count() > 0 }) {
			break // fewer steps than that are left: it came up
		}
	}
	if steps == 0 {
		t.Error("the migration was never interrupted: the test shows nothing")
	}
	t.Logf("%d interruptions", steps)
	out.waitFor(t, 60)
	verify(t, s, out)
}

// diesBefore waits for the end of the process or the condition.
func (s *site) diesBefore(condition func() bool) bool {
	s.t.Helper()
	until := time.Now().Add(deadline)
	for time.Now().Before(until) {
		select {
		case <-s.process.done:
			if status := s.gone(); status.Signal() != syscall.SIGKILL {
				s.t.Fatalf("the collector ended with %v, not at its fault point", status)
			}
			return true
		case <-time.After(5 * time.Millisecond):
		}
		if condition() {
			return false
		}
	}
	s.t.Fatal("the collector neither came up nor died")
	return false
}

// randomKills is how many kills TestKilledAtRandom does; EVENKEEL_KILLS
// overrides it.
const randomKills = 5

// TestKilledAtRandom kills the collector, its engine, or both, at any moment.
func TestKilledAtRandom(t *testing.T) {
	kills := randomKills
	if v := os.Getenv("EVENKEEL_KILLS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("EVENKEEL_KILLS: %v", err)
		}
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newSite(t)
	out := startSenders(t, s.http)
	s.start("")
	out.waitFor(t, 1)
	for range kills {
		<-time.After(time.Duration(random.IntN(1500)) * time.Millisecond) // the random moment
		s.revive()
		what := random.IntN(3)
		if what > 0 && !s.killEngine() {
			t.Log("no engine was running") // it had just been killed
		}
		if what < 2 {
			s.kill()
			s.start("")
			if random.IntN(2) == 0 {
				out.waitForReviving(t, s, 1)
			}
		}
	}
	out.waitForReviving(t, s, 60)
	verify(t, s, out)
}
