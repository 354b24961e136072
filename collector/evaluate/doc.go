// Package evaluate gives every rule's verdict on every subject, and stores it
// also when it is a pass.
//
//	fleet ── Sealed(window) ──┐
//	wall clock ── Step ───────┼─> measure ─> decide ─> follow ─> Writer ─> Register.Consume
//	                          │   (PromQL)   (limits)  (streak, state)
//	store ── at the start ────┘         (newest evaluations only)
//
// A rule by windows is evaluated once for each sealed window of its length, at
// the slot's end, with the window as lookback: only this slot's values count.
// That is a window over rows, or, for a rule on labelled windows, one over
// predictions and their labels, which is closed a horizon after its end; both
// may have the same length and end, and neither is taken for the other. A
// rule by the wall clock is evaluated at multiples of its period, for every
// system that is declared or known, once everything that was acknowledged by
// then is stored, and not right after a restart, while agents still deliver
// what an outage held back.
//
// Subjects that had a value in the last seven days (or two windows, where they
// are longer) are expected; one without a value has no_data, and so has a
// system of which nothing is known. Two kinds are let go: versions of a model
// that another version has replaced, and subjects of which the rule's `ended`
// expression says that they stopped in an orderly way. The latter get one last
// evaluation, a pass without a value, which keeps them away after a restart.
//
// All state lives in the stored evaluations: what is held in memory is the
// newest of every rule and subject, read back at the start; fleet tells again
// of the windows that were sealed before. The same window gives the same
// evaluation ids under the same batch, so repeating is a no-op.
package evaluate
