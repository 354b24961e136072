package api

import (
	"testing"
	"time"
)

// FuzzTimes holds that whatever arrives is refused or gives a time that can be
// sent on: it survives milliseconds, the resolution of the store.
func FuzzTimes(f *testing.F) {
	for _, s := range []string{"", "1435781451.781", "2015-07-01T20:10:51.781Z", "NaN", "-Inf", "1e300", "-62135596800", "yesterday", "0x1p-2"} {
		f.Add(s)
	}
	absent := time.Unix(7, 0).UTC()
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseTime(s, absent)
		if err != nil && !at.Equal(absent) {
			t.Errorf("%q: refused with %v, but gave %s", s, err, at)
		}
		if got := time.UnixMilli(at.UnixMilli()).UTC(); err == nil && s != "" && at.Sub(got).Abs() >= time.Millisecond {
			t.Errorf("%q: %s is %s in milliseconds", s, at, got)
		}
	})
}

// FuzzSteps holds that a step has the sign that was written.
func FuzzSteps(f *testing.F) {
	for _, s := range []string{"", "15", "0.5", "1m", "1d2h", "-1", "NaN", "1e18", "9223372036.9", "1y1y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		step, err := parseStep(s, 0)
		if err == nil && step < 0 && s[0] != '-' {
			t.Errorf("%q: %s", s, step)
		}
	})
}
