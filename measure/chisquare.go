package measure

import "math"

// chiSquareQuantile is the x with P(X <= x) = p for a chi-square variable of
// df >= 1 degrees of freedom and 0 < p < 1, by bisection down to neighbouring
// floating-point numbers: about 60 steps, and no start value that can fail.
func chiSquareQuantile(p float64, df int) float64 {
	a := float64(df) / 2
	low, high := 0.0, float64(df)+10
	for regularisedGamma(a, high/2) < p {
		low, high = high, 2*high
	}
	for {
		middle := low + float64((high-low)/2)
		if middle <= low || middle >= high {
			return middle
		}
		if regularisedGamma(a, middle/2) < p {
			low = middle
		} else {
			high = middle
		}
	}
}

// regularisedGamma is P(a, x), the lower incomplete gamma function over the
// whole one, for a > 0 and x >= 0: the power series left of the mean, the
// continued fraction of its complement right of it, where each converges in a
// few times sqrt(a) terms. Abramowitz and Stegun, 6.5.29 and 6.5.31.
func regularisedGamma(a, x float64) float64 {
	if x == 0 {
		return 0
	}
	lgamma, _ := math.Lgamma(a)
	scale := math.Exp(float64(a*math.Log(x)) - x - lgamma)
	if x < a+1 {
		return scale * gammaSeries(a, x)
	}
	return 1 - float64(scale*gammaFraction(a, x))
}

// epsilon is the relative size from which on a term changes nothing.
const epsilon = 1e-16

// gammaSeries is sum over k of x^k / (a (a+1) ... (a+k)).
func gammaSeries(a, x float64) float64 {
	term := 1 / a
	total := term
	for k := 1.0; term > total*epsilon; k++ {
		term *= x / (a + k)
		total += term
	}
	return total
}

// gammaFraction is 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...))), from the
// front by Lentz's recurrence. For x >= a+1 no denominator is 0.
func gammaFraction(a, x float64) float64 {
	b := x + 1 - a
	c := math.Inf(1)
	d := 1 / b
	value := d
	for k := 1.0; ; k++ {
		numerator := float64(k * (a - k))
		b += 2
		d = 1 / (float64(numerator*d) + b)
		c = b + float64(numerator/c)
		change := c * d
		value *= change
		if math.Abs(change-1) <= 4*epsilon {
			return value
		}
	}
}
