package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// The states of a deployment.
const (
	DeploymentApproved  = "approved"  // it may be in service
	DeploymentWithdrawn = "withdrawn" // it may not any more
)

// Deployment is what a person approved to be in service: a version of a model,
// the things that stand behind its answers, or both. What is left out is not
// decided by it.
type Deployment struct {
	ID      string            `json:"id"`
	System  signal.SystemID   `json:"system"`
	Model   string            `json:"model"`             // name, without stage and route
	Version string            `json:"version,omitempty"` // empty: no version is decided about
	Digests map[string]string `json:"digests,omitempty"` // by part: model, index, prompt, transform
	State   string            `json:"state"`
	By      Actor             `json:"by"` // who decided last
	At      time.Time         `json:"at"`
	Basis   string            `json:"basis"` // on what the decision rests
}

// DeploymentHistory is a deployment with all that was decided about it.
type DeploymentHistory struct {
	Deployment
	Decisions []Deployment `json:"decisions"` // oldest first
}

// DeploymentFilter chooses deployments; an empty field matches all.
type DeploymentFilter struct {
	System signal.SystemID
	Model  string
	State  string
}

// PartInUse says what stood behind how many requests.
type PartInUse struct {
	System   signal.SystemID
	Model    signal.ModelRef
	Part     string // model, index, prompt, transform, run; version
	Value    string
	Requests uint64
	Last     time.Time // end of the newest window
}

// ChangeTold is a change of a model that an agent has told.
type ChangeTold struct {
	System signal.SystemID
	Model  string
	Of     string // version, baseline, or a part
	New    string
	Times  uint64 // agents that told it, and how often
}

// DeploymentReader gives what is in service.
type DeploymentReader interface {
	// PartsInUse gives what stood behind the requests of windows that ended in
	// (from, to], and as the part "version" which versions answered.
	PartsInUse(ctx context.Context, from, to time.Time) ([]PartInUse, error)
	// ChangesTold gives the changes that were told in (from, to].
	ChangesTold(ctx context.Context, from, to time.Time) ([]ChangeTold, error)
}
