package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cenkalti/backoff/v5"
	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// errOvertaken says that another process appended at the same place first. What
// it appended has been taken in; the decision is to be made again.
var errOvertaken = errors.New("another collector was faster, and what it wrote holds")

// append stores one event and folds it in. The outcome of an earlier event
// must be clear: callers settle first. Holds writing.
func (r *Register) append(ctx context.Context, ev model.RegisterEvent) error {
	r.unsure = &ev
	return r.settle(ctx)
}

// settle writes the event whose outcome is not known, if there is one. The
// same rows go under the same batch number, so it is stored once however often
// it is tried. Holds writing.
func (r *Register) settle(ctx context.Context) error {
	if r.unsure == nil {
		return nil
	}
	ev := *r.unsure
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := r.write(ctx, &ev)
		if err != nil && (!errs.Retryable(err) || errors.Is(err, errOvertaken)) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(r.opts.Patience))
	if err != nil {
		var permanent *backoff.PermanentError
		if errors.As(err, &permanent) {
			err = permanent.Unwrap()
		}
		if kind := errs.KindOf(err); kind == errs.Corrupt || kind == errs.Invalid || errors.Is(err, errOvertaken) {
			r.unsure = nil // trying again is forbidden or pointless
		}
		return fmt.Errorf("store %s event %d of record %s: %w", ev.Type, ev.Seq, ev.Record, err)
	}
	r.unsure = nil
	r.mu.Lock()
	defer r.mu.Unlock()
	r.metrics.events.WithLabelValues(ev.Type).Inc()
	if err := r.fold(ev); err != nil {
		return err
	}
	if aboutRecord(ev.Type) {
		r.wake()
	}
	return nil
}

// write stores an event and, where others write too, reads back whose event now
// stands in its place: the store keeps the first that comes under a batch number
// and passes over all that come after it.
func (r *Register) write(ctx context.Context, ev *model.RegisterEvent) error {
	rows := &model.Rows{Events: []model.RegisterEvent{*ev}}
	if err := r.writer.Write(ctx, batchOf(ev), rows, model.InDoubt); err != nil || !r.opts.Shared {
		return err
	}
	stored, err := r.reader.RegisterEventsOf(ctx, []string{ev.Record})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(stored, func(s model.RegisterEvent) bool { return s.Seq == ev.Seq && s.Hash == ev.Hash }) {
		return nil
	}
	if err := r.refresh(ctx); err != nil {
		return err
	}
	return errs.Of(errs.Unavailable, errOvertaken)
}

// wake tells who follows the journal that it has grown. Holds mu.
func (r *Register) wake() {
	close(r.grown)
	r.grown = make(chan struct{})
}

// batchOf numbers the write of one event by the place that it takes: of an
// opening the record's reference, of all others their place in the chain. Of two
// events for the same place the store keeps one.
func batchOf(ev *model.RegisterEvent) model.Batch {
	place := fmt.Sprintf("register/%s/%d", ev.Record, ev.Seq)
	var opened struct {
		Ref string `json:"ref"`
	}
	if ev.Type == EventOpened && json.Unmarshal(ev.Data, &opened) == nil && opened.Ref != "" {
		place = "register/ref/" + opened.Ref
	}
	return model.DerivedBatch(xxhash.Sum64String(place))
}
