package cpu

import (
	"syscall"
	"time"
)

// rusageThread asks for the calling thread alone.
const rusageThread = 1

// threadCPU is the CPU time of the calling thread, in user and kernel.
func threadCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(rusageThread, &u) != nil {
		return 0 // a constant argument is wrong: it never is
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
