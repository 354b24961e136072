//go:build faultpoints

package faultpoint

import (
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// clockFile names the file in which the seconds stand by which the clock is
// wrong. It is read at every look at the clock, so that writing it steps the
// clock of a process that runs.
var clockFile = os.Getenv("EVENKEEL_CLOCK")

// Now is time.Now on a machine whose clock was set otherwise. As on a real
// one, only the time of day is stepped: differences between two times of one
// process, which Go takes from the monotonic reading, stay right.
func Now() time.Time {
	now := time.Now()
	if clockFile == "" {
		return now
	}
	raw, err := os.ReadFile(clockFile)
	if err != nil {
		panic("EVENKEEL_CLOCK: " + err.Error())
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		panic("EVENKEEL_CLOCK: " + err.Error())
	}
	return stepped(now, seconds)
}

// stepped changes the time of day and leaves the monotonic reading, which the
// time package has no function for. The first word of a time with such a reading is a flag,
// 33 bits of seconds and 30 of nanoseconds; TestStepped looks whether it is so.
func stepped(t time.Time, seconds int64) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) += uint64(seconds) << 30
	return t
}
