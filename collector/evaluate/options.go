package evaluate

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Store is what the evaluator reads and writes.
type Store interface {
	model.Writer
	model.EvaluationReader
	FleetWindows(ctx context.Context, from, to time.Time) ([]model.FleetWindow, error)
}

// Queries answers PromQL; collector/query.Engine does.
type Queries interface {
	Instant(ctx context.Context, expr string, at time.Time, lookback time.Duration) (parser.Value, error)
}

// Register takes every evaluation in, one at a time, in order, after it is
// stored. The same evaluation may come again after a restart and changes
// nothing then.
type Register interface {
	Consume(ctx context.Context, rule *rules.Effective, evaluation model.Evaluation) error
}

// Options configure an Evaluator. Store, Queries and Rules are needed; a zero
// elsewhere means the default.
type Options struct {
	Store    Store
	Queries  Queries
	Rules    *rules.Set
	Register Register          // nil: evaluations are stored and nothing follows
	Systems  []signal.SystemID // declared: their silence is seen

	CatchUp  time.Duration // sealed windows that ended longer ago are not evaluated any more; default 24h
	Remember time.Duration // how long a silent subject is expected; default 7 days
	Patience time.Duration // how long a query is tried again while the store is away; default 1m

	Now     func() time.Time      // default time.Now
	Log     *slog.Logger          // default: discarded
	Metrics prometheus.Registerer // nil: not exported
}

func (o Options) withDefaults() Options {
	if o.CatchUp <= 0 {
		o.CatchUp = 24 * time.Hour
	}
	if o.Remember <= 0 {
		o.Remember = 7 * 24 * time.Hour
	}
	if o.Patience <= 0 {
		o.Patience = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
