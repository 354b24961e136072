package register

import (
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

// Acknowledge notes that a person knows of a record, named by ref or id. The
// first one sets aware_at, from which statutory clocks run; later ones are kept
// as events.
func (r *Register) Acknowledge(ctx context.Context, name string, by model.Actor, note string) (model.Record, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.newest(ctx); err != nil {
		return model.Record{}, err
	}
	event, err := r.acknowledgement(name, by, note)
	if err != nil {
		return model.Record{}, err
	}
	if err := r.append(ctx, *event); err != nil {
		return model.Record{}, err
	}
	entry, err := r.Get(event.Record)
	return entry.Record, err
}

func (r *Register) acknowledgement(name string, by model.Actor, note string) (*model.RegisterEvent, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, err := r.find(name)
	if err != nil {
		return nil, err
	}
	if err := permit(&p.rec, EventAcknowledged, change{actor: by}); err != nil {
		return nil, err
	}
	data := Acknowledged{Note: strings.TrimSpace(note)}
	event, err := newEvent(p.rec.ID, uuid.NewString(), EventAcknowledged, r.opts.Clock(), by, data, &p.events[len(p.events)-1])
	return &event, err
}

// criterionKey is what one approval is about.
type criterionKey struct {
	rule   signal.RuleID
	system signal.SystemID
}

// approval is the chain of approvals of one criterion; the last one holds.
type approval struct {
	criterion model.Criterion
	head      model.RegisterEvent
}

// ApproveCriterion makes a rule's limit a requirement for one system. Approving
// again adds to the chain: the new person and basis hold from then on.
func (r *Register) ApproveCriterion(ctx context.Context, rule signal.RuleID, system signal.SystemID, by model.Actor, basis string) (model.Criterion, error) {
	op := fmt.Sprintf("approve criterion %s for %s", rule, system)
	switch {
	case rule == "" || system == "":
		return model.Criterion{}, errs.E(op, errs.Invalid, fmt.Errorf("rule and system must be named"), "")
	case by.ID == "" || by.Kind != "person":
		return model.Criterion{}, errs.E(op, errs.Invalid, fmt.Errorf("a person approves"), "name who approves")
	case strings.TrimSpace(basis) == "":
		return model.Criterion{}, errs.E(op, errs.Invalid, fmt.Errorf("no basis is given"), "say on what the requirement rests, for example the policy and its date")
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.newest(ctx); err != nil {
		return model.Criterion{}, err
	}
	record := derivedID("criterion", r.opts.Tenant, string(rule), string(system))
	criterion := model.Criterion{ID: uuid.NewString(), Rule: rule, System: system, ApprovedBy: by, Basis: strings.TrimSpace(basis)}
	var head *model.RegisterEvent
	r.mu.RLock()
	if a := r.approvals[criterionKey{rule, system}]; a != nil {
		last := a.head
		head = &last
	}
	r.mu.RUnlock()
	at := r.opts.Clock()
	criterion.ApprovedAt = at.UTC()
	event, err := newEvent(record, criterion.ID, EventApproved, at, by, criterion, head)
	if err != nil {
		return model.Criterion{}, err
	}
	return criterion, r.append(ctx, event)
}

// foldApproval takes an approval in. Holds mu.
func (r *Register) foldApproval(ev model.RegisterEvent) error {
	var c model.Criterion
	if err := json.Unmarshal(ev.Data, &c); err != nil {
		return fmt.Errorf("approval %d of %s: %w", ev.Seq, ev.Record, err)
	}
	r.approvals[criterionKey{c.Rule, c.System}] = &approval{criterion: c, head: ev}
	return nil
}

// criterion gives the approval that holds, or nil. Holds mu.
func (r *Register) criterion(rule signal.RuleID, system signal.SystemID) *model.Criterion {
	if a := r.approvals[criterionKey{rule, system}]; a != nil {
		c := a.criterion
		return &c
	}
	return nil
}

// Criteria lists the approvals that hold, by rule and system.
func (r *Register) Criteria() []model.Criterion {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]model.Criterion, 0, len(r.approvals))
	for _, a := range r.approvals {
		list = append(list, a.criterion)
	}
	slices.SortFunc(list, func(a, b model.Criterion) int {
		return strings.Compare(string(a.Rule)+"\x00"+string(a.System), string(b.Rule)+"\x00"+string(b.System))
	})
	return list
}
