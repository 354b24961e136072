package window

import (
	"sync"

	"github.com/evenkeel/evenkeel/signal"
)

// account turns the running totals of the tap into the share of one window.
// The versions of a model have one account: losses whose version nobody knows
// go to the window that closes next, and none twice.
type account struct {
	read func() signal.Capture

	mu   sync.Mutex
	last signal.Capture
}

// take gives what was added since the last take, and profiled requests.
func (a *account) take(profiled uint64) signal.Capture {
	c := signal.Capture{Profiled: profiled}
	if a.read == nil {
		return c
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.read()
	c.Seen = since(now.Seen, a.last.Seen)
	c.SampledOut = since(now.SampledOut, a.last.SampledOut)
	c.Dropped = since(now.Dropped, a.last.Dropped)
	c.Undecodable = since(now.Undecodable, a.last.Undecodable)
	c.OverCeiling = since(now.OverCeiling, a.last.OverCeiling)
	c.Unread = since(now.Unread, a.last.Unread)
	a.last = now
	return c
}

// since is now - before for counters that never go back.
func since(now, before uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}
