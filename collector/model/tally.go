package model

import "github.com/evenkeel/evenkeel/signal"

// RuleTally is how often a rule of a system was due since the start of the
// collector, by what became of it.
type RuleTally struct {
	System signal.SystemID
	Rule   signal.RuleID
	Done   uint64 // judged
	Missed uint64 // nobody asked in time, or the verdicts could not be stored
	Failed uint64 // the query could not be answered: the verdict is error
}
