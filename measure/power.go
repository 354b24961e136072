package measure

import (
	"fmt"
	"math"
)

// mostCells bounds the tables that SmallestPSI answers for.
const mostCells = 10_000

// SmallestPSI is the smallest population PSI that samples of n and m rows over
// the given number of occupied cells show: with the given power, the sample's
// PSI then exceeds what noise reaches at the given confidence (PSICritical for
// 0.95). A limit below it cannot be judged at these sizes.
//
// It takes the rows for independent, every cell for expecting at least 5, and
// the shift for small, so that PSI / (1/n + 1/m) is noncentral chi-square with
// cells - 1 degrees of freedom and the population's PSI / (1/n + 1/m) as its
// noncentrality.
//
// Undefined for no rows, for fewer than 2 or more than 10,000 cells, for a
// confidence outside (0, 1), and for a power that is not between 1 - confidence
// and 1. Cohen, Statistical Power Analysis (1988), chapter 7.
func SmallestPSI(cells int, n, m uint64, confidence, power float64) (float64, error) {
	if n == 0 || m == 0 || cells < 2 || cells > mostCells {
		return 0, fmt.Errorf("smallest visible psi: %d cells, %d and %d rows: %w", cells, n, m, ErrUndefined)
	}
	if !(confidence > 0 && confidence < 1 && power > 1-confidence && power < 1) {
		return 0, fmt.Errorf("smallest visible psi: power %v at confidence %v: %w", power, confidence, ErrUndefined)
	}
	df := cells - 1
	critical := chiSquareQuantile(confidence, df)
	low, high := 0.0, float64(df)+10
	for noncentralTail(critical, df, high) < power {
		low, high = high, 2*high
	}
	for high-low > high*1e-10 {
		middle := low + (high-low)/2
		if noncentralTail(critical, df, middle) < power {
			low = middle
		} else {
			high = middle
		}
	}
	return high * (1/float64(n) + 1/float64(m)), nil
}

// noncentralTail is P(X > x) for a noncentral chi-square variable: the mixture of
// central ones with df + 2j degrees of freedom, weighted by a Poisson variable j
// of mean noncentrality/2. Their tails follow from each other by Q(a+1, y) =
// Q(a, y) + y^a e^-y / Gamma(a+1).
func noncentralTail(x float64, df int, noncentrality float64) float64 {
	a, y, mean := float64(df)/2, x/2, noncentrality/2
	tail := chiSquareTail(x, df)
	lgamma, _ := math.Lgamma(a + 1)
	step := math.Exp(float64(a*math.Log(y)) - y - lgamma)
	var total, weights float64
	logWeight := -mean
	for j := 1.0; j <= mean || 1-weights > 1e-12; j++ {
		weight := math.Exp(logWeight)
		if weight == 0 && j > mean {
			break
		}
		weights += weight
		total += float64(weight * min(1, tail))
		logWeight += math.Log(mean / j)
		a++
		tail += step
		step *= y / a
	}
	return min(1, total)
}

// SmallestDifference is the smallest change of a share that m current rows show
// against n reference rows, where the share was the given one: with the given
// power, the two-sided test of two proportions then rejects at the given
// confidence. The change is the one towards 1/2, the direction that has room;
// away from 1/2 a slightly smaller one is seen. It is what a verdict of
// no_data for want of rows is to be read with.
//
// It takes the rows for independent and the shares for normal, the pooled
// variance under no change and each side's own under the change.
//
// Undefined for no rows, for a share outside [0, 1], for a confidence outside
// (0, 1), for a power outside [1/2, 1), and where not even the largest change
// would show. Fleiss, Statistical Methods for Rates and Proportions (1981).
func SmallestDifference(share float64, n, m uint64, confidence, power float64) (float64, error) {
	if n == 0 || m == 0 || !(share >= 0 && share <= 1) || !(power >= 0.5 && power < 1) {
		return 0, fmt.Errorf("smallest visible difference: share %v, %d and %d rows, power %v: %w", share, n, m, power, ErrUndefined)
	}
	z, err := criticalValue(confidence)
	if err != nil {
		return 0, fmt.Errorf("smallest visible difference: %w", err)
	}
	zPower := math.Sqrt2 * math.Erfinv(2*power-1)
	p := min(share, 1-share)
	a, b := 1/float64(n), 1/float64(m)
	shows := func(difference float64) bool {
		q := p + difference
		pooled := (float64(p*float64(n)) + float64(q*float64(m))) / (float64(n) + float64(m))
		none := math.Sqrt(pooled * (1 - pooled) * (a + b))
		own := math.Sqrt(float64(p*(1-p)*a) + float64(q*(1-q)*b))
		return difference >= float64(z*none)+float64(zPower*own)
	}
	low, high := 0.0, 1-p
	if !shows(high) {
		return 0, fmt.Errorf("smallest visible difference: %d and %d rows show none: %w", n, m, ErrUndefined)
	}
	for range 60 {
		if middle := low + (high-low)/2; shows(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, nil
}
