package faults

import (
	"os"
	"path/filepath"
	"testing"
)

// setClock writes by how many seconds the collector's clock is wrong.
func (s *site) setClock(seconds string) {
	s.t.Helper()
	file := filepath.Join(filepath.Dir(s.config), "clock")
	if err := os.WriteFile(file+".new", []byte(seconds), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil { // it is read all the time
		s.t.Fatal(err)
	}
	s.env = []string{"EVENKEEL_CLOCK=" + file}
}

// TestClockSteps steps the collector's clock by an hour, there and back, while it
// runs and while it is down. At every time of day it must take, store, and know
// again what a sender repeats.
func TestClockSteps(t *testing.T) {
	s := newSite(t)
	s.setClock("0")
	out := startSenders(t, s.http)
	s.start("")
	out.waitFor(t, 60)
	repeat := newRepeater(t, s, out.journal)
	for _, seconds := range []string{"3600", "0", "-3600", "0", "3600", "-3600"} {
		repeat.send(seconds)
		s.setClock(seconds)
		repeat.again()
		out.waitFor(t, 60)
		repeat.send(seconds + "-after")
		repeat.again()
	}
	for _, seconds := range []string{"0", "3600", "-3600", "0"} {
		s.kill()
		s.setClock(seconds)
		s.start("")
		out.waitFor(t, 60)
		repeat.again()
	}
	if s.kills != 4 {
		t.Errorf("the collector was killed %d times", s.kills)
	}
	verify(t, s, out)
}
