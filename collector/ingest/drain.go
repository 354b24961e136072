package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
)

// DrainOptions say how the spool is emptied. The size of a batch stands in
// spool.Options.
type DrainOptions struct {
	Every       time.Duration // how often to look for records
	Parallel    int           // batches that are decoded and stored at the same time, where so many wait
	RetryFirst  time.Duration // first pause after a failed try
	RetryMax    time.Duration // longest pause
	StopTimeout time.Duration // for what still waits when Run's context ends; 0: none

	// Number gives the number of a batch by its first record; nil: model.SpoolBatch,
	// for a spool that alone writes to its store.
	Number func(first uint64) model.Batch

	// Stored is called after a batch is in the store, one call at a time, in no
	// certain order: it must not block. It may read the rows and keep nothing. May
	// be nil.
	Stored func(batch model.Batch, rows *model.Rows)

	Log *slog.Logger
}

// DefaultDrainOptions gives what the documentation names.
func DefaultDrainOptions() DrainOptions {
	return DrainOptions{
		Every:       200 * time.Millisecond,
		Parallel:    2,
		RetryFirst:  100 * time.Millisecond,
		RetryMax:    10 * time.Second,
		StopTimeout: 5 * time.Second,
		Log:         slog.New(slog.DiscardHandler),
	}
}

// Drain brings batches from the spool to the store. They are cut in order, and
// up to Parallel of them are under way, so that what has piled up while the store
// was away goes faster than one answer after the other. No more than these are in
// memory; while the store is away the spool grows to its bound and then refuses.
type Drain struct {
	o      DrainOptions
	spool  *spool.Spool
	store  model.Writer
	health *Health

	mu      sync.Mutex
	pending []*spool.Batch // cut, and neither confirmed nor put aside when a context ended

	decoders []*Decoder       // that no batch uses; guarded by mu
	samples  [][]model.Sample // room for those of the next batches; guarded by mu

	telling sync.Mutex // held while Stored is called
}

// NewDrain gives a drain; Run starts it, once.
func NewDrain(o DrainOptions, sp *spool.Spool, store model.Writer, health *Health) *Drain {
	if o.Number == nil {
		o.Number = model.SpoolBatch
	}
	return &Drain{o: o, spool: sp, store: store, health: health}
}

// Run works until ctx ends, then goes on for StopTimeout at most with what
// still waits. It returns nil then: what is left waits on disk for the next
// start. A broken spool is an error.
func (d *Drain) Run(ctx context.Context) error {
	tick := time.NewTicker(d.o.Every)
	defer tick.Stop()
	if err := d.empty(ctx, tick.C); err != nil && ctx.Err() == nil {
		return err
	}
	if d.o.StopTimeout <= 0 {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.o.StopTimeout)
	defer cancel()
	if err := d.empty(last, nil); err != nil {
		d.o.Log.Warn("stopping while records wait in the spool; the next start stores them",
			"records", d.spool.Stats().Records, "error", err)
	}
	return nil
}

// empty stores batch after batch. When all is cut that waits it looks again at
// the next tick: what comes in between makes one batch and not many small ones.
// Without ticks it ends when nothing waits. An error means that ctx ended or that
// the spool is broken.
func (d *Drain) empty(ctx context.Context, tick <-chan time.Time) error {
	group, under := errgroup.WithContext(ctx)
	free := make(chan struct{}, max(1, d.o.Parallel)) // a batch is cut when it can be stored at once
	for {
		select {
		case free <- struct{}{}:
		case <-under.Done():
			return errors.Join(group.Wait(), ctx.Err())
		}
		b, err := d.next(under)
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		if b == nil && tick == nil {
			return errors.Join(group.Wait(), ctx.Err())
		}
		if b != nil {
			group.Go(func() error {
				defer func() { <-free }()
				return d.finish(under, b)
			})
		} else {
			<-free
		}
		if b != nil && b.More || tick == nil {
			continue
		}
		select {
		case <-tick:
		case <-under.Done():
		}
	}
}

// finish delivers a batch, or keeps it for the next time if ctx ends first.
func (d *Drain) finish(ctx context.Context, b *spool.Batch) error {
	err := d.deliver(ctx, b)
	if err != nil {
		b.Again = true // the try may have reached the store
		d.mu.Lock()
		d.pending = append(d.pending, b)
		d.mu.Unlock()
	}
	return err
}

// next gives a batch that an ended context interrupted, or a new one, or nil
// where nothing waits.
func (d *Drain) next(ctx context.Context) (*spool.Batch, error) {
	d.mu.Lock()
	if n := len(d.pending); n > 0 {
		b := d.pending[0]
		d.pending = d.pending[1:]
		d.mu.Unlock()
		return b, nil
	}
	d.mu.Unlock()
	b, err := retry(ctx, d, "cut a batch", func() (*spool.Batch, error) {
		b, err := d.spool.Cut()
		return b, d.orGiveUp(err)
	})
	if err == nil && b != nil {
		faultpoint.Hit("drain.cut")
	}
	return b, err
}

// deliver brings one batch to an end: stored and confirmed, or put aside.
func (d *Drain) deliver(ctx context.Context, b *spool.Batch) error {
	rows, err := d.decode(b)
	if err != nil {
		return d.putAside(ctx, b, err)
	}
	started := time.Now()
	if err := d.write(ctx, b, rows); err != nil {
		if kind := errs.KindOf(err); kind == errs.Corrupt || kind == errs.Invalid {
			return d.putAside(ctx, b, err)
		}
		return err
	}
	faultpoint.Hit("drain.inserted")
	d.health.seconds.Observe(time.Since(started).Seconds())
	if err := d.confirm(ctx, b, d.spool.Confirm); err != nil {
		return err
	}
	d.health.batches.Inc()
	d.health.rows.Add(float64(countRows(rows)))
	if d.o.Stored != nil {
		d.telling.Lock()
		defer d.telling.Unlock()
		d.o.Stored(d.o.Number(b.First), rows)
	}
	d.reuse(rows)
	return nil
}

// reuse keeps the room of a batch's samples, of which there are most, for
// another batch: nobody keeps rows.
func (d *Drain) reuse(rows *model.Rows) {
	if n := cap(rows.Samples); n == 0 || n > maxSpareSamples {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.samples) < max(1, d.o.Parallel) {
		d.samples = append(d.samples, rows.Samples[:0])
	}
	rows.Samples = nil
}

// maxSpareSamples bounds the room that is kept: some four megabytes.
const maxSpareSamples = 100_000

// decodeBatch makes rows of a batch. Every record was decoded before it was
// taken, so an error means that the bytes or this program have changed. A panic
// is an error, too: the batch would come again at every start.
func decodeBatch(dec *Decoder, b *spool.Batch) (rows *model.Rows, err error) {
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, errs.E("decode a batch", errs.Corrupt, fmt.Errorf("panic: %v", p), "")
		}
	}()
	for _, r := range b.Records {
		dec.follows += len(r.Body)
	}
	for _, r := range b.Records {
		dec.follows -= len(r.Body)
		if err := dec.Add(r.Kind, r.Body, r.Received); err != nil {
			return nil, errs.E(fmt.Sprintf("decode record %d", r.Seq), errs.Corrupt, err, "")
		}
	}
	decoded := dec.Rows
	return &decoded, nil
}

// decode makes rows of a batch with a decoder that knows the series of others.
// One that failed is not used again.
func (d *Drain) decode(b *spool.Batch) (*model.Rows, error) {
	d.mu.Lock()
	dec := NewDecoder()
	if n := len(d.decoders); n > 0 {
		dec, d.decoders = d.decoders[n-1], d.decoders[:n-1]
	}
	if n := len(d.samples); n > 0 {
		dec.Rows.Samples, d.samples = d.samples[n-1], d.samples[:n-1]
	}
	d.mu.Unlock()
	rows, err := decodeBatch(dec, b)
	if err != nil {
		return nil, err
	}
	dec.reset()
	d.mu.Lock()
	d.decoders = append(d.decoders, dec) // as many as batches under way
	d.mu.Unlock()
	return rows, nil
}

// write tries until the store has the batch, or says that it never will. After
// the first try that failed the store is asked before anything is inserted.
func (d *Drain) write(ctx context.Context, b *spool.Batch, rows *model.Rows) error {
	if rows.Empty() {
		return nil
	}
	doubt := model.Doubt(b.Again)
	_, err := retry(ctx, d, "store a batch", func() (struct{}, error) {
		err := d.store.Write(ctx, d.o.Number(b.First), rows, doubt)
		doubt = model.InDoubt
		if kind := errs.KindOf(err); kind == errs.Corrupt || kind == errs.Invalid {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	})
	return err
}

// putAside quarantines a batch that the store can never take, and goes on.
func (d *Drain) putAside(ctx context.Context, b *spool.Batch, why error) error {
	d.o.Log.Error("a batch was put aside; it is in the spool's folder quarantine", "first", b.First, "last", b.Last, "error", why)
	d.health.rejected.Inc()
	return d.confirm(ctx, b, func(b *spool.Batch) error { return d.spool.Quarantine(b, why.Error()) })
}

func (d *Drain) confirm(ctx context.Context, b *spool.Batch, how func(*spool.Batch) error) error {
	_, err := retry(ctx, d, "confirm a batch", func() (struct{}, error) { return struct{}{}, d.orGiveUp(how(b)) })
	return err
}

// orGiveUp ends the retries where the spool is broken for good.
func (d *Drain) orGiveUp(err error) error {
	if err == nil {
		return nil
	}
	if broken := d.spool.Healthy(); broken != nil {
		return backoff.Permanent(broken)
	}
	if errs.KindOf(err) == errs.Invalid {
		return backoff.Permanent(err)
	}
	return err
}

// retry repeats what fails, for ever, with growing pauses, until ctx ends or
// the failure is permanent.
func retry[T any](ctx context.Context, d *Drain, what string, try func() (T, error)) (T, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = d.o.RetryFirst, d.o.RetryMax
	result, err := backoff.Retry(ctx, try, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			d.health.retries.Inc()
			d.o.Log.Warn("trying again", "what", what, "in", wait, "error", err)
		}))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Unwrap()
	}
	return result, err
}

func countRows(r *model.Rows) int {
	return len(r.Series) + len(r.Samples) + len(r.Logs) + len(r.Spans) + len(r.Distributions) + len(r.Baselines) + len(r.Lineage) + len(r.LineageEdges) +
		len(r.Predictions) + len(r.Labels)
}
