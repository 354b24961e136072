package retention

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Ages say how long what was measured is kept, by kind; 0: for ever.
type Ages struct {
	Samples     time.Duration // of time series
	Windows     time.Duration // of single agents; the fleet's stay
	Predictions time.Duration // and labels
	Traces      time.Duration
	Logs        time.Duration
	Lineage     time.Duration // events; the graph stays
}

// tables says how long each table is kept, for those that are not kept for ever.
func (a Ages) tables() map[string]time.Duration {
	all := map[string]time.Duration{
		"samples": a.Samples, "distributions": a.Windows, "predictions": a.Predictions, "labels": a.Predictions,
		"otel_traces": a.Traces, "otel_traces_trace_id_ts": a.Traces, "otel_logs": a.Logs, "lineage_events": a.Lineage,
	}
	for table, age := range all {
		if age <= 0 {
			delete(all, table)
		}
	}
	return all
}

// Any says whether anything is ever dropped.
func (a Ages) Any() bool { return len(a.tables()) > 0 }

// lookBack is how far before its window a rule may have looked: longer than any
// of the shipped rules does.
const lookBack = 7 * 24 * time.Hour

// Store is what the job asks of the store.
type Store interface {
	// Partitions gives the days of the tables, by day and table.
	Partitions(ctx context.Context, tables []string) ([]model.Partition, error)
	// DropPartition removes one; one that is gone is no error.
	DropPartition(ctx context.Context, p model.Partition) error
	// Evaluations gives one rule's evaluations in (from, to].
	Evaluations(ctx context.Context, rule signal.RuleID, from, to time.Time, limit int) ([]model.Evaluation, error)
}

// Records gives the records that match; register.List.
type Records func(model.RecordFilter) []model.RecordEntry

// Plan is what one pass would do.
type Plan struct {
	Drop []model.Partition
	Held []Held
}

// Held is a day that is old enough to go, and stays.
type Held struct {
	model.Partition
	By []string // refs of the open records
}

// Rows and Bytes of what would go.
func (p *Plan) Rows() (rows, bytes uint64) {
	for _, d := range p.Drop {
		rows, bytes = rows+d.Rows, bytes+d.Bytes
	}
	return rows, bytes
}

// hold is what an open record rests on; both ends are in it.
type hold struct {
	ref      string
	from, to time.Time
}

// MakePlan says what is old enough to go, and what of it an open record holds.
// Labels come so long after their predictions as after says.
func MakePlan(ctx context.Context, store Store, records Records, ages Ages, after time.Duration, now time.Time) (Plan, error) {
	var p Plan
	kept := ages.tables()
	if len(kept) == 0 {
		return p, nil
	}
	names := make([]string, 0, len(kept))
	for table := range kept {
		names = append(names, table)
	}
	slices.Sort(names)
	partitions, err := store.Partitions(ctx, names)
	if err != nil {
		return p, err
	}
	partitions = slices.DeleteFunc(partitions, func(d model.Partition) bool { return d.End().After(now.Add(-kept[d.Table])) })
	if len(partitions) == 0 {
		return p, nil
	}
	holds, err := holdsOf(ctx, store, records, after)
	if err != nil {
		return p, err
	}
	for _, d := range partitions {
		var by []string
		for _, h := range holds {
			if h.from.Before(d.End()) && !h.to.Before(d.Day) {
				by = append(by, h.ref)
			}
		}
		if len(by) > 0 {
			p.Held = append(p.Held, Held{d, by})
		} else {
			p.Drop = append(p.Drop, d)
		}
	}
	return p, nil
}

// holdsOf says what the open records rest on. One whose chain is broken counts as
// open: nobody knows how it stands.
func holdsOf(ctx context.Context, store Store, records Records, after time.Duration) ([]hold, error) {
	var out []hold
	open := map[string]bool{}
	for _, e := range records(model.RecordFilter{State: model.AnyOpen}) {
		open[e.Record.ID] = true
	}
	for _, e := range records(model.RecordFilter{}) {
		if !open[e.Record.ID] && e.Fault == nil {
			continue
		}
		h, err := holdOf(ctx, store, &e.Record, after)
		if err != nil {
			return nil, err
		}
		if e.Fault != nil {
			h.from, h.to = time.Time{}, latest
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b hold) int { return a.from.Compare(b.from) })
	return out, nil
}

// latest is after all that a table can hold.
var latest = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)

// mostEvaluations bounds what is read to find the one that opened a record.
const mostEvaluations = 100_000

// holdOf says what one record rests on. Where the evaluation that opened it is not
// found, that is all that came before.
func holdOf(ctx context.Context, store Store, rec *model.Record, after time.Duration) (hold, error) {
	h := hold{ref: rec.Ref, to: rec.LastSeenAt}
	if rec.ClearedAt != nil && rec.ClearedAt.After(h.to) {
		h.to = *rec.ClearedAt
	}
	if rec.OpenedAt.After(h.to) {
		h.to = rec.OpenedAt
	}
	h.to = h.to.Add(after)
	around := 24 * time.Hour
	list, err := store.Evaluations(ctx, rec.Rule, rec.DetectedAt.Add(-around), rec.OpenedAt.Add(around), mostEvaluations)
	if err != nil {
		return h, fmt.Errorf("find what record %s rests on: %w", rec.Ref, err)
	}
	for _, ev := range list {
		if ev.ID == rec.Evaluation {
			h.from = rec.DetectedAt.Add(ev.WindowStart.Sub(ev.WindowEnd) - lookBack)
		}
	}
	return h, nil
}
