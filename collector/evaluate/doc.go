// Package evaluate gives every rule's verdict on every subject, and stores it
// also when it is a pass.
//
//	fleet ── Sealed(window) ──┐
//	wall clock ── Step ───────┼─> measure ─> decide ─> follow ─> Writer ─> Register.Consume
//	                          │   (PromQL)   (limits)  (streak, state)
//	store ── at the start ────┘
//
// A rule by windows is evaluated once for each sealed window of its length, at
// the slot's end, with the window as lookback: only this slot's values count. A
// rule by the wall clock is evaluated at multiples of its period, for every
// system that is declared or known. Subjects that had a value in the last seven
// days are expected; one without a value has no_data, and so has a system of
// which nothing is known.
//
// All state lives in the stored evaluations: what is held in memory is the
// newest of every rule and subject, read back at the start. The same window
// gives the same evaluation ids under the same batch, so repeating is a no-op.
package evaluate
