package register

import (
	"context"
	"fmt"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// evaluator is who speaks in events that a verdict causes.
var evaluator = model.Actor{ID: "evenkeel-collector", Kind: "service", Role: "evaluator"}

// Consume takes one evaluation in. The same evaluation again changes nothing.
// A fail that fires opens a record or is counted in the open one; silence that
// has lasted as long as the rule says opens one or becomes its condition; a
// pass clears the condition. A warning, an error, and what has not lasted yet
// leave everything as it is, since they show neither that the requirement is
// met nor that it is not. An error means: the same evaluation again, later;
// what was begun is then finished, not repeated.
func (r *Register) Consume(ctx context.Context, rule *rules.Effective, ev model.Evaluation) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.recent(ctx); err != nil {
		return err
	}
	event, err := r.decide(facts{rule}, &ev)
	if err == nil && event != nil && r.opts.Shared {
		if err := r.newest(ctx); err != nil {
			return err
		}
		event, err = r.decide(facts{rule}, &ev)
	}
	if err != nil {
		return fmt.Errorf("evaluation %s of %s: %w", ev.ID, ev.Rule, err)
	}
	if event == nil {
		return nil
	}
	return r.append(ctx, *event)
}

// decide gives the event that an evaluation causes, or nil.
func (r *Register) decide(rule facts, ev *model.Evaluation) (*model.RegisterEvent, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, done := r.seen[ev.ID]; done {
		return nil, nil
	}
	named, part := rule.split(ev)
	key, err := rule.key(r.opts.Tenant, named)
	if err != nil {
		return nil, err
	}
	approved := r.criterion(rule.ID, ev.System)
	if p := r.open[key]; p != nil {
		return r.follow(p, rule, ev, part, approved)
	}
	if ev.State != model.StateFiring || ev.Verdict != signal.Fail && ev.Verdict != signal.NoData {
		return nil, nil
	}
	kind := rule.kind(ev.Verdict, approved)
	if kind == "" {
		return nil, nil
	}
	return r.begin(rule, ev, kind, key, named, part, approved)
}

// begin makes the event that opens a record. Its id and time come from the
// evaluation, so that the same evaluation always makes the same event.
func (r *Register) begin(rule facts, ev *model.Evaluation, kind string, key signal.Digest, named, part map[string]string, approved *model.Criterion) (*model.RegisterEvent, error) {
	record := derivedID("record", string(key), ev.ID)
	if kind == Observation {
		approved = nil
	}
	opened := Opened{
		Ref: r.nextRef(ev.EvaluatedAt.UTC().Year()), Tenant: r.opts.Tenant, DedupKey: key,
		Kind: kind, Severity: rule.severity(kind), State: start(kind),
		Rule: rule.ID, RuleTitle: rule.Title, RuleVersion: rule.Version, RuleDigest: rule.Digest,
		System: ev.System, Subject: named, Requirements: rule.requirements(),
		Responsible: rule.responsible(), Runbook: rule.Runbook, Limit: ev.FailLimit,
		Criterion: approved, DetectedAt: rule.detectedAt(ev).UTC(), Measured: rule.measured(ev, part),
	}
	event, err := newEvent(record, derivedID("event", record, ev.ID), EventOpened, ev.EvaluatedAt, evaluator, opened, nil)
	return &event, err
}

// follow makes the event that an evaluation causes in an open record, or nil.
func (r *Register) follow(p *projection, rule facts, ev *model.Evaluation, part map[string]string, approved *model.Criterion) (*model.RegisterEvent, error) {
	kind := followType(p, rule, ev, part, approved)
	if kind == "" {
		return nil, nil
	}
	if err := permit(&p.rec, kind, change{actor: evaluator, approved: approved}); err != nil {
		return nil, err
	}
	data := Observed{Measured: rule.measured(ev, part)}
	if kind == EventPromoted {
		data.Severity, data.Criterion = rule.severity(Nonconformity), approved
	}
	head := &p.events[len(p.events)-1]
	event, err := newEvent(p.rec.ID, derivedID("event", p.rec.ID, ev.ID), kind, ev.EvaluatedAt, evaluator, data, head)
	return &event, err
}

// followType names the event, or "" where nothing changes. Passes and silence
// are events only when they change the condition of the record or of a part.
func followType(p *projection, rule facts, ev *model.Evaluation, part map[string]string, approved *model.Criterion) string {
	known := p.parts[partKey(part)]
	promotes := ev.State == model.StateFiring && p.rec.Kind == Observation &&
		approved != nil && rule.kind(ev.Verdict, approved) == Nonconformity
	switch ev.Verdict {
	case signal.Fail:
		switch {
		case ev.State != model.StateFiring:
			return ""
		case promotes:
			return EventPromoted
		case p.rec.Condition != Failing:
			return EventFailing
		}
		return EventOccurrence
	case signal.Pass:
		if known == "" || known == Cleared || ev.State == model.StateFiring { // firing: too early to say so
			return ""
		}
		if p.conditionWith(part, Cleared) == Cleared {
			return EventCleared
		}
		return EventPassing
	case signal.NoData:
		switch {
		case promotes:
			return EventPromoted
		case ev.State != model.StateFiring || known == "" || known == SilentCause:
			return ""
		}
		return EventNoData
	}
	return ""
}
