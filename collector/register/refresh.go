package register

import (
	"context"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// Run takes in what other processes append, every Refresh, until ctx ends, and
// then returns nil. While the store is away what is known goes on being shown,
// and the metric evenkeel_register_lag grows.
func (r *Register) Run(ctx context.Context) error {
	tick := time.NewTicker(r.opts.Refresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := r.TakeIn(ctx); err != nil && ctx.Err() == nil {
			r.opts.Log.Warn("what other collectors wrote into the register was not read", "error", err)
		}
	}
}

// TakeIn takes in what other processes have appended by now. It is what Run does
// each time.
func (r *Register) TakeIn(ctx context.Context) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	return r.refresh(ctx)
}

// newest settles what is unsure and takes in what others appended: what a
// decision is based on. Holds writing.
func (r *Register) newest(ctx context.Context) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.refresh(ctx)
}

// recent is newest, but what others appended may be Refresh old: enough to find
// that there is nothing to decide. Holds writing.
func (r *Register) recent(ctx context.Context) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	r.mu.RLock()
	age := time.Since(r.taken)
	r.mu.RUnlock()
	if age < r.opts.Refresh {
		return nil
	}
	return r.refresh(ctx)
}

// recordsAtOnce bounds how many records are named in one question.
const recordsAtOnce = 500

// refresh reads the chains that are longer in the store than here. Where nobody
// else appended that is one count, which the store answers without reading.
// Holds writing.
func (r *Register) refresh(ctx context.Context) error {
	if !r.opts.Shared {
		return nil
	}
	asked := time.Now()
	size, err := r.reader.RegisterSize(ctx)
	if err != nil {
		return err
	}
	if size > r.size { // changed only by who holds writing
		if err := r.readLonger(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = asked
	return nil
}

func (r *Register) readLonger(ctx context.Context) error {
	sizes, err := r.reader.RegisterSizes(ctx)
	if err != nil {
		return err
	}
	var longer []string
	for record, n := range sizes {
		if n > r.held[record] {
			longer = append(longer, record)
		}
	}
	var events []model.RegisterEvent
	for part := range slices.Chunk(longer, recordsAtOnce) {
		found, err := r.reader.RegisterEventsOf(ctx, part)
		if err != nil {
			return err
		}
		events = append(events, found...)
	}
	slices.SortStableFunc(events, func(a, b model.RegisterEvent) int { return a.Time.Compare(b.Time) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.load(events)
	r.wake()
	return nil
}
