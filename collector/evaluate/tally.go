package evaluate

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

type tallyKey struct {
	system signal.SystemID
	rule   signal.RuleID
}

// tallies are kept beside the state, so that they can be read while a rule is
// evaluated.
type tallies struct {
	mu   sync.Mutex
	of   map[tallyKey]*model.RuleTally
	seen map[signal.SystemID]bool
}

func newTallies() *tallies {
	return &tallies{of: map[tallyKey]*model.RuleTally{}, seen: map[signal.SystemID]bool{}}
}

// add counts; n is one of the three counts of the model.RuleTally that it is given.
func (t *tallies) add(system signal.SystemID, rule signal.RuleID, n uint64, to func(*model.RuleTally) *uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := tallyKey{system, rule}
	if t.of[key] == nil {
		t.of[key] = &model.RuleTally{System: system, Rule: rule}
	}
	*to(t.of[key]) += n
}

func doneOf(t *model.RuleTally) *uint64   { return &t.Done }
func missedOf(t *model.RuleTally) *uint64 { return &t.Missed }
func failedOf(t *model.RuleTally) *uint64 { return &t.Failed }

// attend replaces the systems that are evaluated.
func (t *tallies) attend(systems []signal.SystemID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.seen)
	for _, s := range systems {
		t.seen[s] = true
	}
}

// Tallies tells how often each rule was due since the start, by system and rule.
// It does not wait for an evaluation.
func (e *Evaluator) Tallies() []model.RuleTally {
	e.tallies.mu.Lock()
	defer e.tallies.mu.Unlock()
	out := make([]model.RuleTally, 0, len(e.tallies.of))
	for _, t := range e.tallies.of {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b model.RuleTally) int {
		return cmp.Or(strings.Compare(string(a.System), string(b.System)), strings.Compare(string(a.Rule), string(b.Rule)))
	})
	return out
}

// Attended gives the systems whose rules were looked at last: the declared ones
// and those that were heard of not too long ago, sorted. It does not wait for an
// evaluation.
func (e *Evaluator) Attended() []signal.SystemID {
	e.tallies.mu.Lock()
	defer e.tallies.mu.Unlock()
	var out []signal.SystemID
	for s := range e.tallies.seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
