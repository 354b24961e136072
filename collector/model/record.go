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
// is in record_json.go and follows the published schema.
type Record struct {
	ID            string
	Ref           string // NC-2026-00001
	Tenant        string
	DedupKey      signal.Digest
	Kind          string // nonconformity, observation
	Severity      string
	State         string
	Condition     string // failing, cleared, no_data
	Rule          signal.RuleID
	RuleTitle     string
	RuleDigest    signal.Digest
	Evaluation    string // the one that opened it
	Requirements  []Requirement
	Statement     string
	System        signal.SystemID
	Subject       map[string]string // without the model version
	ModelVersions []string
	Value         *float64 // at opening
	Worst         *float64
	Last          *float64
	Limit         string
	Occurrences   uint64
	DetectedAt    time.Time // end of the first failing window
	OpenedAt      time.Time
	LastSeenAt    time.Time
	ClearedAt     *time.Time
	AwareAt       *time.Time // first acknowledged
	AcknowledgeBy *Actor
	Responsible   map[string]string
	Runbook       string
	Seq           uint64        // of the last event
	Head          signal.Digest // hash of the last event
}

// Requirement is a clause or control that a rule serves.
type Requirement struct {
	Framework string `json:"framework"`
	Ref       string `json:"ref"`
}
