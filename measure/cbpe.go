package measure

import (
	"fmt"
	"math"
)

// Conventions of performance that is estimated without labels.
const (
	ConventionEstimatedAccuracy  = "accuracy/cbpe_isotonic@1"
	ConventionEstimatedPrecision = "precision/cbpe_isotonic@1"
	ConventionEstimatedRecall    = "recall/cbpe_isotonic@1"
	ConventionEstimatedF1        = "f1/cbpe_isotonic@1"
	ConventionEstimatedAUC       = "auc/cbpe_isotonic@1"
)

// maxOutside is the share of rows with scores beyond the calibrator's support up
// to which the rest may speak for all.
const maxOutside = 0.01

// ExpectedPerformance estimates the performance of a binary classifier without
// labels (confidence-based performance estimation): a row that the calibrator
// gives the probability p of being positive counts as p of a positive and 1-p
// of a negative, and the measures follow from these expected counts.
//
// It assumes that the scores still mean what they meant in the calibrator's
// reference: no concept drift, which this estimate cannot see. Therefore it has
// no interval, since its error is that of its assumption and not of sampling:
// over windows of 1,000 rows of the California housing data, which make parity
// compares, its accuracy is off by up to 0.25. It is never to be mixed with
// realised performance.
//
// Rows with a score outside the calibrator's support are counted and left out;
// where they are more than 1% of all, every measure is undefined. Sums of parts
// of the data under the same calibrator add up; the zero value is empty and
// ready to use.
type ExpectedPerformance struct {
	Rows    uint64 `json:"rows"`    // within the support
	Outside uint64 `json:"outside"` // beyond it, left out

	TruePositive  float64 `json:"true_positive"`
	FalsePositive float64 `json:"false_positive"`
	TrueNegative  float64 `json:"true_negative"`
	FalseNegative float64 `json:"false_negative"`

	// Positives and negatives expected in each cell of the calibrator, by score.
	Positives []float64 `json:"positives,omitempty"`
	Negatives []float64 `json:"negatives,omitempty"`
}

// Add counts one row: the model's raw score and its decision. Undefined for a
// score that is not finite; nothing is counted then.
func (p *ExpectedPerformance) Add(c *Calibrator, score float64, predicted bool) error {
	if !countable(score) {
		return fmt.Errorf("score %v: %w", score, ErrUndefined)
	}
	if len(p.Positives) == 0 {
		p.Positives, p.Negatives = make([]float64, c.cells()), make([]float64, c.cells())
	}
	if len(p.Positives) != c.cells() {
		return fmt.Errorf("a calibrator of %d cells after one of %d: %w", c.cells(), len(p.Positives), ErrUndefined)
	}
	positive, cell, inside := c.at(score)
	if !inside {
		p.Outside++
		return nil
	}
	p.Rows++
	p.Positives[cell] += positive
	p.Negatives[cell] += 1 - positive
	if predicted {
		p.TruePositive += positive
		p.FalsePositive += 1 - positive
	} else {
		p.FalseNegative += positive
		p.TrueNegative += 1 - positive
	}
	return nil
}

// Merge adds what another part of the data counted under the same calibrator; it
// refuses another number of cells and then leaves p as it was. The order of
// merging changes the sums by rounding only.
func (p *ExpectedPerformance) Merge(o ExpectedPerformance) error {
	cells, others := len(p.Positives), len(o.Positives)
	if others != len(o.Negatives) || cells > 0 && others > 0 && cells != others {
		return fmt.Errorf("estimated performance: cells of different calibrators: %w", ErrUndefined)
	}
	if cells == 0 {
		p.Positives, p.Negatives = make([]float64, others), make([]float64, others)
	}
	for i := range o.Positives {
		p.Positives[i] += o.Positives[i]
		p.Negatives[i] += o.Negatives[i]
	}
	p.Rows += o.Rows
	p.Outside += o.Outside
	p.TruePositive += o.TruePositive
	p.FalsePositive += o.FalsePositive
	p.TrueNegative += o.TrueNegative
	p.FalseNegative += o.FalseNegative
	return nil
}

// Accuracy is the expected share of right predictions. Undefined without rows
// and with too many outside the support.
func (p *ExpectedPerformance) Accuracy() (Estimate, error) {
	return p.ratio("accuracy", ConventionEstimatedAccuracy, p.TruePositive+p.TrueNegative, p.FalsePositive+p.FalseNegative)
}

// Precision is the expected share of positives among the positive predictions.
// Undefined also where nothing was predicted positive.
func (p *ExpectedPerformance) Precision() (Estimate, error) {
	return p.ratio("precision", ConventionEstimatedPrecision, p.TruePositive, p.FalsePositive)
}

// Recall is the expected true positives over the expected positives. Undefined
// also where no positives are expected.
func (p *ExpectedPerformance) Recall() (Estimate, error) {
	return p.ratio("recall", ConventionEstimatedRecall, p.TruePositive, p.FalseNegative)
}

// F1 is the harmonic mean of expected precision and recall. Undefined also where
// neither positives nor positive predictions are expected.
func (p *ExpectedPerformance) F1() (Estimate, error) {
	return p.ratio("f1", ConventionEstimatedF1, 2*p.TruePositive, p.FalsePositive+p.FalseNegative)
}

// AUC is the expected area under the ROC curve of the raw scores: expected pairs
// of a positive above a negative, half for pairs in one cell of the calibrator,
// which is what it comes to where the calibrator is flat. Undefined also where
// one class is not expected at all.
func (p *ExpectedPerformance) AUC() (Estimate, error) {
	var below, ordered, within, positives float64
	for i := range p.Positives {
		ordered += float64(p.Positives[i] * below)
		within += float64(p.Positives[i] * p.Negatives[i])
		below += p.Negatives[i]
		positives += p.Positives[i]
	}
	pairs := positives * below
	right := ordered + within/2
	return p.ratio("auc", ConventionEstimatedAUC, right, pairs-right)
}

// ratio is part over part and rest.
func (p *ExpectedPerformance) ratio(name, convention string, part, rest float64) (Estimate, error) {
	all := float64(p.Rows) + float64(p.Outside)
	if p.Rows == 0 || float64(p.Outside) > float64(maxOutside*all) {
		return Estimate{}, fmt.Errorf("estimated %s: %d rows within the calibrator's support and %d outside: %w", name, p.Rows, p.Outside, ErrUndefined)
	}
	value := part / (part + rest)
	if !(value >= 0) || math.IsInf(value, 0) {
		return Estimate{}, fmt.Errorf("estimated %s: %v of %v expected rows: %w", name, part, part+rest, ErrUndefined)
	}
	return Estimate{Value: min(1, value), Samples: p.Rows, Convention: convention}, nil
}
