package query

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Options bound what one query may cost. Zero values mean the defaults.
type Options struct {
	Timeout    time.Duration // of one query; default 30s
	MaxSamples int           // held in memory by one query; default 5,000,000
	MaxSeries  int           // read by one selector; default 200,000
	Lookback   time.Duration // how old the newest sample may be; default 5m
	Logger     *slog.Logger  // of the engine's own messages; nil: none
}

// WithDefaults fills in what is not set.
func (o Options) WithDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxSamples <= 0 {
		o.MaxSamples = 5_000_000
	}
	if o.MaxSeries <= 0 {
		o.MaxSeries = 200_000
	}
	if o.Lookback <= 0 {
		o.Lookback = 5 * time.Minute
	}
	return o
}

// Engine answers PromQL. It starts no goroutine and holds nothing between
// queries. Safe for concurrent use.
type Engine struct {
	reader  model.SeriesReader
	options Options
	engine  *promql.Engine
}

// New makes an Engine over a reader.
func New(reader model.SeriesReader, o Options) *Engine {
	o = o.WithDefaults()
	return &Engine{reader: reader, options: o, engine: promql.NewEngine(promql.EngineOpts{
		Logger:               o.Logger,
		MaxSamples:           o.MaxSamples,
		Timeout:              o.Timeout,
		LookbackDelta:        o.Lookback,
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(rangeMillis int64) int64 {
			return max(1000, rangeMillis/250)
		},
	})}
}

// Instant evaluates an expression at one time. A sample counts while it is
// younger than lookback: those in (at-lookback, at]. Zero means the default.
//
// Errors are of kind Invalid (not PromQL), Exhausted (too many samples),
// Unavailable (timed out, or the store is away) or Other (the expression
// failed on these data).
func (e *Engine) Instant(ctx context.Context, expr string, at time.Time, lookback time.Duration) (parser.Value, error) {
	a, err := e.AskInstant(ctx, expr, at, lookback)
	return a.Value, err
}

// Range evaluates an expression at start, start+step, ... up to end.
func (e *Engine) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (parser.Value, error) {
	a, err := e.AskRange(ctx, expr, start, end, step, 0)
	return a.Value, err
}

func kindOf(err error) errs.Kind {
	var tooMany promql.ErrTooManySamples
	var timeout promql.ErrQueryTimeout
	var storage promql.ErrStorage
	switch {
	case errors.As(err, &tooMany):
		return errs.Exhausted
	case errors.As(err, &timeout):
		return errs.Unavailable
	case errors.As(err, &storage):
		return errs.KindOf(storage.Err)
	}
	return errs.KindOf(err)
}
