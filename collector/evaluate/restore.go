package evaluate

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// ready brings the evaluator to where it was: it reads the newest evaluations,
// shows them to the register again (a crash may have come between storing and
// showing), and evaluates what it was told of while it could not read. Windows
// that were sealed and not evaluated come from fleet, which tells of them again
// once it knows that their scores are stored.
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
			e.options.Log.Error("a window that waited for the past was not evaluated", "error", err, "window_end", e.backlog[0].End)
		}
		e.backlog = e.backlog[1:]
	}
	return nil
}

func (e *Evaluator) load(ctx context.Context) error {
	now := e.options.Now()
	last, err := e.options.Store.LatestEvaluations(ctx, now.Add(-e.options.rememberMost()))
	if err != nil {
		return err
	}
	if len(last) > 0 { // nothing to wait for where nothing was ever judged
		e.calm = now.Add(e.options.StartGrace)
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
	return nil
}

// forget drops what was not evaluated for as long as anything is remembered:
// subjects, models and systems that are gone.
func (e *Evaluator) forget(now time.Time) {
	oldest := now.Add(-e.options.rememberMost())
	for state, known := range e.latest {
		for key, ev := range known {
			if ev.WindowEnd.Before(oldest) {
				delete(known, key)
			}
		}
		if len(known) == 0 {
			delete(e.latest, state)
		}
	}
	for key, end := range e.done {
		if end.Before(oldest) {
			delete(e.done, key)
		}
	}
	for system, at := range e.heard {
		if at.Before(oldest) {
			delete(e.heard, system)
		}
	}
}
