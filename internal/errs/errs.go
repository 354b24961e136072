// Package errs makes an error a piece of data: what was being done, what kind
// of failure it is, and what would cure it. Retries, exit codes and HTTP
// statuses follow from the kind.
package errs

import (
	"errors"
	"strings"
)

// Kind classifies a failure by what the caller can do about it.
type Kind uint8

// The kinds.
const (
	Other       Kind = iota
	Invalid          // the input is wrong; trying again changes nothing
	NotFound         // what was named does not exist
	Conflict         // somebody else has it: a lock, a port, a version
	Unavailable      // try again later
	Exhausted        // a bound was reached; try again later
	Corrupt          // stored bytes are not what was written
	Denied           // not authenticated or not allowed
)

// Error carries an operation, a kind and a hint beside the cause.
type Error struct {
	Op   string // what was being done: "open spool", "load rule DRF-01"
	Kind Kind
	Hint string // what to type or change; empty where there is no cure
	Err  error
}

// E builds an Error. The hint may be empty.
func E(op string, kind Kind, err error, hint string) error {
	return &Error{Op: op, Kind: kind, Hint: hint, Err: err}
}

// Of gives a kind to an error whose text says everything already.
func Of(kind Kind, err error) error { return &Error{Kind: kind, Err: err} }

// Error gives one line: operation, cause, and the hint after a semicolon.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Err != nil {
		if e.Op != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the outermost Error in err's chain that has one.
func KindOf(err error) Kind {
	var e *Error
	for errors.As(err, &e) {
		if e.Kind != Other {
			return e.Kind
		}
		err = e.Err
		e = nil
	}
	return Other
}

// Retryable says whether the same call may succeed later.
func Retryable(err error) bool {
	k := KindOf(err)
	return k == Unavailable || k == Exhausted
}
