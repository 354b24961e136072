//go:build faultpoints

package faultpoint

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestStepped(t *testing.T) {
	for _, seconds := range []int64{0, 3600, -3600} {
		now := time.Now()
		then := stepped(now, seconds)
		if got, want := then.UnixNano(), now.UnixNano()+seconds*1e9; got != want {
			t.Errorf("by %d seconds: time of day %d, want %d", seconds, got, want)
		}
		if d := then.Sub(now); d != 0 {
			t.Errorf("by %d seconds: the monotonic reading was changed by %v", seconds, d)
		}
	}
}

func TestNowFollowsTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	defer func(old string) { clockFile = old }(clockFile)
	clockFile = file
	for _, text := range []string{"7200\n", "-7200\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := Now().Round(0).Sub(time.Now().Round(0)).Round(time.Minute)
		if want, _ := time.ParseDuration(text[:len(text)-1] + "s"); got != want {
			t.Errorf("%q: the clock is ahead by %v", text, got)
		}
	}
}
