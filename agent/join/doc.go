// Package join joins predictions with their labels beside the model, for those
// who may send neither: only counts leave.
//
//	predictions -> Add   -> [slot's file] ─┐
//	labels      -> Label -> [slot's file] ─┴> horizon over -> signal.Cohort -> Tell
//
// Predictions are kept by the slot of time in which they were made, each slot in
// a file of its own; memory holds an index of which prediction is in which slot.
// Both are bounded. A slot is counted when its horizon is over, told, and its
// file removed; what a label says later finds nothing and is counted as late.
// Groups that are too small to be told are held for a later slot.
//
// Files are written when a label request ends (and synced, before it is answered)
// and otherwise once a second: a process that is killed loses at most the
// predictions of the last second, a restart nothing.
package join
