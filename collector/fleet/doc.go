// Package fleet adds up what the replicas of a model counted and computes what
// no replica can: drift and disparity over all of them, once per window.
//
//	distributions ─> assemble ─> complete, or grace over ─> merge ─> score ─> Writer
//	   (store)       windows of       (seal)                                    │
//	                 every replica                        Sealed(FleetWindow) <─┘
//	                                                      (collector/evaluate)
//
// Time is cut into slots, multiples of a length since the Unix epoch, for every
// length that the rules ask for. An agent's window belongs to the slot with
// slot.start < window.End <= slot.end. A slot is sealed once for every model
// version: what comes later is counted as late and not added, so that a
// verdict never changes under those who rely on it.
//
// Silence is sealed as well. A model that was heard of in the last seven days
// and a declared system without any model get windows without rows, so that
// the evaluator needs no clock of its own to notice that nothing came.
//
// Series that fleet writes carry evenkeel_scope="fleet", evenkeel_window_length
// and, for disparities, evenkeel_group_judged: "false" where a group holds too
// small a share of the rows; it is shown in dashboards, and rules leave it out.
package fleet
