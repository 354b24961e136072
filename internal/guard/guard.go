// Package guard keeps a panic in one part of a program from ending all of it:
// it is recovered, counted, and logged once for each part.
package guard

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"time"
)

// Guard recovers panics and counts them by part. It is safe for concurrent use.
type Guard struct {
	log *slog.Logger

	mu     sync.Mutex
	counts map[string]uint64
}

// again is how long Keep waits after a panic: what panics for good must not
// take a processor.
const again = time.Second

// New makes a Guard.
func New(log *slog.Logger) *Guard { return &Guard{log: log, counts: map[string]uint64{}} }

// Expect puts parts into the counts with 0, so that the first panic of one is
// seen as a change.
func (g *Guard) Expect(parts ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range parts {
		g.counts[p] += 0
	}
}

// Run calls f; false where it panicked.
func (g *Guard) Run(part string, f func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			ok = false
			g.note(part, p)
		}
	}()
	f()
	return true
}

// Try calls f and makes an error of a panic.
func (g *Guard) Try(part string, f func() error) (err error) {
	if !g.Run(part, func() { err = f() }) {
		return fmt.Errorf("%s: panicked", part)
	}
	return err
}

// Keep calls f until it returns by itself, or ctx is done. After a panic it
// waits a second.
func (g *Guard) Keep(ctx context.Context, part string, f func(context.Context)) {
	for !g.Run(part, func() { f(ctx) }) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// note counts a panic. It is called while the stack still is that of the panic.
func (g *Guard) note(part string, p any) {
	g.mu.Lock()
	g.counts[part]++
	first := g.counts[part] == 1
	g.mu.Unlock()
	if first {
		g.log.Error("a part of the program panicked and goes on; further panics of it are only counted",
			"part", part, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}

// Counts gives a copy of the counts of recovered panics, by part.
func (g *Guard) Counts() map[string]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.counts)
}
