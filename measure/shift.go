package measure

import (
	"errors"
	"fmt"
	"math"
)

// Conventions of the shifts of a numeric column's population.
const (
	ConventionMeanShift     = "mean_shift/welch@1"
	ConventionVarianceRatio = "variance_ratio/f@1"
)

// Tested is an estimate with the p-value of the test that goes with it. The
// p-value explains; at high volume every one is small, so limits act on Value.
type Tested struct {
	Estimate
	P float64
}

// MeanShift is the difference of the means, current minus reference, over the
// reference's standard deviation, with the interval and the two-sided p-value of
// Welch's t test, which does not take the variances for equal. The interval takes
// the deviation that it is divided by for known.
//
// Undefined for fewer than two values on either side, for a reference without
// spread, for sums whose spread is lost in rounding (see Moments), and for a
// confidence outside (0, 1). Welch (1947), with Satterthwaite's degrees of
// freedom.
func MeanShift(reference, current Moments, confidence float64) (Tested, error) {
	r, c, err := spreads(reference, current)
	if err != nil {
		return Tested{}, fmt.Errorf("mean shift: %w", err)
	}
	if !(confidence > 0 && confidence < 1) {
		return Tested{}, fmt.Errorf("mean shift: confidence %v is not between 0 and 1: %w", confidence, ErrUndefined)
	}
	n, m := float64(reference.N), float64(current.N)
	errorR, errorC := r.variance/n, c.variance/m
	whole := errorR + errorC
	if whole == 0 || math.IsInf(whole, 0) {
		return Tested{}, fmt.Errorf("mean shift: variances of %g and %g: %w", r.variance, c.variance, ErrUndefined)
	}
	share, rest := errorR/whole, errorC/whole
	df := 1 / (float64(share*share)/(n-1) + float64(rest*rest)/(m-1))
	standardError := math.Sqrt(whole)
	difference := c.mean - r.mean
	deviation := math.Sqrt(r.variance * ((n - 1) / n))
	half := studentQuantile(confidence, df) * standardError
	value, lower, upper := difference/deviation, (difference-half)/deviation, (difference+half)/deviation
	if deviation == 0 || math.IsInf(upper-lower, 0) {
		return Tested{}, fmt.Errorf("mean shift: a difference of %g over a deviation of %g: %w", difference, deviation, ErrUndefined)
	}
	return Tested{
		Estimate: Estimate{Value: value, Lower: &lower, Upper: &upper, Samples: current.N, Convention: ConventionMeanShift},
		P:        studentTails(difference/standardError, df),
	}, nil
}

// VarianceRatio is the current variance over the reference's, both with n - 1,
// with the two-sided p-value of the F test. That p-value holds for normal data
// only and is far too small for heavy tails, so the ratio has no interval: it
// explains a drift, it finds none.
//
// Undefined for fewer than two values on either side, for a reference without
// spread, and for sums whose spread is lost in rounding. A current window without
// spread has the ratio 0.
func VarianceRatio(reference, current Moments) (Tested, error) {
	r, c, err := spreads(reference, current)
	if err != nil {
		return Tested{}, fmt.Errorf("variance ratio: %w", err)
	}
	ratio := c.variance / r.variance
	if math.IsInf(ratio, 0) {
		return Tested{}, fmt.Errorf("variance ratio: %g over %g: %w", c.variance, r.variance, ErrUndefined)
	}
	return Tested{
		Estimate: Estimate{Value: ratio, Samples: current.N, Convention: ConventionVarianceRatio},
		P:        fisherTails(ratio, float64(current.N-1), float64(reference.N-1)),
	}, nil
}

// spread is the mean and the sample variance (n - 1) of one side.
type spread struct{ mean, variance float64 }

// spreads works out both sides and demands that the reference has a spread.
func spreads(reference, current Moments) (r, c spread, err error) {
	if r, err = reference.spread(); err != nil {
		return r, c, fmt.Errorf("reference: %w", err)
	}
	if c, err = current.spread(); err != nil {
		return r, c, fmt.Errorf("current: %w", err)
	}
	if r.variance == 0 {
		return r, c, fmt.Errorf("the reference holds one value only, %g: %w", r.mean, ErrUndefined)
	}
	return r, c, nil
}

// lostDigits bounds the share of the sum of squares that rounding can have
// touched: n additions lose at most n 2^-53 of it, and the variance, what remains
// after the mean's part is taken away, must be a hundred times that.
const lostDigits = 100.0 / (1 << 53)

// spread gives mean and sample variance. A column of a single value has exactly
// the variance 0. Undefined for fewer than two values, for sums that no data can
// have, and where the values lie so far from 0 for their spread that rounding
// decides the variance.
func (m Moments) spread() (spread, error) {
	if err := m.check(); err != nil {
		return spread{}, err
	}
	n := float64(m.N)
	if m.N < 2 {
		return spread{}, fmt.Errorf("%d values: %w", m.N, ErrUndefined)
	}
	if m.Min == m.Max {
		return spread{mean: m.Min}, nil
	}
	mean := m.Sum / n
	squares := m.SumSquares - float64(m.Sum*mean)
	if !(squares > m.SumSquares*n*lostDigits) || squares/(n-1) == 0 {
		return spread{}, fmt.Errorf("the spread of %d values around %g is lost in rounding: %w", m.N, mean, ErrUndefined)
	}
	return spread{mean: mean, variance: squares / (n - 1)}, nil
}

// errImpossible says that sums do not come from any data.
var errImpossible = errors.New("the sums do not belong to any data")

// check refuses sums that no data can have: those that arrive over a wire are
// no better than their sender.
func (m Moments) check() error {
	if m.N == 0 {
		return fmt.Errorf("no values: %w", ErrUndefined)
	}
	n := float64(m.N)
	within := m.Min <= m.Max && -MaxMagnitude <= m.Min && m.Max <= MaxMagnitude
	slack := 1e-6 * max(math.Abs(m.Min), math.Abs(m.Max))
	mean := m.Sum / n
	if !within || !(m.SumSquares >= 0) || math.IsInf(m.SumSquares, 0) || !(mean >= m.Min-slack && mean <= m.Max+slack) {
		return fmt.Errorf("n %d, sum %g, sum of squares %g, min %g, max %g: %w: %w",
			m.N, m.Sum, m.SumSquares, m.Min, m.Max, errImpossible, ErrUndefined)
	}
	return nil
}
