package register

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Options say how a register works. The zero value is usable.
type Options struct {
	Tenant     string                // part of every deduplication key; empty means "default"
	Clock      func() time.Time      // of people's events; nil means time.Now
	Log        *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil: no metrics
	// Patience is how long one event is tried again while the store is away,
	// before the caller gets the error; 0 means 10 s.
	Patience time.Duration
}

// Register holds the records of one store. It is safe for concurrent use.
// Reading never waits for the store.
type Register struct {
	opts    Options
	writer  model.Writer
	metrics *metrics

	// writing is held from the decision on an event until it is stored, so
	// that no two decisions are based on the same state.
	writing sync.Mutex
	unsure  *model.RegisterEvent // written without a clear outcome; goes first

	mu        sync.RWMutex // guards what follows
	records   map[string]*projection
	open      map[signal.Digest]*projection
	byRef     map[string]*projection
	seen      map[string]struct{} // evaluations that caused an event
	lastRef   map[int]int         // by year
	approvals map[criterionKey]*approval
	baselines map[baselineKey]*baselineChain

	deployments map[string]*deploymentChain // by id

	journal []model.RegisterEvent // of records, in the order they were appended
	grown   chan struct{}         // closed and replaced when journal grows
	faults  []model.ChainFault
}

// Open reads every event, verifies every chain and builds the records. A
// broken chain is logged and kept as a fault, and its record stays readable;
// only a store that cannot be read is an error.
func Open(ctx context.Context, reader model.RegisterReader, writer model.Writer, opts Options) (*Register, error) {
	if opts.Tenant == "" {
		opts.Tenant = "default"
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Patience == 0 {
		opts.Patience = 10 * time.Second
	}
	r := &Register{
		opts: opts, writer: writer,
		records: map[string]*projection{}, open: map[signal.Digest]*projection{}, byRef: map[string]*projection{},
		seen: map[string]struct{}{}, lastRef: map[int]int{}, approvals: map[criterionKey]*approval{}, baselines: map[baselineKey]*baselineChain{},
		deployments: map[string]*deploymentChain{}, grown: make(chan struct{}),
	}
	r.metrics = newMetrics(opts.Registerer, r)
	events, err := reader.RegisterEvents(ctx)
	if err != nil {
		return nil, fmt.Errorf("open register: %w", err)
	}
	r.load(events)
	return r, nil
}

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
	rows := &model.Rows{Events: []model.RegisterEvent{ev}}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := r.writer.Write(ctx, batchOf(&ev), rows, model.InDoubt)
		if err != nil && !errs.Retryable(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(r.opts.Patience))
	if err != nil {
		var permanent *backoff.PermanentError
		if errors.As(err, &permanent) {
			err = permanent.Unwrap()
		}
		if kind := errs.KindOf(err); kind == errs.Corrupt || kind == errs.Invalid {
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
		close(r.grown)
		r.grown = make(chan struct{})
	}
	return nil
}

// batchOf numbers the write of one event.
func batchOf(ev *model.RegisterEvent) model.Batch {
	return model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("register/%s/%d", ev.Record, ev.Seq)))
}
