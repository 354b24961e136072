package register

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// State is where a record stands in its life.
type State string

// The states. Those after StateOpen are reached by work on the record.
const (
	StateCandidate       State = "candidate"
	StateOpen            State = "open"
	StateContained       State = "contained"
	StateAnalysed        State = "analysed"
	StatePlanned         State = "planned"
	StateInProgress      State = "in_progress"
	StateImplemented     State = "implemented"
	StateVerifying       State = "verifying"
	StateClosedEffective State = "closed_effective"
	StateClosedAccepted  State = "closed_accepted"
	StateVoid            State = "void"
)

// Terminal says that the record no longer holds its deduplication key.
func (s State) Terminal() bool {
	return s == StateClosedEffective || s == StateClosedAccepted || s == StateVoid
}

// The kinds of records.
const (
	Nonconformity = "nonconformity"
	Observation   = "observation"
)

// The conditions: what the last evaluations say, whatever the state.
const (
	Failing     = "failing"
	Cleared     = "cleared"
	SilentCause = "no_data"
)

// same as a target means that the state does not change.
const same State = ""

// anyOpen lists the states that are not terminal.
var anyOpen = []State{StateCandidate, StateOpen, StateContained, StateAnalysed, StatePlanned, StateInProgress, StateImplemented, StateVerifying}

// move is one row of the state machine: a record in one of the from states may
// take the event, when the guard agrees, and then stands in to.
type move struct {
	event string
	from  []State
	to    State
	guard func(rec *model.Record, c change) error // nil: none
}

// change is what a guard may ask about.
type change struct {
	actor    model.Actor
	approved *model.Criterion
}

// moves is the whole state machine. Opening is not in it: a record starts in
// the state that start gives.
var moves = []move{
	{event: EventOccurrence, from: anyOpen, to: same},
	{event: EventFailing, from: anyOpen, to: same},
	{event: EventPassing, from: anyOpen, to: same},
	{event: EventCleared, from: anyOpen, to: same},
	{event: EventNoData, from: anyOpen, to: same},
	{event: EventAcknowledged, from: anyOpen, to: same, guard: byPerson},
	{event: EventPromoted, from: anyOpen, to: StateOpen, guard: promotable},
}

// start gives the state of a new record. A nonconformity is confirmed by the
// approval of its criterion; an observation waits for a person's judgement.
func start(kind string) State {
	if kind == Nonconformity {
		return StateOpen
	}
	return StateCandidate
}

// permit says whether the record may take the event now.
func permit(rec *model.Record, event string, c change) error {
	op := fmt.Sprintf("%s %s", event, rec.Ref)
	m := find(event)
	if m == nil {
		return errs.E(op, errs.Invalid, fmt.Errorf("no record takes an event %q", event), "")
	}
	if !slices.Contains(m.from, State(rec.State)) {
		return errs.E(op, errs.Conflict, fmt.Errorf("the record is %s", rec.State), "")
	}
	if m.guard == nil {
		return nil
	}
	if err := m.guard(rec, c); err != nil {
		return errs.E(op, errs.Invalid, err, "")
	}
	return nil
}

// target gives the state after an event that was permitted.
func target(event string, from State) State {
	if m := find(event); m != nil && m.to != same {
		return m.to
	}
	return from
}

func find(event string) *move {
	i := slices.IndexFunc(moves, func(m move) bool { return m.event == event })
	if i < 0 {
		return nil
	}
	return &moves[i]
}

func byPerson(_ *model.Record, c change) error {
	if c.actor.ID == "" || c.actor.Kind != "person" {
		return fmt.Errorf("awareness is a person's: name who acknowledges")
	}
	return nil
}

func promotable(rec *model.Record, c change) error {
	if rec.Kind != Observation {
		return fmt.Errorf("only an observation is promoted, this is a %s", rec.Kind)
	}
	if c.approved == nil {
		return fmt.Errorf("the criterion of %s is not approved for %s", rec.Rule, rec.System)
	}
	return nil
}
