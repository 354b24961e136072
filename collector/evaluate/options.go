package evaluate

import (
	"context"
	"log/slog"
	"slices"
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

	SQL          model.SQLReader // answers rules in SQL; nil: their verdict is error
	QueryTimeout time.Duration   // of one SELECT; default 30s
	Parallel     int             // rules whose queries run at the same time; default 4
	Jitter       time.Duration   // ticks of a period are worked off up to so much later, each system and period at its own time; at most a tenth of the period

	Remember   time.Duration // how long a silent subject is expected; default 7 days, two of its rule's windows at least
	Patience   time.Duration // how long a query is tried again while the store is away; default 1m
	StartGrace time.Duration // after a restart, for agents that hold heartbeats back: no ticks until then; default 90s

	// Horizon gives how long after its end a labelled window takes labels, after
	// which it is judged; nil: 24h for all.
	Horizon func(signal.SystemID) time.Duration

	// Stored says that everything which was acknowledged before t is in the
	// store; nil: it always is. Until it is, a tick at t waits.
	Stored func(t time.Time) bool

	Now     func() time.Time      // default time.Now
	Log     *slog.Logger          // default: discarded
	Metrics prometheus.Registerer // nil: not exported
}

func (o Options) withDefaults() Options {
	if o.Remember <= 0 {
		o.Remember = 7 * 24 * time.Hour
	}
	if o.Horizon == nil {
		o.Horizon = func(signal.SystemID) time.Duration { return 24 * time.Hour }
	}
	if o.QueryTimeout <= 0 {
		o.QueryTimeout = 30 * time.Second
	}
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	if o.Patience <= 0 {
		o.Patience = time.Minute
	}
	if o.StartGrace <= 0 {
		o.StartGrace = 90 * time.Second
	}
	if o.Stored == nil {
		o.Stored = func(time.Time) bool { return true }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// remember is how long a silent subject of a rule is expected. Of two windows
// one has always ended.
func (o *Options) remember(rule *rules.Effective) time.Duration {
	return max(o.Remember, 2*rule.Step())
}

// rememberMost is the longest that anything is remembered. A labelled window is
// judged long after its end, by which evaluations are remembered.
func (o *Options) rememberMost() time.Duration {
	most := o.Remember
	for _, system := range slices.Concat(o.Systems, o.Rules.Overridden(), []signal.SystemID{""}) {
		for _, rule := range o.Rules.For(system) {
			keep := o.remember(rule)
			if rule.Labelled() {
				keep += o.Horizon(system)
			}
			most = max(most, keep)
		}
	}
	return most
}
