// Package compare holds any time of a model's service against any other, after
// the fact, from what agents counted then.
//
//	Question ─> sums of both sides ─> common cells ─> drift, in a sentence
//	            (model.CountReader)   (rebin)         (signal, measure)
//
// The sums are added where they are stored, by the digest of their bounds. Cells
// that mean different things are never compared: where the sides were counted
// under different baselines, they are folded together if the cells of one are
// made of whole cells of the other, and refused otherwise, with what to do.
//
// The reference side takes the place of a baseline, so that scores, intervals
// and sentences are those of the same code as everywhere else.
package compare
