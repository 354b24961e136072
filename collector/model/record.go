package model

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// RegisterEvent is one link in the chain of a record. Records are projections
// of their events; events are appended and never changed.
type RegisterEvent struct {
	ID       string // uuid
	Record   string // uuid of the record or approval that it is about
	Seq      uint64 // from 1, without gaps
	Time     time.Time
	Type     string // one of the Event constants of package register
	Actor    Actor
	Data     json.RawMessage // canonical JSON; its shape depends on Type
	PrevHash signal.Digest   // empty for Seq 1
	Hash     signal.Digest   // over all fields above
}

// Actor is who did something.
type Actor struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // person, service, team
	Role string `json:"role,omitempty"`
}

// Record is the present view of a nonconformity or observation; its JSON form
// follows the published schema.
type Record struct {
	ID            string            `json:"id"`
	Ref           string            `json:"ref"` // NC-2026-00001
	Tenant        string            `json:"tenant"`
	DedupKey      signal.Digest     `json:"dedup_key"`
	Kind          string            `json:"kind"` // nonconformity, observation
	Severity      string            `json:"severity,omitempty"`
	State         string            `json:"state"`
	Condition     string            `json:"condition"` // failing, cleared, no_data
	Rule          signal.RuleID     `json:"rule"`
	RuleTitle     string            `json:"rule_title"`
	RuleDigest    signal.Digest     `json:"rule_digest"`
	Evaluation    string            `json:"evaluation"` // the one that opened it
	Requirements  []Requirement     `json:"requirements"`
	Statement     string            `json:"statement"`
	System        signal.SystemID   `json:"system"`
	Subject       map[string]string `json:"subject"` // without the model version
	ModelVersions []string          `json:"model_versions,omitempty"`
	Value         *float64          `json:"value"` // at opening
	Worst         *float64          `json:"worst"`
	Last          *float64          `json:"last"`
	Limit         string            `json:"limit"`
	Occurrences   uint64            `json:"occurrences"`
	DetectedAt    time.Time         `json:"detected_at"` // end of the first failing window
	OpenedAt      time.Time         `json:"opened_at"`
	LastSeenAt    time.Time         `json:"last_seen_at"`
	ClearedAt     *time.Time        `json:"cleared_at,omitempty"`
	AwareAt       *time.Time        `json:"aware_at,omitempty"` // first acknowledged
	AcknowledgeBy *Actor            `json:"acknowledged_by,omitempty"`
	Responsible   map[string]string `json:"responsible,omitempty"`
	Runbook       string            `json:"runbook,omitempty"`
	Seq           uint64            `json:"seq"`  // of the last event
	Head          signal.Digest     `json:"head"` // hash of the last event
}

// Requirement is a clause or control that a rule serves.
type Requirement struct {
	Framework string `json:"framework"`
	Ref       string `json:"ref"`
}
