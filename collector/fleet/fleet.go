package fleet

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Fleet seals windows. Step and Run are for one goroutine; Wake is for any.
type Fleet struct {
	options   Options
	metrics   metrics
	wake      chan struct{}
	tracks    []*track // shortest length first
	baselines map[signal.Digest]*reference
	evidence  map[laneLength]*evidence

	restored bool
	patience time.Time // until then agents may still deliver what an outage held back
}

// New checks the options; it reads and starts nothing.
func New(o Options) (*Fleet, error) {
	if o.Store == nil || o.Rules == nil {
		return nil, errs.E("set up fleet", errs.Invalid, errors.New("no store or no rules"), "")
	}
	o = o.withDefaults()
	return &Fleet{
		options: o, metrics: newMetrics(o.Metrics), wake: make(chan struct{}, 1),
		tracks: tracksFor(o), baselines: map[signal.Digest]*reference{},
		evidence: map[laneLength]*evidence{},
	}, nil
}

// tracksFor finds every window length that some system's rules need.
func tracksFor(o Options) []*track {
	byLength := map[time.Duration]*track{}
	of := func(length time.Duration) *track {
		t := byLength[length]
		if t == nil {
			t = &track{length: length, lanes: map[lane]*laneState{}}
			byLength[length] = t
		}
		return t
	}
	for _, l := range o.Rules.Lengths("") {
		of(l).all = true
	}
	for _, system := range o.Rules.Overridden() {
		for _, l := range o.Rules.Lengths(system) {
			t := of(l)
			t.only = append(t.only, system)
		}
	}
	out := make([]*track, 0, len(byLength))
	for _, t := range byLength {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *track) int { return cmp.Compare(a.length, b.length) })
	return out
}

// wants says that the system's rules need windows of this length.
func (f *Fleet) wants(system signal.SystemID, length time.Duration) bool {
	return slices.Contains(f.options.Rules.Lengths(system), length)
}

// Wake says that something was stored. It never blocks.
func (f *Fleet) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run seals until ctx ends, and then returns nil. Faults of the store are
// logged and tried again.
func (f *Fleet) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-f.wake:
		}
		if err := f.Step(ctx); err != nil && ctx.Err() == nil {
			f.options.Log.Warn("windows could not be sealed, trying again", "error", err)
		}
		timer.Reset(f.options.Poll)
	}
}

// Step seals everything that is due now. It is what Run does each time.
func (f *Fleet) Step(ctx context.Context) error {
	if err := f.restore(ctx); err != nil {
		return err
	}
	waiting := 0
	for _, t := range f.tracks {
		for now := f.options.Now(); !now.Before(t.next); t.next = t.next.Add(t.length) {
			done, err := f.sealSlot(ctx, t, now)
			if err != nil {
				return err
			}
			if !done {
				waiting++
				break
			}
			if err := f.countLate(ctx, t); err != nil {
				return err
			}
		}
	}
	f.metrics.waiting.Set(float64(waiting))
	return nil
}
