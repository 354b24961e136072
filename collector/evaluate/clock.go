package evaluate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Run evaluates the rules that go by the wall clock until ctx ends, and then
// returns nil. It also catches up with windows that were sealed before.
func (e *Evaluator) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := e.Step(ctx); err != nil && ctx.Err() == nil {
			e.options.Log.Warn("rules could not be evaluated, trying again", "error", err)
		}
		timer.Reset(e.untilNextTick())
	}
}

// Step catches up and evaluates every rule whose tick has come. It is what Run
// does each time.
func (e *Evaluator) Step(ctx context.Context) error {
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.giveBack()
	if err := e.ready(ctx); err != nil {
		return err
	}
	at, due := e.ticking(e.options.Now())
	if !due {
		return nil
	}
	e.forget(at)
	systems := e.systems(at)
	e.tallies.attend(systems)
	for _, system := range systems {
		for _, group := range e.ticks(system, at) {
			if err := e.occasion(ctx, &group.occasion, group.due); err != nil {
				return err
			}
		}
	}
	return nil
}

// tick is one time at which rules of a system with the same period are due.
type tick struct {
	occasion occasion
	due      []*rules.Effective
}

// ticks gives the rules of a system that are due at the newest multiple of their
// period, shortest period first: those of one period together, so that one write
// stores what they say. Multiples that went by unused are counted as missed.
func (e *Evaluator) ticks(system signal.SystemID, now time.Time) []tick {
	bySteps := map[time.Duration]*tick{}
	for _, rule := range e.options.Rules.For(system) {
		if rule.Windowed() {
			continue
		}
		step := rule.Step()
		at := tickBefore(now.Add(-e.jitter(system, step)), step)
		last := e.done[doneKey{system: system, rule: rule.ID}]
		if !last.Before(at) {
			continue
		}
		if skipped := at.Sub(last)/step - 1; !last.IsZero() && skipped > 0 {
			e.missed(system, rule.ID, int(skipped))
		}
		if bySteps[step] == nil {
			bySteps[step] = &tick{occasion: occasion{system: system, start: at.Add(-step), end: at}}
		}
		bySteps[step].due = append(bySteps[step].due, rule)
	}
	var out []tick
	for _, step := range slices.Sorted(maps.Keys(bySteps)) {
		out = append(out, *bySteps[step])
	}
	return out
}

// jitter is by how much later a system's ticks of one period are worked off, so
// that many systems do not ask the store at the same moment. It is always the
// same, and what is asked for is the tick's own time.
func (e *Evaluator) jitter(system signal.SystemID, step time.Duration) time.Duration {
	most := min(e.options.Jitter, step/10)
	if most <= 0 {
		return 0
	}
	return time.Duration(xxhash.Sum64String(fmt.Sprint(system, "\x00", step)) % uint64(most))
}

// ticking gives the time at which ticks are looked for: now, or a moment ago
// where the store had yet to take in what was acknowledged by then. To judge
// earlier would call an agent silent whose heartbeats are in the spool, or wait
// in the agent for the end of an outage. Ticks that pass meanwhile are missed,
// and counted as such by the next.
func (e *Evaluator) ticking(now time.Time) (time.Time, bool) {
	if now.Before(e.calm) {
		return now, false
	}
	if e.barrier.IsZero() {
		e.barrier = now
	}
	at := e.barrier
	if !e.options.Stored(at) {
		return at, false
	}
	e.barrier = time.Time{}
	return at, true
}

// systems gives the declared systems and those heard of not too long ago.
func (e *Evaluator) systems(now time.Time) []signal.SystemID {
	out, oldest := slices.Clone(e.options.Systems), now.Add(-e.options.rememberMost())
	for system, at := range e.heard {
		if at.After(oldest) {
			out = append(out, system)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hear notes that a system showed life.
func (e *Evaluator) hear(system signal.SystemID, at time.Time) {
	if at.After(e.heard[system]) {
		e.heard[system] = at
	}
}

// untilNextTick is the time to the next tick of any rule, at most a second:
// systems that are new may have periods of their own.
func (e *Evaluator) untilNextTick() time.Duration {
	now := e.options.Now()
	return min(time.Second, tickBefore(now, time.Second).Add(time.Second).Sub(now))
}

// tickBefore is the greatest multiple of step since the Unix epoch that is not
// after t.
func tickBefore(t time.Time, step time.Duration) time.Time {
	n := t.UnixNano()
	rest := n % int64(step)
	if rest < 0 {
		rest += int64(step)
	}
	return time.Unix(0, n-rest).UTC()
}
