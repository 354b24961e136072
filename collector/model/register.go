package model

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// AnyOpen, as the state of a RecordFilter, matches every state that is not
// terminal.
const AnyOpen = "any_open"

// RecordFilter chooses records; an empty field matches all.
type RecordFilter struct {
	State     string // or AnyOpen
	Kind      string
	Rule      signal.RuleID
	System    signal.SystemID
	Condition string
}

// RecordEntry is a record as its reader gets it.
type RecordEntry struct {
	Record Record
	Fault  *ChainFault // set: the chain is broken, and the record proves nothing from there on
}

// ChainFault says where a chain of events is broken and why. What follows the
// break is still shown, but no longer proves anything.
type ChainFault struct {
	Record string `json:"record"`
	Seq    uint64 `json:"seq"`
	Reason string `json:"reason"`
}

// Error names record, event and reason.
func (f ChainFault) Error() string {
	return fmt.Sprintf("the event chain of record %s is broken at seq %d: %s", f.Record, f.Seq, f.Reason)
}

// Criterion is the approval that makes a rule's limit a requirement for one
// system.
type Criterion struct {
	ID         string          `json:"id"` // of the approval's event
	Rule       signal.RuleID   `json:"rule"`
	System     signal.SystemID `json:"system"`
	ApprovedBy Actor           `json:"approved_by"`
	ApprovedAt time.Time       `json:"approved_at"`
	Basis      string          `json:"basis"`
}
