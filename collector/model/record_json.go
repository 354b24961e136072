package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Labels of a subject that have a place of their own in the published form.
const (
	labelSystem = "evenkeel_system_id"
	labelModel  = "evenkeel_model_name"
)

// publishedRecord is a Record in the form of the nonconformity schema. What
// the schema has no name for: rule_title, model_versions, last, limit (in
// place of a threshold, since a limit may be a band), acknowledged_by,
// responsible and runbook. Severity is left out of what is no nonconformity.
type publishedRecord struct {
	ID            string             `json:"id"`
	Ref           string             `json:"ref"`
	Tenant        string             `json:"tenant"`
	DedupKey      signal.Digest      `json:"dedup_key"`
	Kind          string             `json:"kind"`
	Severity      string             `json:"severity,omitempty"`
	State         string             `json:"state"`
	Condition     string             `json:"condition"`
	Source        publishedSource    `json:"source"`
	Requirements  []Requirement      `json:"requirements"`
	Statement     publishedStatement `json:"statement"`
	Subject       publishedSubject   `json:"subject"`
	Measure       publishedMeasure   `json:"measure"`
	Occurrences   uint64             `json:"occurrences"`
	DetectedAt    time.Time          `json:"detected_at"`
	OpenedAt      time.Time          `json:"opened_at"`
	LastSeenAt    time.Time          `json:"last_seen_at"`
	ClearedAt     *time.Time         `json:"cleared_at,omitempty"`
	AwareAt       *time.Time         `json:"aware_at,omitempty"`
	AcknowledgeBy *Actor             `json:"acknowledged_by,omitempty"`
	Responsible   map[string]string  `json:"responsible,omitempty"`
	Runbook       string             `json:"runbook,omitempty"`
	Head          publishedHead      `json:"head"`
}

type publishedSource struct {
	Type       string        `json:"type"`
	RuleID     signal.RuleID `json:"rule_id"`
	RuleTitle  string        `json:"rule_title"`
	RuleDigest signal.Digest `json:"rule_digest"`
	Evaluation string        `json:"evaluation_id"`
}

type publishedStatement struct {
	Requirement string `json:"requirement"`
	Evidence    string `json:"evidence"`
	Failure     string `json:"failure"`
}

type publishedSubject struct {
	System        signal.SystemID   `json:"ai_system"`
	Model         string            `json:"model,omitempty"`
	ModelVersions []string          `json:"model_versions,omitempty"`
	Dimension     map[string]string `json:"dimension,omitempty"`
}

type publishedMeasure struct {
	Value *float64 `json:"value"`
	Worst *float64 `json:"worst"`
	Last  *float64 `json:"last"`
	Limit string   `json:"limit"`
}

type publishedHead struct {
	Seq  uint64        `json:"seq"`
	Hash signal.Digest `json:"hash"`
}

// MarshalJSON writes the published form.
func (r Record) MarshalJSON() ([]byte, error) {
	dimension := maps.Clone(r.Subject)
	delete(dimension, labelSystem)
	delete(dimension, labelModel)
	raw, err := json.Marshal(publishedRecord{
		ID: r.ID, Ref: r.Ref, Tenant: r.Tenant, DedupKey: r.DedupKey, Kind: r.Kind, Severity: r.Severity, State: r.State, Condition: r.Condition,
		Source:       publishedSource{"rule", r.Rule, r.RuleTitle, r.RuleDigest, r.Evaluation},
		Requirements: r.Requirements,
		Statement: publishedStatement{
			Requirement: fmt.Sprintf("%s %s: fails %s", r.Rule, r.RuleTitle, r.Limit),
			Evidence:    "evaluation " + r.Evaluation,
			Failure:     r.Statement,
		},
		Subject: publishedSubject{r.System, r.Subject[labelModel], r.ModelVersions, dimension},
		Measure: publishedMeasure{r.Value, r.Worst, r.Last, r.Limit}, Occurrences: r.Occurrences,
		DetectedAt: r.DetectedAt, OpenedAt: r.OpenedAt, LastSeenAt: r.LastSeenAt, ClearedAt: r.ClearedAt, AwareAt: r.AwareAt,
		AcknowledgeBy: r.AcknowledgeBy, Responsible: r.Responsible, Runbook: r.Runbook, Head: publishedHead{r.Seq, r.Head},
	})
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", r.Ref, err)
	}
	return raw, nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Record) UnmarshalJSON(raw []byte) error {
	var p publishedRecord
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	subject := maps.Clone(p.Subject.Dimension)
	if subject == nil {
		subject = map[string]string{}
	}
	if p.Subject.System != "" {
		subject[labelSystem] = string(p.Subject.System)
	}
	if p.Subject.Model != "" {
		subject[labelModel] = p.Subject.Model
	}
	*r = Record{
		ID: p.ID, Ref: p.Ref, Tenant: p.Tenant, DedupKey: p.DedupKey, Kind: p.Kind, Severity: p.Severity, State: p.State, Condition: p.Condition,
		Rule: p.Source.RuleID, RuleTitle: p.Source.RuleTitle, RuleDigest: p.Source.RuleDigest, Evaluation: p.Source.Evaluation,
		Requirements: p.Requirements, Statement: p.Statement.Failure, System: p.Subject.System, Subject: subject, ModelVersions: p.Subject.ModelVersions,
		Value: p.Measure.Value, Worst: p.Measure.Worst, Last: p.Measure.Last, Limit: p.Measure.Limit, Occurrences: p.Occurrences,
		DetectedAt: p.DetectedAt, OpenedAt: p.OpenedAt, LastSeenAt: p.LastSeenAt, ClearedAt: p.ClearedAt, AwareAt: p.AwareAt,
		AcknowledgeBy: p.AcknowledgeBy, Responsible: p.Responsible, Runbook: p.Runbook, Seq: p.Head.Seq, Head: p.Head.Hash,
	}
	return nil
}
