package measure

import (
	"fmt"
	"math"
)

// Conventions of the Kolmogorov-Smirnov statistic.
const (
	ConventionKS      = "ks/grid40@1"
	ConventionKSExact = "ks/exact@1"
)

// KSResult is a Kolmogorov-Smirnov statistic with what explains it.
//
// The interval of the Estimate is for the two populations' largest difference:
// value and bound, widened by sqrt(ln(4/alpha)/2) (1/sqrt(n) + 1/sqrt(m)) with
// alpha = 1 - confidence (Dvoretzky, Kiefer, Wolfowitz and Massart for each
// sample at alpha/2). A lower limit above 0.1 is how KS fails: a shift of that
// size, not a small p-value.
type KSResult struct {
	Estimate
	// P is the chance of a statistic at least as large where nothing has changed.
	// From bins it is too large, never too small.
	P float64
	// Bound is what the statistic of the raw samples cannot exceed, given the
	// bins. It equals the value where the raw samples were at hand.
	Bound float64
}

// KS is the largest difference of the cumulative shares F and G of two tables of
// counts over the same ascending cells, max |F_i - G_i| at the cells' ends,
// within [0, 1] and symmetric. The order of the cells matters, but for its
// reversal. Within a cell the difference may be larger: the exact statistic
// lies between the value and Bound, max of F_i - G_{i-1} and G_i - F_{i-1}.
//
// Undefined for an empty table on either side, for tables of different length,
// and for a confidence outside (0, 1). Smirnov (1948); P by the Kolmogorov
// distribution at sqrt(n m / (n + m)) D, which is its limit for large samples.
func KS(reference, current []uint64, confidence float64) (KSResult, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return KSResult{}, fmt.Errorf("ks: %w", err)
	}
	var d, bound, f, g float64
	var rows, currentRows uint64
	for i := range reference {
		beforeF, beforeG := f, g
		rows += reference[i]
		currentRows += current[i]
		f, g = float64(rows)/float64(n), float64(currentRows)/float64(m)
		d = max(d, math.Abs(f-g))
		bound = max(bound, f-beforeG, g-beforeF)
	}
	return ksResult(d, max(d, bound), n, m, confidence, ConventionKS)
}

// KSExact is KS from the raw values, which must be ascending and without NaN:
// the largest difference of the two empirical distribution functions.
//
// Undefined for no values on either side, for values that are not ascending, and
// for a confidence outside (0, 1).
func KSExact(reference, current []float64, confidence float64) (KSResult, error) {
	if err := ascending(reference, current); err != nil {
		return KSResult{}, fmt.Errorf("ks: %w", err)
	}
	n, m := len(reference), len(current)
	var d float64
	for i, j := 0, 0; i < n && j < m; {
		x := min(reference[i], current[j])
		for i < n && reference[i] == x {
			i++
		}
		for j < m && current[j] == x {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(n)-float64(j)/float64(m)))
	}
	return ksResult(d, d, uint64(n), uint64(m), confidence, ConventionKSExact)
}

func ksResult(d, bound float64, n, m uint64, confidence float64, convention string) (KSResult, error) {
	if !(confidence > 0 && confidence < 1) {
		return KSResult{}, fmt.Errorf("ks: confidence %v is not between 0 and 1: %w", confidence, ErrUndefined)
	}
	alpha := 1 - confidence
	rootN, rootM := math.Sqrt(float64(n)), math.Sqrt(float64(m))
	margin := math.Sqrt(math.Log(4/alpha)/2) * (1/rootN + 1/rootM)
	lower, upper := max(0, d-margin), min(1, bound+margin)
	effective := 1 / math.Sqrt(1/float64(n)+1/float64(m))
	return KSResult{
		Estimate: Estimate{Value: d, Lower: &lower, Upper: &upper, Samples: m, Convention: convention},
		P:        kolmogorovTail(effective * d),
		Bound:    min(1, bound),
	}, nil
}

// ascending checks two samples of raw values for use side by side.
func ascending(reference, current []float64) error {
	if len(reference) == 0 || len(current) == 0 {
		return fmt.Errorf("%d reference values and %d current values: %w", len(reference), len(current), ErrUndefined)
	}
	for _, values := range [][]float64{reference, current} {
		previous := -MaxMagnitude
		for i, x := range values {
			if !(x >= previous && x <= MaxMagnitude) {
				return fmt.Errorf("value %d is %v: the values must be ascending and within %g: %w", i+1, x, MaxMagnitude, ErrUndefined)
			}
			previous = x
		}
	}
	return nil
}

// kolmogorovTail is P(K > x) for Kolmogorov's distribution: 2 sum over k >= 1 of
// (-1)^(k-1) exp(-2 k^2 x^2) for large x, and for small x one minus the theta
// function's other form, sqrt(2 pi)/x sum exp(-(2k-1)^2 pi^2 / (8 x^2)). Four
// terms of either give all digits.
func kolmogorovTail(x float64) float64 {
	if x <= 0 {
		return 1
	}
	var sum float64
	if x < 1.18 {
		step := math.Exp(-math.Pi * math.Pi / 8 / x / x)
		for k := 1.0; k <= 7; k += 2 {
			sum += math.Pow(step, k*k)
		}
		return 1 - float64(math.Sqrt(2*math.Pi)/x*sum)
	}
	sign := 2.0
	for k := 1.0; k <= 4; k++ {
		sum += float64(sign * math.Exp(-2*k*k*x*x))
		sign = -sign
	}
	return min(1, max(0, sum))
}
