package register

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/collector/model"
)

// projection is one record as its events make it. It reads no clock and asks
// nobody, so the same events always give the same projection.
type projection struct {
	rec    model.Record
	events []model.RegisterEvent
	parts  map[string]string // condition of each part, by its canonical labels
	excess *float64          // of rec.Worst
	fault  *model.ChainFault // nil: the chain holds
}

// apply folds one event in.
func (p *projection) apply(ev model.RegisterEvent) error {
	p.events = append(p.events, ev)
	p.rec.Seq, p.rec.Head = ev.Seq, ev.Hash
	switch ev.Type {
	case EventOpened:
		return p.open(ev)
	case EventAcknowledged:
		if p.rec.AwareAt == nil {
			at, by := ev.Time, ev.Actor
			p.rec.AwareAt, p.rec.AcknowledgeBy = &at, &by
		}
		return nil
	case EventOccurrence, EventFailing, EventPassing, EventCleared, EventNoData, EventPromoted:
		return p.observe(ev)
	}
	return fmt.Errorf("event %d of record %s: unknown type %q", ev.Seq, ev.Record, ev.Type)
}

func (p *projection) open(ev model.RegisterEvent) error {
	var d Opened
	if err := json.Unmarshal(ev.Data, &d); err != nil {
		return fmt.Errorf("opening event of record %s: %w", ev.Record, err)
	}
	p.parts = map[string]string{}
	p.rec = model.Record{
		ID: ev.Record, Ref: d.Ref, Tenant: d.Tenant, DedupKey: d.DedupKey,
		Kind: d.Kind, Severity: d.Severity, State: string(d.State),
		Rule: d.Rule, RuleTitle: d.RuleTitle, RuleDigest: d.RuleDigest, Evaluation: d.Measured.Evaluation,
		Requirements: d.Requirements, Statement: d.Measured.Reason, System: d.System, Subject: d.Subject,
		Limit: d.Limit, DetectedAt: d.DetectedAt, OpenedAt: ev.Time,
		Responsible: d.Responsible, Runbook: d.Runbook, Seq: ev.Seq, Head: ev.Hash,
	}
	p.count(d.Measured)
	p.rec.Value = p.rec.Last
	return nil
}

// observe folds in what an evaluation said about a record that is open.
func (p *projection) observe(ev model.RegisterEvent) error {
	var d Observed
	if err := json.Unmarshal(ev.Data, &d); err != nil {
		return fmt.Errorf("event %d of record %s: %w", ev.Seq, ev.Record, err)
	}
	p.rec.State = string(target(ev.Type, State(p.rec.State)))
	switch ev.Type {
	case EventOccurrence, EventFailing:
		p.count(d.Measured)
	case EventPromoted:
		p.count(d.Measured)
		p.rec.Kind, p.rec.Severity = Nonconformity, d.Severity
	case EventPassing, EventCleared:
		p.see(d.Measured, Cleared)
	case EventNoData:
		p.see(d.Measured, SilentCause)
	}
	if p.rec.Condition == Cleared {
		if p.rec.ClearedAt == nil {
			at := ev.Time
			p.rec.ClearedAt = &at
		}
	} else {
		p.rec.ClearedAt = nil
	}
	return nil
}

// count folds in an evaluation that shows the requirement not met.
func (p *projection) count(m Measured) {
	p.rec.Occurrences++
	p.rec.LastSeenAt = m.WindowEnd
	condition := Failing
	if m.Verdict != "fail" {
		condition = SilentCause
	}
	p.see(m, condition)
	if m.Excess != nil && (p.excess == nil || *m.Excess > *p.excess) {
		p.excess, p.rec.Worst = m.Excess, m.Value
	}
}

// see notes the condition of one part. The record fails while any part fails.
func (p *projection) see(m Measured, condition string) {
	p.parts[partKey(m.Part)] = condition
	p.rec.Condition = worstOf(p.parts)
	if m.Value != nil {
		p.rec.Last = m.Value
	}
	if v := m.Part[labelModelVersion]; v != "" && !slices.Contains(p.rec.ModelVersions, v) {
		p.rec.ModelVersions = append(p.rec.ModelVersions, v)
		slices.Sort(p.rec.ModelVersions)
	}
}

// conditionWith tells the record's condition if one part had another one.
func (p *projection) conditionWith(part map[string]string, condition string) string {
	parts := maps.Clone(p.parts)
	parts[partKey(part)] = condition
	return worstOf(parts)
}

func worstOf(parts map[string]string) string {
	worst := Cleared
	for _, c := range parts {
		if c == Failing {
			return Failing
		}
		if c == SilentCause {
			worst = SilentCause
		}
	}
	return worst
}

// partKey names a part; the same for no map and an empty one.
func partKey(part map[string]string) string {
	if len(part) == 0 {
		return ""
	}
	raw, _ := json.Marshal(part) // sorted by key; strings cannot fail
	return string(raw)
}
