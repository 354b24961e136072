//go:build !linux

package cpu

import "time"

var threadStart = time.Now()

// threadCPU stands in with the time that passes where threads have no clock of
// their own: what the work waits for counts as well.
func threadCPU() time.Duration { return time.Since(threadStart) }
