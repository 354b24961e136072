package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// send hands one event over: Create until the sink knows the record, Update
// from then on. It gives the ticket's key.
func (w *worker) send(ctx context.Context, ev model.RegisterEvent) (string, error) {
	rec, err := w.reg.At(ev)
	if err != nil {
		return "", errs.E("record of the event", errs.Corrupt, err, "")
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		return "", errs.E("encode record", errs.Invalid, err, "")
	}
	event := sdk.Event{
		ID: ev.ID, Record: ev.Record, Seq: ev.Seq, Time: ev.Time, Type: ev.Type, Actor: ev.Actor.ID, Data: ev.Data,
	}
	record := sdk.Record{
		ID: rec.ID, Ref: rec.Ref, Kind: rec.Kind, Severity: rec.Severity, State: rec.State, Condition: rec.Condition,
		Rule: string(rec.Rule), System: string(rec.System),
		Title:     fmt.Sprintf("%s %s: %s", rec.Ref, rec.RuleTitle, rec.System),
		Statement: rec.Statement, JSON: raw,
	}
	key := w.ticket(ev.Record)
	var ticket sdk.Ticket
	if key == "" {
		ticket, err = w.sink.Create(ctx, event, record)
	} else {
		ticket, err = w.sink.Update(ctx, key, event, record)
	}
	if err != nil {
		return key, err
	}
	return ticket.Key, nil
}

// storeTimeout bounds one write of an outcome, also while we are stopping.
const storeTimeout = 5 * time.Second

// record stores the outcome of one try. While the store is away it waits: an
// outcome that is not stored would be a second delivery after a restart. When
// ctx ends it tries once more; if that fails, a second delivery it will be,
// and the event's id covers it. The batch names this very try by its time,
// since after a crash another try may bear the same number.
func (w *worker) record(ctx context.Context, d model.Delivery) {
	batch := model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("notify/%s/%s/%d/%d", d.Sink, d.Event, d.Attempt, d.Time.UnixNano())))
	rows := &model.Rows{Deliveries: []model.Delivery{d}}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		err := w.store.Write(bounded, batch, rows, model.InDoubt)
		if err != nil && !errs.Retryable(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(24*time.Hour))
	if err != nil {
		w.opts.Log.Error("the outcome of a delivery was not stored; the event may be delivered again",
			"sink", d.Sink, "event", d.Event, "error", err)
	}
}
