package evaluate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Evaluator judges. Sealed, Step and Run may be called from different
// goroutines; one occasion is evaluated at a time.
type Evaluator struct {
	options Options
	metrics metrics
	tallies *tallies

	turn    chan struct{} // holds one token; who took it has all below
	loaded  bool
	calm    time.Time                     // no ticks before: agents may still deliver what an outage held back
	barrier time.Time                     // the tick that waits until what was acknowledged before it is stored
	backlog []model.FleetWindow           // told before the past was read
	latest  map[stateKey]subjects         // the newest of every rule and subject
	done    map[doneKey]time.Time         // end of the newest occasion of every rule
	heard   map[signal.SystemID]time.Time // when a system last had windows or values
}

// doneKey names what a rule is evaluated for again and again.
type doneKey struct {
	system signal.SystemID
	rule   signal.RuleID
	model  signal.ModelRef // empty for the wall clock
}

// New checks the options; it reads and starts nothing.
func New(o Options) (*Evaluator, error) {
	if o.Store == nil || o.Queries == nil || o.Rules == nil {
		return nil, errs.E("set up the evaluator", errs.Invalid, errors.New("no store, no queries or no rules"), "")
	}
	e := &Evaluator{
		options: o.withDefaults(), metrics: newMetrics(o.Metrics), tallies: newTallies(), turn: make(chan struct{}, 1), latest: map[stateKey]subjects{},
		done: map[doneKey]time.Time{}, heard: map[signal.SystemID]time.Time{},
	}
	e.turn <- struct{}{}
	return e, nil
}

// take waits for the turn, no longer than ctx lasts: whoever has it may be
// trying for long to reach a store that is away.
func (e *Evaluator) take(ctx context.Context) error {
	select {
	case <-e.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Evaluator) giveBack() { e.turn <- struct{}{} }

// Sealed evaluates the rules of a window's length, those on labelled windows
// where it is one; fleet calls it. What cannot
// be evaluated because ctx ended is evaluated after the next start, when fleet
// tells of it again. What was evaluated before is passed over.
func (e *Evaluator) Sealed(ctx context.Context, w model.FleetWindow) {
	if e.take(ctx) != nil {
		return
	}
	defer e.giveBack()
	if err := e.ready(ctx); err != nil {
		e.options.Log.Warn("a sealed window waits for what was evaluated before", "error", err, "system", w.System, "end", w.End)
		e.backlog = append(e.backlog, w)
		return
	}
	if err := e.window(ctx, &w); err != nil && ctx.Err() == nil {
		e.options.Log.Error("a sealed window was not evaluated", "error", err, "system", w.System, "end", w.End)
	}
}

// window evaluates the rules that are due at a sealed window.
func (e *Evaluator) window(ctx context.Context, w *model.FleetWindow) error {
	o := windowOccasion(w)
	if len(w.WindowIDs) > 0 || w.Rows > 0 {
		e.hear(w.System, w.End)
	}
	var due []*rules.Effective
	for _, rule := range e.options.Rules.For(w.System) {
		if rule.Windowed() && rule.Labelled() == w.Labelled() && rule.Method.Window.Std() == w.Length && e.done[doneKey{w.System, rule.ID, w.Model}].Before(w.End) {
			due = append(due, rule)
		}
	}
	return e.occasion(ctx, o, due)
}

// rulesTogether is how many rules of one occasion are judged and stored together:
// it bounds what is in memory at once.
const rulesTogether = 16

// occasion evaluates the rules that are due, so many at a time.
func (e *Evaluator) occasion(ctx context.Context, o *occasion, due []*rules.Effective) error {
	for part := range slices.Chunk(due, rulesTogether) {
		if err := e.together(ctx, o, part); err != nil {
			return err
		}
	}
	return nil
}

// together judges, stores and hands on, in this order.
func (e *Evaluator) together(ctx context.Context, o *occasion, due []*rules.Effective) error {
	failed := map[signal.RuleID]bool{}
	answers := e.measureAll(ctx, due, o)
	if ctx.Err() != nil { // half of what they would say
		return ctx.Err()
	}
	room := 0
	for i := range answers {
		room += len(answers[i].readings.list)
	}
	all := make([]model.Evaluation, 0, room)
	for i, rule := range due {
		began := time.Now()
		found, err := e.judge(ctx, rule, o, &answers[i])
		if err != nil {
			return err
		}
		e.metrics.seconds.Observe(answers[i].seconds + time.Since(began).Seconds())
		failed[rule.ID] = len(found) > 0 && found[0].Verdict == signal.Error
		all = append(all, found...)
	}
	if len(all) == 0 {
		e.count(o.system, due, failed)
		return nil
	}
	if err := e.store(ctx, o, due, all); err != nil {
		for _, rule := range due {
			e.missed(o.system, rule.ID, 1)
		}
		return err
	}
	faultpoint.Hit("evaluate.stored")
	e.count(o.system, due, failed)
	for i := range all {
		e.remember(&all[i])
		e.metrics.evaluations.WithLabelValues(string(all[i].Verdict)).Inc()
		if err := e.consume(ctx, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

// count notes what became of rules that were due.
func (e *Evaluator) count(system signal.SystemID, due []*rules.Effective, failed map[signal.RuleID]bool) {
	for _, rule := range due {
		if failed[rule.ID] {
			e.tallies.add(system, rule.ID, 1, failedOf)
		} else {
			e.tallies.add(system, rule.ID, 1, doneOf)
		}
	}
}

// missed notes that a rule was due and not evaluated.
func (e *Evaluator) missed(system signal.SystemID, rule signal.RuleID, times int) {
	e.metrics.missed.WithLabelValues(string(rule)).Add(float64(times))
	e.tallies.add(system, rule, uint64(times), missedOf)
}

// store writes the evaluations until they are stored. Those that the store holds
// already, from a try before a crash that came through after all, are replaced.
func (e *Evaluator) store(ctx context.Context, o *occasion, due []*rules.Effective, all []model.Evaluation) error {
	rows := &model.Rows{Evaluations: all}
	return e.retry(ctx, "evaluations are not stored yet", func() error {
		return e.options.Store.Write(ctx, o.batch(due), rows, model.InDoubt)
	})
}

// remember takes a stored evaluation into the state.
func (e *Evaluator) remember(ev *model.Evaluation) {
	state := stateKey{ev.System, ev.Rule}
	if e.latest[state] == nil {
		e.latest[state] = subjects{}
	}
	e.latest[state][subjectKey(ev.Subject)] = *ev
	key := doneKey{system: ev.System, rule: ev.Rule}
	if rule := e.options.Rules.Rule(ev.System, ev.Rule); rule != nil && rule.Windowed() {
		key.model = signal.ModelRef{Name: ev.Subject[labelModel], Version: ev.Subject[labelModelVersion]}
	}
	if ev.WindowEnd.After(e.done[key]) {
		e.done[key] = ev.WindowEnd
	}
}

// consume hands an evaluation to the register, again and again while it is
// away. Evaluations of a rule that has changed since are history.
func (e *Evaluator) consume(ctx context.Context, ev *model.Evaluation) error {
	rule := e.options.Rules.Rule(ev.System, ev.Rule)
	if e.options.Register == nil || rule == nil || rule.Digest != ev.RuleDigest {
		return nil
	}
	err := e.retry(ctx, "the register has not taken an evaluation yet", func() error {
		return e.options.Register.Consume(ctx, rule, *ev)
	})
	if err != nil && ctx.Err() == nil {
		e.options.Log.Error("the register refused an evaluation", "error", err, "evaluation", ev.ID, "rule", ev.Rule)
		return nil
	}
	return err
}

// retry repeats what may succeed later until ctx ends.
func (e *Evaluator) retry(ctx context.Context, complaint string, do func() error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := do()
		if err != nil && !errs.Retryable(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, wait time.Duration) {
		e.options.Log.Warn(complaint, "error", err, "again_in", wait)
	}))
	return err
}
