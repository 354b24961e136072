package evaluate

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/collector/model"
)

// ready brings the evaluator to where it was: it reads the newest evaluations,
// shows them to the register again (a crash may have come between storing and
// showing), and evaluates windows that were sealed and not evaluated.
func (e *Evaluator) ready(ctx context.Context) error {
	if !e.loaded {
		if err := e.load(ctx); err != nil {
			return err
		}
		e.loaded = true
	}
	for len(e.backlog) > 0 {
		if err := e.window(ctx, &e.backlog[0]); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			e.options.Log.Error("a window that was sealed before the start was not evaluated", "error", err, "window_end", e.backlog[0].End)
		}
		e.backlog = e.backlog[1:]
	}
	return nil
}

func (e *Evaluator) load(ctx context.Context) error {
	now := e.options.Now()
	last, err := e.options.Store.LatestEvaluations(ctx, now.Add(-e.options.Remember))
	if err != nil {
		return err
	}
	sealed, err := e.options.Store.FleetWindows(ctx, now.Add(-e.options.CatchUp), now)
	if err != nil {
		return err
	}
	slices.SortFunc(last, func(a, b model.Evaluation) int {
		return cmp.Or(a.WindowEnd.Compare(b.WindowEnd), strings.Compare(string(a.Rule), string(b.Rule)), strings.Compare(a.ID, b.ID))
	})
	for i := range last {
		e.remember(&last[i])
		if err := e.consume(ctx, &last[i]); err != nil {
			return err
		}
		if rule := e.options.Rules.Rule(last[i].System, last[i].Rule); rule != nil {
			e.hear(last[i].System, lastSeen(rule, &last[i]))
		}
	}
	e.backlog = append(sealed, e.backlog...)
	return nil
}
