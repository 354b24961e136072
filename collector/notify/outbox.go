package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// Register is where events come from (collector/register).
type Register interface {
	// Journal gives up to limit events from a position on, in a fixed order,
	// and a channel that is closed when there are more.
	Journal(after, limit int) ([]model.RegisterEvent, <-chan struct{})
	// At gives a record as it was right after one of its events.
	At(ev model.RegisterEvent) (model.Record, error)
}

// Store keeps deliveries.
type Store interface {
	model.Writer
	Deliveries(ctx context.Context) ([]model.Delivery, error)
}

// Sink is where events go (plugins/host). Its errors carry the kinds of
// package errs; what is not retryable is final.
type Sink interface {
	Name() string
	Create(ctx context.Context, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error)
	Update(ctx context.Context, key string, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error)
}

// Options say how the outbox works. The zero value is usable.
type Options struct {
	// Events are the types that are handed over; nil means DefaultEvents.
	Events     []string
	Clock      func() time.Time      // nil means time.Now
	Log        *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil: no metrics
	// RetryMin and RetryMax bound the pause before the same event is tried
	// again; 0 means 1 s and 5 minutes.
	RetryMin, RetryMax time.Duration
	// Window is how many events of the journal a sink looks at together: what
	// bounds its memory, and how far others run ahead of a record that is held
	// back. 0 means 1,000.
	Window int
}

// DefaultEvents are the turns in a record's life. Occurrences, one for each
// window, are left out.
var DefaultEvents = []string{"opened", "failing", "cleared", "no_data", "promoted", "acknowledged"}

func (o *Options) fill() {
	if o.Events == nil {
		o.Events = DefaultEvents
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.RetryMin == 0 {
		o.RetryMin = time.Second
	}
	if o.RetryMax == 0 {
		o.RetryMax = 5 * time.Minute
	}
	if o.Window == 0 {
		o.Window = 1000
	}
}

// Outbox delivers to a fixed set of sinks.
type Outbox struct {
	opts    Options
	reg     Register
	store   Store
	workers []*worker
}

// Open reads what was delivered before. Run does the work. Names of sinks must
// differ, since deliveries are kept by name.
func Open(ctx context.Context, reg Register, store Store, sinks []Sink, opts Options) (*Outbox, error) {
	opts.fill()
	past, err := store.Deliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	o := &Outbox{opts: opts, reg: reg, store: store}
	metrics := newMetrics(opts.Registerer)
	for _, sink := range sinks {
		name := sink.Name()
		if slices.ContainsFunc(o.workers, func(w *worker) bool { return w.sink.Name() == name }) {
			return nil, fmt.Errorf("open outbox: two sinks are called %q", name)
		}
		w := newWorker(o, sink, metrics)
		w.recall(past)
		o.workers = append(o.workers, w)
	}
	return o, nil
}

// Run delivers until ctx ends, and returns when every worker has. What is on
// its way then is finished or given up with ctx, and tried again after the
// next start.
func (o *Outbox) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for _, w := range o.workers {
		workers.Go(func() { w.run(ctx) })
	}
	workers.Wait()
}

// Status is how the deliveries to one sink stand, for people.
type Status struct {
	Sink      string
	Delivered uint64 // since the register began
	Refused   uint64 // for good
	Waiting   int    // in the window that the worker looks at
	LastError string // of the newest try that failed; empty once one succeeds
	LastAt    time.Time
}

// Status tells how every sink stands.
func (o *Outbox) Status() []Status {
	list := make([]Status, 0, len(o.workers))
	for _, w := range o.workers {
		list = append(list, w.snapshot())
	}
	return list
}

// Tickets gives the keys under which the sinks know a record.
func (o *Outbox) Tickets(record string) map[string]string {
	keys := map[string]string{}
	for _, w := range o.workers {
		if key := w.ticket(record); key != "" {
			keys[w.sink.Name()] = key
		}
	}
	return keys
}
