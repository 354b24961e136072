package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// errBusy is the cause where requests under way hold all the bytes they may.
var errBusy = errors.New("too many bytes of requests are under way")

// inflight bounds the bytes of requests that are being read, decoded or
// written. A request reserves before it is read: its size where that is known,
// else the most it may have, and gives back what it did not need.
type inflight struct {
	bytes *semaphore.Weighted
	max   int64
	wait  time.Duration // how long a request waits for room
}

func newInflight(maximum int64, wait time.Duration) *inflight {
	maximum = max(1, maximum)
	return &inflight{bytes: semaphore.NewWeighted(maximum), max: maximum, wait: wait}
}

// hold is what one request has reserved; leave gives it back.
type hold struct {
	of *inflight
	n  int64
}

// enter reserves n bytes. Without room for so long as a request may wait it is
// errs.Exhausted, with errBusy as the cause.
func (f *inflight) enter(ctx context.Context, n int64) (*hold, error) {
	n = min(max(n, 1), f.max) // else a single large request would wait for ever
	if f.bytes.TryAcquire(n) {
		return &hold{f, n}, nil
	}
	limited, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	if err := f.bytes.Acquire(limited, n); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errs.E("take a request", errs.Exhausted, fmt.Errorf("%w: %d of them", errBusy, f.max), "")
	}
	return &hold{f, n}, nil
}

// shrink gives back all but n bytes.
func (h *hold) shrink(n int64) {
	if n = max(n, 1); n < h.n {
		h.of.bytes.Release(h.n - n)
		h.n = n
	}
}

func (h *hold) leave() { h.of.bytes.Release(h.n) }
