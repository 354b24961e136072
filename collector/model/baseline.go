package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// The states of a baseline for a model.
const (
	BaselineProposed  = "proposed"  // declared by an agent or pushed, and nobody has decided
	BaselineApproved  = "approved"  // it is the reference
	BaselineWithdrawn = "withdrawn" // it must not be the reference any more
)

// BaselineDecision is what a person decided about a baseline for a model.
type BaselineDecision struct {
	ID     string          `json:"id"` // of the register's event
	Digest signal.Digest   `json:"digest"`
	System signal.SystemID `json:"system"`
	Model  string          `json:"model"` // name; any version
	State  string          `json:"state"` // approved or withdrawn
	By     Actor           `json:"by"`
	At     time.Time       `json:"at"`
	Basis  string          `json:"basis"` // on what the decision rests
}

// BaselineInfo is a baseline as it was declared for a model version, without its
// counts.
type BaselineInfo struct {
	Digest   signal.Digest   `json:"digest"`
	System   signal.SystemID `json:"system"`
	Model    signal.ModelRef `json:"model"`
	SeenAt   time.Time       `json:"seen_at"` // declared or pushed last
	Source   string          `json:"source,omitempty"`
	Rows     uint64          `json:"rows"`     // of the reference data
	Features uint64          `json:"features"` // inputs and predictions
}

// BaselineEntry is a baseline for a model version, and what was decided about it
// for the model.
type BaselineEntry struct {
	BaselineInfo
	State    string            `json:"state"` // proposed, approved, withdrawn
	Decision *BaselineDecision `json:"decision,omitempty"`
}

// BaselineRegistration is all that is known about one baseline.
type BaselineRegistration struct {
	Digest    signal.Digest      `json:"digest"`
	Entries   []BaselineEntry    `json:"entries"`
	Decisions []BaselineDecision `json:"decisions"` // oldest first
}

// BaselineUse says which baseline a model version's windows are compared with.
type BaselineUse struct {
	System   signal.SystemID
	Model    signal.ModelRef
	Digest   signal.Digest // of the newest window that names one
	LastSeen time.Time     // end of that window
}

// BaselineFilter chooses baselines; an empty field matches all.
type BaselineFilter struct {
	Digest signal.Digest
	Prefix string // of the digest
	System signal.SystemID
	Model  string
}

// BaselineReader gives the register of baselines what is stored.
type BaselineReader interface {
	// Baselines gives those that match, the one declared last first, at most limit.
	Baselines(ctx context.Context, f BaselineFilter, limit int) ([]BaselineInfo, error)
	// BaselinesInUse gives what windows that ended after from and not after to were
	// compared with, by system, name and version.
	BaselinesInUse(ctx context.Context, from, to time.Time) ([]BaselineUse, error)
}
