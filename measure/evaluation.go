package measure

import (
	"fmt"
	"math"
)

// Conventions of what evaluators say of answers.
const (
	ConventionEvaluationMean  = "evaluation_mean/student@1"
	ConventionEvaluationShare = "evaluation_share/wilson@1"
)

// EvaluationMean is the mean of the scores that an evaluator gave, with Student's
// interval. One score has no interval, nor have scores whose spread is lost in
// rounding (see Moments). Undefined for no scores and for a confidence outside
// (0, 1). Student (1908).
func EvaluationMean(m Moments, confidence float64) (Estimate, error) {
	if m.N == 0 {
		return Estimate{}, fmt.Errorf("mean of no evaluations: %w", ErrUndefined)
	}
	if _, err := criticalValue(confidence); err != nil {
		return Estimate{}, fmt.Errorf("mean of evaluations: %w", err)
	}
	n := float64(m.N)
	e := Estimate{Value: m.Sum / n, Samples: m.N, Convention: ConventionEvaluationMean}
	s, err := m.spread()
	if err != nil {
		return e, nil // the mean is there all the same
	}
	half := studentQuantile(confidence, n-1) * math.Sqrt(s.variance/n)
	lower, upper := e.Value-half, e.Value+half
	if !math.IsInf(upper-lower, 0) {
		e.Lower, e.Upper = &lower, &upper
	}
	return e, nil
}

// EvaluationShare is the share of the answers to which an evaluator gave a label,
// among those that it gave any, with Wilson's interval. Undefined where there are
// none.
func EvaluationShare(p Proportion, confidence float64) (Estimate, error) {
	return proportionScore("share of a label", ConventionEvaluationShare, p, confidence)
}
