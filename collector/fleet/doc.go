// Package fleet adds up what the replicas of a model counted and computes what
// no replica can: drift and disparity over all of them, and how predictions
// turned out, once per window.
//
//	distributions ─> assemble ─> complete, or grace over ─> merge ─┐
//	   (store)       windows of       (seal)                       │
//	                 every replica                                 ├> record ─> score ─> Writer
//	                                                               │ (Writer)              │
//	predictions ──> cohort ──> horizon and grace over ──> count ───┘ Sealed(FleetWindow) <─┘
//	and labels                      (close)                          (collector/evaluate)
//	   (store)
//
// Time is cut into slots, multiples of a length since the Unix epoch, for every
// length that the rules ask for. An agent's window belongs to the slot with
// slot.start < window.End <= slot.end. A slot is sealed once for every model
// version: what comes later is counted as late and not added, so that a
// verdict never changes under those who rely on it.
//
// A labelled window, a cohort, is about the predictions that were made in a slot
// and the labels that the collector had by the slot's end plus a horizon, which
// each system has for itself. It is closed then: joined as a stream and counted,
// under the newest baseline among the predictions that says what they mean. What
// comes later is counted as late, once, and not added. It stands at the end of
// its slot, beside the window over rows of the same length (docs/adr/0004).
//
// Rows that were kept at different rates are added by their weights; what a sum
// then holds is effective rows (signal.Blend). The record says in a sentence what
// moved in the columns that moved most.
//
// Over the sealed windows of a length fleet also keeps the anytime-valid drift
// processes: each window is added once and in order, and what they have seen is
// stored in the window's own batch, so that a restart goes on where it was.
//
// What a window is made of is recorded before it is scored, and scored from the
// record: after a crash the last one is scored again from exactly its windows,
// or its counts, whatever has come since (docs/adr/0003).
//
// Silence is sealed as well. A model that was heard of in the last seven days
// (or two slots, where they are longer) and a declared system without any model
// get windows without rows, so that the evaluator needs no clock of its own to
// notice that nothing came. A version that another one has replaced is let go:
// that one has had rows in three slots since. Labelled windows are so sealed of
// models that have sent predictions, and of no others. After a restart nobody is sealed
// as absent before the agents had the time to deliver.
//
// Series that fleet writes carry evenkeel_scope="fleet", evenkeel_window_length,
// evenkeel_convention and, for disparities, evenkeel_group_judged: "false" where a group holds too
// small a share of the rows; it is shown in dashboards, and rules leave it out.
package fleet
