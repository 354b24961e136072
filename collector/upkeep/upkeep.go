package upkeep

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Evaluator is what the figures are about (collector/evaluate).
type Evaluator interface {
	Tallies() []model.RuleTally
	Attended() []signal.SystemID
}

// Options say what is told; Store and Evaluator are needed.
type Options struct {
	Store     model.Writer
	Evaluator Evaluator
	Declared  []signal.SystemID        // by the configuration
	Kept      map[string]time.Duration // by table; 0: for ever
	Every     time.Duration            // between two samples; 0 means 1 minute
	Clock     func() time.Time         // nil means time.Now
	Log       *slog.Logger             // nil discards
}

// Upkeep writes the figures. Write and Run are for one goroutine.
type Upkeep struct {
	o    Options
	told map[tallyKey]model.RuleTally // what has been written of the tallies
}

type tallyKey struct {
	system signal.SystemID
	rule   signal.RuleID
}

// none is the model of figures that are about none.
var none signal.ModelRef

// New gives an Upkeep that has written nothing.
func New(o Options) *Upkeep {
	if o.Every == 0 {
		o.Every = time.Minute
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Upkeep{o: o, told: map[tallyKey]model.RuleTally{}}
}

// Run writes at multiples of Every until ctx ends, and then returns nil. A time
// at which the store is away is left out; what was counted until then is in the
// next sample.
func (u *Upkeep) Run(ctx context.Context) error {
	for {
		now := u.o.Clock()
		next := now.Truncate(u.o.Every).Add(u.o.Every)
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := u.Write(ctx, next); err != nil && ctx.Err() == nil {
			u.o.Log.Warn("the collector's own figures were not written", "at", next, "error", err)
		}
	}
}

// Write writes the samples of one time, as Run does.
func (u *Upkeep) Write(ctx context.Context, at time.Time) error {
	p := model.NewGauges(at)
	for _, system := range u.o.Evaluator.Attended() {
		declared := 0.0
		if slices.Contains(u.o.Declared, system) {
			declared = 1
		}
		p.Add(signal.MetricSystemDeclared, "1", system, none, nil, declared)
		for _, table := range slices.Sorted(maps.Keys(u.o.Kept)) {
			kept := u.o.Kept[table].Seconds()
			if kept <= 0 {
				kept = signal.KeptForEver
			}
			p.Add(signal.MetricRetentionKept, "s", system, none, map[string]string{signal.KeyTable: table}, kept)
		}
	}
	tallies := u.o.Evaluator.Tallies()
	for i := range tallies {
		u.addTally(p, &tallies[i])
	}
	if p.Rows().Empty() {
		return nil
	}
	batch := model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("upkeep\x00%d", at.UnixNano())))
	err := u.o.Store.Write(ctx, batch, p.Rows(), model.InDoubt)
	if err != nil && errs.KindOf(err) != errs.Corrupt { // corrupt: written before a restart, with other counts
		return err
	}
	for _, t := range tallies {
		u.told[tallyKey{t.System, t.Rule}] = t
	}
	return nil
}

// addTally tells what was added to a rule's counts since the last sample.
func (u *Upkeep) addTally(p *model.Gauges, t *model.RuleTally) {
	last := u.told[tallyKey{t.System, t.Rule}]
	for _, c := range []struct {
		outcome string
		n       uint64
	}{
		{signal.EvaluationDone, t.Done - last.Done},
		{signal.EvaluationMissed, t.Missed - last.Missed},
		{signal.EvaluationFailed, t.Failed - last.Failed},
	} {
		if c.n > 0 {
			p.Add(signal.MetricRuleEvaluations, "{evaluation}", t.System, none,
				map[string]string{signal.KeyRule: string(t.Rule), signal.KeyOutcome: c.outcome}, float64(c.n))
		}
	}
}
