package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// SQLQuery is one SELECT of a rule, about one system and the window (From, To].
type SQLQuery struct {
	Text     string
	System   signal.SystemID
	From, To time.Time

	Timeout time.Duration // of the query
	MaxRows int           // of the answer
}

// SQLRow is one row of an answer: the columns that rules know as numbers, nil
// where they are missing or NULL, and all others as text.
type SQLRow struct {
	Value, Lower, Upper, Samples *float64
	Part, Whole                  *float64 // counts, whose share is the value
	Labels                       map[string]string
}

// SQLReader answers a rule's SELECT. It reads nothing of another system, writes
// nothing, and stops at bounds. Errors are of kind Invalid (no such statement,
// or more than it may), Exhausted (beyond a bound) or Unavailable.
type SQLReader interface {
	SelectSQL(ctx context.Context, q SQLQuery) ([]SQLRow, error)
}
