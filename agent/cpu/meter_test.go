package cpu

import (
	"runtime"
	"testing"
	"time"
)

// A meter counts what its own thread does, and nothing that others do meanwhile
// where threads have clocks of their own.
func TestAMeterCountsWork(t *testing.T) {
	var m Meter
	mark := m.Begin()
	sum := 0
	for threadCPU()-mark.at < 2*time.Millisecond {
		sum++
	}
	m.End(mark)
	runtime.KeepAlive(sum)
	if first := m.Used(); first < 2*time.Millisecond {
		t.Errorf("%s used", first)
	}
	before := m.Used()
	m.End(m.Begin())
	if m.Used() < before {
		t.Errorf("%s after %s: it goes back", m.Used(), before)
	}
}
