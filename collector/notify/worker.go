package notify

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// finalPrefix begins the error of a delivery that is not tried again, so that
// a restart knows it.
const finalPrefix = "refused for good: "

// recallStep is how many journal events are read at once to find out, at the
// start, what was delivered before.
const recallStep = 4096

// worker delivers to one sink. Only run changes what is not guarded by mu.
type worker struct {
	*Outbox
	sink    Sink
	metrics *metrics

	position int             // every journal event before it is settled
	settled  map[string]bool // events from position on that are
	held     map[string]*hold

	mu      sync.Mutex
	tickets map[string]string // by record
	status  Status
}

// hold is why the events of one record wait.
type hold struct {
	event   string
	attempt int
	pause   *backoff.ExponentialBackOff
	until   time.Time
}

func newWorker(o *Outbox, sink Sink, m *metrics) *worker {
	return &worker{
		Outbox: o, sink: sink, metrics: m, settled: map[string]bool{}, held: map[string]*hold{},
		tickets: map[string]string{}, status: Status{Sink: sink.Name()},
	}
}

// recall finds out where the sink stands from what was stored.
func (w *worker) recall(past []model.Delivery) {
	last := map[string]model.Delivery{}
	for _, d := range past {
		if d.Sink == w.sink.Name() {
			last[d.Event] = d
		}
	}
	for at := 0; ; {
		events, _ := w.reg.Journal(at, recallStep)
		if len(events) == 0 {
			break
		}
		at += len(events)
		for _, ev := range events {
			w.recallEvent(ev, last)
		}
	}
	w.advance()
}

func (w *worker) recallEvent(ev model.RegisterEvent, last map[string]model.Delivery) {
	d, tried := last[ev.ID]
	switch {
	case !tried:
		if !slices.Contains(w.opts.Events, ev.Type) {
			w.settled[ev.ID] = true
		}
		return
	case d.OK:
		w.status.Delivered++
		w.tickets[ev.Record] = d.Ticket
		w.settled[ev.ID] = true
	case strings.HasPrefix(d.Error, finalPrefix):
		w.status.Refused++
		w.settled[ev.ID] = true
	default: // goes on counting attempts; due at once
		w.held[ev.Record] = w.newHold(ev.ID, d.Attempt)
	}
	if !d.OK {
		w.status.LastError, w.status.LastAt = d.Error, d.Time
	}
}

func (w *worker) newHold(event string, attempt int) *hold {
	pause := &backoff.ExponentialBackOff{
		InitialInterval: w.opts.RetryMin, MaxInterval: w.opts.RetryMax, Multiplier: 2, RandomizationFactor: 0.2,
	}
	pause.Reset()
	return &hold{event: event, attempt: attempt, pause: pause}
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		before := w.position
		grown, full := w.pass(ctx)
		w.advance()
		if full && w.position > before {
			continue // there is more beyond the window
		}
		wait := time.NewTimer(w.nextDue())
		select {
		case <-ctx.Done():
		case <-grown:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// pass tries every event of the window that is due, oldest first. It gives the
// signal of new events, and whether the window is full. Events of a type that
// is not handed over take no place in the window, so that one record held back
// is not soon the only one in it.
func (w *worker) pass(ctx context.Context) (grown <-chan struct{}, full bool) {
	behind := map[string]bool{} // records with an event that is not settled
	seen, waiting := 0, 0
	for position := w.position; seen < w.opts.Window; {
		var events []model.RegisterEvent
		events, grown = w.reg.Journal(position, w.opts.Window)
		for _, ev := range events {
			if ctx.Err() != nil || seen == w.opts.Window {
				break
			}
			if !w.wants(ev) {
				continue
			}
			seen++
			if !w.settled[ev.ID] && (behind[ev.Record] || !w.isDue(ev) || !w.deliver(ctx, ev)) {
				behind[ev.Record] = true
				waiting++
			}
		}
		if position += len(events); len(events) < w.opts.Window || ctx.Err() != nil {
			break
		}
	}
	w.mu.Lock()
	w.status.Waiting = waiting
	w.mu.Unlock()
	return grown, seen == w.opts.Window
}

func (w *worker) wants(ev model.RegisterEvent) bool { return slices.Contains(w.opts.Events, ev.Type) }

func (w *worker) isDue(ev model.RegisterEvent) bool {
	h := w.held[ev.Record]
	return h == nil || h.event != ev.ID || !w.opts.Clock().Before(h.until)
}

// nextDue is the time until the first record held back is due, at most
// RetryMax.
func (w *worker) nextDue() time.Duration {
	due, now := w.opts.RetryMax, w.opts.Clock()
	for _, h := range w.held {
		due = min(due, max(0, h.until.Sub(now)))
	}
	return due
}

// advance forgets what is settled at the beginning of the window.
func (w *worker) advance() {
	for {
		events, _ := w.reg.Journal(w.position, w.opts.Window)
		moved := 0
		for _, ev := range events {
			if w.wants(ev) && !w.settled[ev.ID] {
				break
			}
			delete(w.settled, ev.ID)
			moved++
		}
		w.position += moved
		if moved == 0 || moved < len(events) {
			return
		}
	}
}

// deliver tries one event and stores the outcome; true means that the event is
// settled.
func (w *worker) deliver(ctx context.Context, ev model.RegisterEvent) bool {
	h := w.held[ev.Record]
	if h == nil || h.event != ev.ID {
		h = w.newHold(ev.ID, 0)
	}
	h.attempt++
	ticket, err := w.send(ctx, ev)
	if ctx.Err() != nil && err != nil {
		return false // we are stopping; this try does not count
	}
	d := model.Delivery{Sink: w.sink.Name(), Event: ev.ID, Attempt: h.attempt, OK: err == nil, Ticket: ticket, Time: w.opts.Clock().UTC()}
	final := err != nil && !errs.Retryable(err)
	if err != nil {
		d.Error = err.Error()
		if final {
			d.Error = finalPrefix + d.Error
		}
	}
	w.record(ctx, d)
	w.note(ev, d, final)
	if err == nil || final {
		delete(w.held, ev.Record)
		w.settled[ev.ID] = true
		return true
	}
	h.until = w.opts.Clock().Add(h.pause.NextBackOff())
	w.held[ev.Record] = h
	return false
}

// note keeps the figures that people see.
func (w *worker) note(ev model.RegisterEvent, d model.Delivery, final bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.LastAt, w.status.LastError = d.Time, d.Error
	outcome := "retried"
	switch {
	case d.OK:
		outcome = "delivered"
		w.status.Delivered++
		w.tickets[ev.Record] = d.Ticket
	case final:
		outcome = "refused"
		w.status.Refused++
	}
	w.metrics.deliveries.WithLabelValues(d.Sink, outcome).Inc()
	if !d.OK {
		w.opts.Log.Warn("a record's event was not delivered",
			"sink", d.Sink, "event", ev.Type, "record", ev.Record, "seq", ev.Seq, "attempt", d.Attempt, "final", final, "error", d.Error)
	}
}

func (w *worker) snapshot() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

func (w *worker) ticket(record string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tickets[record]
}
