package cpu

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Meter adds up the processor time of work. The zero value is ready; it is safe
// for concurrent use.
type Meter struct {
	used atomic.Int64 // nanoseconds
}

// Mark is where the thread's time stood.
type Mark struct{ at time.Duration }

// Begin marks the beginning of work, which must not leave the goroutine; End
// counts it. Between them the goroutine has its thread for itself.
func (m *Meter) Begin() Mark {
	runtime.LockOSThread()
	return Mark{threadCPU()}
}

// End counts what was used since a mark.
func (m *Meter) End(from Mark) {
	m.used.Add(int64(max(0, threadCPU()-from.at)))
	runtime.UnlockOSThread()
}

// Used gives all that was counted.
func (m *Meter) Used() time.Duration { return time.Duration(m.used.Load()) }
