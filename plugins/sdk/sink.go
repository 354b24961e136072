package sdk

import (
	"context"
	"encoding/json"
	"time"
)

// TicketSink keeps records where a team works.
//
// The collector delivers each event at least once and the events of one record
// in order. Calls about different records may come at the same time. A call
// with an event id that was handled before must do nothing again and answer as
// before. ctx ends when the collector no longer waits.
//
// Errors: Invalid and NotFound are final, the event is not tried again; any
// other error is tried again with growing pauses, for as long as it takes.
type TicketSink interface {
	// Describe says who the sink is. It works before Validate and has no side
	// effects.
	Describe(ctx context.Context) (Description, error)
	// Validate checks the configuration, a JSON object, strictly: an unknown
	// key is Invalid. When it is sound the sink uses it from now on. It comes
	// before the calls below, once after every start of the process.
	Validate(ctx context.Context, config json.RawMessage) error
	// Create makes the record's ticket, or finds the one it made before. The
	// key that it gives names the ticket from then on.
	Create(ctx context.Context, ev Event, rec Record) (Ticket, error)
	// Update brings a ticket up to the record as it was after ev. NotFound
	// means that people removed the ticket.
	Update(ctx context.Context, key string, ev Event, rec Record) (Ticket, error)
	// Comment adds a remark. Unsupported where tickets have none.
	Comment(ctx context.Context, key string, c Comment) error
	// Get reads a ticket. Unsupported where there is nothing to read.
	Get(ctx context.Context, key string) (Ticket, error)
	// Changes gives what people did to tickets after the cursor, oldest first,
	// without what the sink did itself. Empty since means from the start; the
	// cursor that it gives is never older. Unsupported where nothing comes back.
	Changes(ctx context.Context, since string) ([]Change, string, error)
}

// Description says who a sink is and what it can do.
type Description struct {
	Name     string // lower case: "webhook"
	Version  string
	Summary  string // one sentence
	Comments bool   // Comment works
	Reads    bool   // Get works
	Changes  bool   // Changes works
}

// Event is one link in the chain of a record.
type Event struct {
	ID     string // uuid; the key of idempotency
	Record string // uuid
	Seq    uint64 // from 1, without gaps within a record
	Time   time.Time
	Type   string // opened, failing, cleared, acknowledged, ...
	Actor  string
	Data   json.RawMessage // by type
}

// Record is a nonconformity or observation.
type Record struct {
	ID        string // uuid
	Ref       string // NC-2026-00001
	Kind      string
	Severity  string // empty for observations
	State     string
	Condition string
	Rule      string
	System    string
	Title     string          // one line
	Statement string          // what is not met, in a sentence or two
	JSON      json.RawMessage // the whole record
}

// Ticket is what a sink keeps for a record.
type Ticket struct {
	Key   string // the sink's own, not empty
	URL   string // where people see it; may be empty
	State string // the sink's own word
}

// Comment is a remark to add to a ticket.
type Comment struct {
	EventID string
	Author  string
	Text    string
}

// Change is something that a person did to a ticket.
type Change struct {
	Ticket  Ticket
	Time    time.Time
	Author  string
	Comment string // empty for a change of state alone
}
