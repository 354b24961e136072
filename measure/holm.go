package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Bonferroni is the confidence that each of several intervals needs so that all
// of them hold at once with at least the given confidence, however they depend
// on each other: 1 - (1-confidence)/comparisons. None and one comparison leave
// the confidence as it is.
func Bonferroni(confidence float64, comparisons int) float64 {
	return 1 - (1-confidence)/float64(max(1, comparisons))
}

// ProportionsTest is the two-sided p-value of equal shares in two groups: how
// often chance alone would bring shares at least so far apart, by the normal
// score test with the pooled share (whose square is the chi-square test of the
// 2x2 table without continuity correction). It explains a difference; verdicts
// go by the interval.
//
// Undefined for a group without rows and where all outcomes of both groups
// agree, since nothing varies then.
func ProportionsTest(group, reference Proportion) (float64, error) {
	for _, p := range []Proportion{group, reference} {
		if p.Total == 0 || p.Favourable > p.Total {
			return 0, fmt.Errorf("test of proportions: proportion of %d among %d: %w", p.Favourable, p.Total, ErrUndefined)
		}
	}
	n, m := float64(group.Total), float64(reference.Total)
	pooled := (float64(group.Favourable) + float64(reference.Favourable)) / (n + m)
	rest := (float64(group.Total-group.Favourable) + float64(reference.Total-reference.Favourable)) / (n + m)
	if pooled == 0 || rest == 0 {
		return 0, fmt.Errorf("test of proportions: all outcomes agree: %w", ErrUndefined)
	}
	z := (group.share() - reference.share()) / math.Sqrt(float64(pooled*rest)*(1/n+1/m))
	return math.Erfc(math.Abs(z) / math.Sqrt2), nil
}

// Holm adjusts the p-values of tests that are made together, so that rejecting
// those whose adjusted value is at most alpha is wrong about any true null with
// a probability of at most alpha, however the tests depend on each other. The
// result is in the order of the input; none is below its own p-value or above 1.
//
// Undefined for a value outside [0, 1]. Holm, Scandinavian Journal of
// Statistics 6 (1979).
func Holm(pValues []float64) ([]float64, error) {
	order := make([]int, len(pValues))
	for i, p := range pValues {
		if !(p >= 0 && p <= 1) {
			return nil, fmt.Errorf("holm: p-value %d is %v: %w", i, p, ErrUndefined)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(pValues[a], pValues[b]) })
	adjusted := make([]float64, len(pValues))
	greatest := 0.0
	for rank, i := range order {
		greatest = max(greatest, min(1, float64(len(pValues)-rank)*pValues[i]))
		adjusted[i] = greatest
	}
	return adjusted, nil
}
