package evaluate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
)

// answer is what the queries of one rule gave.
type answer struct {
	readings readings
	err      error
	seconds  float64
}

// measureAll runs the queries of all rules, Parallel of them at a time, and
// gives their answers in the rules' order. What one rule does, fail, hang until
// its timeout, or panic, is in its own answer.
func (e *Evaluator) measureAll(ctx context.Context, due []*rules.Effective, o *occasion) []answer {
	out := make([]answer, len(due))
	next := make(chan int)
	ended := make(chan struct{})
	workers := min(e.options.Parallel, len(due))
	for range workers {
		go func() {
			defer func() { ended <- struct{}{} }()
			for i := range next {
				began := time.Now()
				out[i].readings, out[i].err = e.guarded(ctx, due[i], o)
				out[i].seconds = time.Since(began).Seconds()
			}
		}()
	}
	for i := range due {
		next <- i
	}
	close(next)
	for range workers {
		<-ended
	}
	return out
}

// guarded makes a panic of one rule's queries that rule's error.
func (e *Evaluator) guarded(ctx context.Context, rule *rules.Effective, o *occasion) (r readings, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errs.E("evaluate "+string(rule.ID), errs.Other, fmt.Errorf("panic: %v", p), "")
		}
	}()
	if rule.SQL != "" {
		return e.measureSQL(ctx, rule, o)
	}
	return e.measure(ctx, rule, o)
}

// patiently asks again while the store is away and patience lasts. A query that
// ran out of its own time is not asked again: it would only hold up others.
func patiently[T any](ctx context.Context, patience time.Duration, ask func() (T, error)) (T, error) {
	return backoff.Retry(ctx, func() (T, error) {
		v, err := ask()
		if err != nil && (errs.KindOf(err) != errs.Unavailable || outOfTime(err)) {
			return v, backoff.Permanent(err)
		}
		return v, err
	}, backoff.WithMaxElapsedTime(patience))
}

func outOfTime(err error) bool {
	var timeout promql.ErrQueryTimeout
	return errors.As(err, &timeout) || errors.Is(err, context.DeadlineExceeded)
}

// ask runs one PromQL query.
func (e *Evaluator) ask(ctx context.Context, text string, at time.Time, lookback time.Duration) (promql.Vector, error) {
	value, err := patiently(ctx, e.options.Patience, func() (parser.Value, error) {
		return e.options.Queries.Instant(ctx, text, at, lookback)
	})
	if err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case promql.Vector:
		return v, nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V, Metric: labels.EmptyLabels()}}, nil
	}
	return nil, errs.E("evaluate "+text, errs.Invalid, fmt.Errorf("the expression yields a %s", value.Type()), "a rule's expression yields an instant vector")
}

// askSQL runs one SELECT.
func (e *Evaluator) askSQL(ctx context.Context, q model.SQLQuery) ([]model.SQLRow, error) {
	if e.options.SQL == nil {
		return nil, errs.E("evaluate SQL", errs.Invalid, errors.New("this store answers none"), "")
	}
	return patiently(ctx, e.options.Patience, func() ([]model.SQLRow, error) { return e.options.SQL.SelectSQL(ctx, q) })
}
