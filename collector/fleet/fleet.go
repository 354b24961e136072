package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Fleet seals windows. Step and Run are for one goroutine; Wake is for any.
type Fleet struct {
	options   Options
	metrics   metrics
	wake      chan struct{}
	tracks    []*track // over rows first; of each kind the shortest length
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
	rows, err := f.sealDue(ctx, false)
	if mayPass(ctx, err) {
		return err
	}
	labelled, failed := f.sealDue(ctx, true)
	f.metrics.waiting.Set(float64(rows + labelled))
	if err = errors.Join(err, failed); mayPass(ctx, failed) {
		return err
	}
	return errors.Join(err, f.revise(ctx))
}

// mayPass says that an error is of the store or of ctx, not of one window: the
// others would fail as well. One that is of a window costs no other its turn.
func mayPass(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errs.Retryable(err))
}

// sealDue seals the slots of one kind of windows that are due, and says how many
// tracks have one that waits.
func (f *Fleet) sealDue(ctx context.Context, labelled bool) (waiting int, err error) {
	for _, t := range f.tracks {
		if t.labelled != labelled {
			continue
		}
		waits, failed := f.sealTrack(ctx, t)
		if err = errors.Join(err, failed); mayPass(ctx, failed) {
			return waiting, err
		}
		if waits {
			waiting++
		}
	}
	return waiting, err
}

// sealTrack seals the slots of one track that are due, and says whether one waits.
func (f *Fleet) sealTrack(ctx context.Context, t *track) (waits bool, err error) {
	for now := f.options.Now(); !t.clock(now).Before(t.next); t.next = t.next.Add(t.length) {
		done, err := f.sealSlot(ctx, t, now)
		if err != nil || !done {
			return true, err
		}
		if err := f.countLate(ctx, t); err != nil {
			return true, err
		}
	}
	return false, nil
}
