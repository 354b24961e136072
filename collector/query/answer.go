package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Answer is what a query gives, with what Prometheus has to say about it: a
// warning makes the value doubtful, an info is advice.
type Answer struct {
	Value    parser.Value
	Warnings []string // sorted
	Infos    []string // sorted
}

// Truncated is the warning of an answer that was cut to a limit.
const Truncated = "results truncated due to limit"

// Cut leaves at most so many series in a vector or matrix and warns where it
// had to; 0 means no limit.
func (a *Answer) Cut(limit int) {
	if limit <= 0 {
		return
	}
	switch v := a.Value.(type) {
	case promql.Vector:
		if len(v) > limit {
			a.Value, a.Warnings = v[:limit], append(a.Warnings, Truncated)
		}
	case promql.Matrix:
		if len(v) > limit {
			a.Value, a.Warnings = v[:limit], append(a.Warnings, Truncated)
		}
	}
}

// AskInstant is Instant with what is to be said about the value.
func (e *Engine) AskInstant(ctx context.Context, expr string, at time.Time, lookback time.Duration) (Answer, error) {
	q, err := e.engine.NewInstantQuery(ctx, e.Queryable(lookback), promql.NewPrometheusQueryOpts(false, lookback), expr, at)
	if err != nil {
		return Answer{}, errs.E("parse query", errs.Invalid, err, "")
	}
	return run(ctx, q, expr)
}

// AskRange is Range with what is to be said about the value, and with a
// lookback of its own; 0 means the default.
func (e *Engine) AskRange(ctx context.Context, expr string, start, end time.Time, step, lookback time.Duration) (Answer, error) {
	if step < time.Millisecond || end.Before(start) {
		return Answer{}, errs.E("range query", errs.Invalid, fmt.Errorf("from %s to %s by %s", start, end, step), "the end is not before the start, and the step is positive")
	}
	q, err := e.engine.NewRangeQuery(ctx, e.Queryable(lookback), promql.NewPrometheusQueryOpts(false, lookback), expr, start, end, step)
	if err != nil {
		return Answer{}, errs.E("parse query", errs.Invalid, err, "")
	}
	return run(ctx, q, expr)
}

// run executes a query. The query is not closed: closing gives the value's
// memory back to a pool, and the value is the caller's.
func run(ctx context.Context, q promql.Query, expr string) (Answer, error) {
	result := q.Exec(ctx)
	if result.Err != nil {
		return Answer{}, errs.E("run query", kindOf(result.Err), result.Err, "")
	}
	a := Answer{Value: result.Value}
	a.Warnings, a.Infos = result.Warnings.AsStrings(expr, 10, 10)
	slices.Sort(a.Warnings)
	slices.Sort(a.Infos)
	return a, nil
}

// Format writes an expression as Prometheus would lay it out.
func Format(expr string) (string, error) {
	tree, err := parse(expr)
	if err != nil {
		return "", errs.E("parse query", errs.Invalid, err, "")
	}
	return tree.Pretty(0), nil
}
