//go:build faultpoints

package faultpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var (
	name, after = parse(os.Getenv("EVENKEEL_FAULT"))
	hits        atomic.Int64
)

func parse(s string) (string, int64) {
	n, count, found := strings.Cut(s, ":")
	if !found {
		return n, 1
	}
	v, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		panic("EVENKEEL_FAULT: " + err.Error())
	}
	return n, v
}

// Hit kills the process if this is the place and the time that was asked for.
func Hit(point string) {
	if point == name && hits.Add(1) == after {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
