package register

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// The events about baselines. Each chain is about one baseline for one model.
const (
	EventBaselineApproved  = "baseline_approved"
	EventBaselineWithdrawn = "baseline_withdrawn"
)

// aboutRecord says that an event belongs to a record, not to an approval.
func aboutRecord(event string) bool {
	return event != EventApproved && event != EventBaselineApproved && event != EventBaselineWithdrawn && !aboutDeployment(event)
}

// baselineKey is what one chain of decisions is about.
type baselineKey struct {
	digest signal.Digest
	system signal.SystemID
	model  string
}

// baselineChain is all that was decided about a baseline for a model; the last
// decision holds.
type baselineChain struct {
	decisions []model.BaselineDecision
	head      model.RegisterEvent
}

// DecideBaseline notes that a person approves a baseline as the reference of a
// model, or withdraws it. Digest, system and model must be named; whether there
// is such a baseline the caller has asked. Approving again adds to the chain: the
// new person and basis hold from then on. Withdrawing twice is errs.Conflict.
func (r *Register) DecideBaseline(ctx context.Context, d model.BaselineDecision) (model.BaselineDecision, error) {
	op := fmt.Sprintf("decide on baseline %s", d.Digest.Short())
	if err := checkDecision(&d); err != nil {
		return d, errs.E(op, errs.Invalid, err, "say who decides, and on what it rests")
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.newest(ctx); err != nil {
		return d, err
	}
	var head *model.RegisterEvent
	r.mu.RLock()
	chain := r.baselines[baselineKey{d.Digest, d.System, d.Model}]
	if chain != nil {
		last := chain.head
		head = &last
	}
	withdrawn := chain != nil && chain.last().State == model.BaselineWithdrawn
	r.mu.RUnlock()
	if withdrawn && d.State == model.BaselineWithdrawn {
		return d, errs.E(op, errs.Conflict, fmt.Errorf("it has been withdrawn from %s of %s", d.Model, d.System), "")
	}
	event := EventBaselineApproved
	if d.State == model.BaselineWithdrawn {
		event = EventBaselineWithdrawn
	}
	at := r.opts.Clock()
	d.ID, d.At = uuid.NewString(), at.UTC()
	record := derivedID("baseline", r.opts.Tenant, string(d.Digest), string(d.System), d.Model)
	ev, err := newEvent(record, d.ID, event, at, d.By, d, head)
	if err != nil {
		return d, err
	}
	return d, r.append(ctx, ev)
}

func checkDecision(d *model.BaselineDecision) error {
	d.Basis = strings.TrimSpace(d.Basis)
	switch {
	case d.Digest == "" || d.System == "" || d.Model == "":
		return fmt.Errorf("digest, system and model must be named")
	case d.State != model.BaselineApproved && d.State != model.BaselineWithdrawn:
		return fmt.Errorf("%q is no decision", d.State)
	case d.By.ID == "" || d.By.Kind != "person":
		return fmt.Errorf("a person decides")
	case d.Basis == "":
		return fmt.Errorf("no basis is given")
	}
	return nil
}

func (c *baselineChain) last() model.BaselineDecision { return c.decisions[len(c.decisions)-1] }

// foldBaseline takes a decision in. Holds mu.
func (r *Register) foldBaseline(ev model.RegisterEvent) error {
	var d model.BaselineDecision
	if err := json.Unmarshal(ev.Data, &d); err != nil {
		return fmt.Errorf("decision %d of %s: %w", ev.Seq, ev.Record, err)
	}
	key := baselineKey{d.Digest, d.System, d.Model}
	chain := r.baselines[key]
	if chain == nil {
		chain = &baselineChain{}
		r.baselines[key] = chain
	}
	chain.decisions, chain.head = append(chain.decisions, d), ev
	return nil
}

// BaselineDecision gives what holds about a baseline for a model; nil where
// nobody has decided.
func (r *Register) BaselineDecision(digest signal.Digest, system signal.SystemID, name string) *model.BaselineDecision {
	r.mu.RLock()
	defer r.mu.RUnlock()
	chain := r.baselines[baselineKey{digest, system, name}]
	if chain == nil {
		return nil
	}
	d := chain.last()
	return &d
}

// BaselineHistory gives all that was decided about a baseline, oldest first.
func (r *Register) BaselineHistory(digest signal.Digest) []model.BaselineDecision {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := []model.BaselineDecision{}
	for key, chain := range r.baselines {
		if key.digest == digest {
			out = append(out, chain.decisions...)
		}
	}
	slices.SortFunc(out, func(a, b model.BaselineDecision) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID))
	})
	return out
}
