package faults

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// faultPoints are the places between fsync, reply, insert and commit.
var faultPoints = []string{"ingest.synced", "drain.cut", "store.before_insert", "store.after_insert", "drain.inserted"}

// TestKilledAtEveryFaultPoint kills the collector where it hurts most, twice
// at each place: early, and once data flows.
func TestKilledAtEveryFaultPoint(t *testing.T) {
	for _, point := range faultPoints {
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

// killsAsked is what EVENKEEL_KILLS says; 0: nothing.
func killsAsked(t *testing.T) int {
	t.Helper()
	v := os.Getenv("EVENKEEL_KILLS")
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("EVENKEEL_KILLS: %v", err)
	}
	return n
}

// randomKills is how many kills TestKilledAtRandom does; EVENKEEL_KILLS
// overrides it.
const randomKills = 5

// TestKilledAtRandom kills the collector, its engine, or both, at any moment, and
// some of the collectors that follow at a fault point.
func TestKilledAtRandom(t *testing.T) {
	kills := max(randomKills, killsAsked(t))
	random := seeded(t)
	s := newSite(t)
	out := startSenders(t, s.http)
	s.start("")
	out.waitFor(t, 1)
	for s.kills < kills {
		<-time.After(time.Duration(random.IntN(1500)) * time.Millisecond) // the random moment
		s.revive()
		what := random.IntN(3)
		if what > 0 && !s.killEngine() {
			t.Log("no engine was running") // it had just been killed
		}
		if what > 1 {
			continue
		}
		s.kill()
		fault := ""
		if random.IntN(3) == 0 { // and once more, at a place between two steps
			fault = fmt.Sprintf("%s:%d", faultPoints[random.IntN(len(faultPoints))], 1+random.IntN(20))
		}
		s.start(fault)
		if random.IntN(2) == 0 {
			out.waitForReviving(t, s, 1)
		}
	}
	s.kill()
	s.start("") // without a fault
	out.waitForReviving(t, s, 60)
	verify(t, s, out)
}
