package measure

import "math"

// regularisedBeta is I_x(a, b), the incomplete beta function over the whole one,
// for a, b > 0 and y = 1 - x, which is passed beside x so that neither end loses
// digits. The continued fraction converges in about sqrt(max(a, b)) terms on the
// side of the mean where it is used. Abramowitz and Stegun, 26.5.8.
func regularisedBeta(a, b, x, y float64) float64 {
	if x <= 0 {
		return 0
	}
	if y <= 0 {
		return 1
	}
	whole, _ := math.Lgamma(a + b)
	left, _ := math.Lgamma(a)
	right, _ := math.Lgamma(b)
	scale := math.Exp(whole - left - right + float64(a*math.Log(x)) + float64(b*math.Log(y)))
	if x < (a+1)/(a+b+2) {
		return min(1, scale*betaFraction(a, b, x)/a)
	}
	return max(0, 1-float64(scale*betaFraction(b, a, y)/b))
}

// betaFraction is 1/(1+ d1/(1+ d2/(1+ ...))), from the front by Lentz's
// recurrence; a denominator of 0 is replaced by a tiny number, which the next
// step takes back.
func betaFraction(a, b, x float64) float64 {
	const tiny, longest = 1e-300, 1_000_000
	awayFromZero := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c := 1.0
	d := 1 / awayFromZero(1-float64((a+b)*x/(a+1)))
	value := d
	for k := 1.0; k < longest; k++ {
		even := k * (b - k) * x / ((a + 2*k - 1) * (a + 2*k))
		d = 1 / awayFromZero(1+float64(even*d))
		c = awayFromZero(1 + even/c)
		value *= d * c
		odd := -(a + k) * (a + b + k) * x / ((a + 2*k) * (a + 2*k + 1))
		d = 1 / awayFromZero(1+float64(odd*d))
		c = awayFromZero(1 + odd/c)
		value *= d * c
		if math.Abs(d*c-1) <= 8*epsilon {
			break
		}
	}
	return value
}

// normalTail is P(Z > z).
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// manyDegrees is from where Student's t is close enough to normal that a
// series in 1/df gives more digits than the incomplete beta function.
const manyDegrees = 1e5

// studentTails is P(|T| >= |t|) for Student's t with df degrees of freedom.
func studentTails(t, df float64) float64 {
	square := float64(t * t)
	if df > manyDegrees {
		// Wallace's transformation to a normal variable.
		z := (8*df + 1) / (8*df + 3) * math.Sqrt(df*math.Log1p(square/df))
		return 2 * normalTail(z)
	}
	return regularisedBeta(df/2, 0.5, df/(df+square), square/(df+square))
}

// studentQuantile is the t with P(|T| <= t) = confidence. From df = 1000 on it
// is the series of Abramowitz and Stegun 26.7.5, below that Newton's method from
// the normal quantile, which lies left of it: the distribution function is
// concave there, so every step comes closer and none goes past.
func studentQuantile(confidence, df float64) float64 {
	z := math.Sqrt2 * math.Erfinv(confidence)
	if df >= 1000 {
		z2 := float64(z * z)
		first := z * (z2 + 1) / 4
		second := z * (float64((float64(5*z2)+16)*z2) + 3) / 96
		third := z * (float64((float64((float64(3*z2)+19)*z2)+17)*z2) - 15) / 384
		return z + first/df + second/df/df + third/df/df/df
	}
	half, _ := math.Lgamma((df + 1) / 2)
	whole, _ := math.Lgamma(df / 2)
	scale := math.Exp(half-whole) / math.Sqrt(df*math.Pi)
	t := z
	for range 200 {
		density := scale * math.Exp(-float64((df+1)/2*math.Log1p(t*t/df)))
		step := (studentTails(t, df) - (1 - confidence)) / (2 * density)
		if !(step > t*1e-14) {
			break
		}
		t += step
	}
	return t
}

// fisherTails is the two-sided p-value of a ratio of variances with d1 and d2
// degrees of freedom: twice the smaller tail, at most 1. Beyond 10^8 degrees the
// fraction would take long, and Paulson's normal approximation is used.
func fisherTails(ratio, d1, d2 float64) float64 {
	if max(d1, d2) > 1e8 {
		root := math.Cbrt(ratio)
		a, b := 2/(9*d1), 2/(9*d2)
		z := (float64((1-b)*root) - (1 - a)) / math.Sqrt(float64(b*root*root)+a)
		return min(1, 2*normalTail(math.Abs(z)))
	}
	scaled := d1 * ratio / d2
	x, y := 1/(1+1/scaled), 1/(1+scaled)
	return min(1, 2*min(regularisedBeta(d1/2, d2/2, x, y), regularisedBeta(d2/2, d1/2, y, x)))
}
