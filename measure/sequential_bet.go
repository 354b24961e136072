package measure

import "math"

// baselineRadius is the k > cells-1 that solves
//
//	(e k/(cells-1))^(cells-1) e^-k = miss
//
// for at least two cells: with n independent rows, the shares that they came
// from lie within KL(observed || true) <= k/n but for a probability of miss.
// Ten cells at 0.001 give 25.16. Agrawal, Finite-sample concentration of the
// multinomial in relative entropy (2020).
func baselineRadius(cells int, miss float64) float64 {
	d := float64(cells - 1)
	logBound := func(k float64) float64 { return float64(d*(1+math.Log(k/d))) - k }
	target := math.Log(miss)
	low, high := d, 2*d
	for logBound(high) > target {
		low, high = high, 2*high
	}
	for {
		middle := low + float64((high-low)/2)
		if middle <= low || middle >= high {
			return high
		}
		if logBound(middle) > target {
			low = middle
		} else {
			high = middle
		}
	}
}

// logMixture is the log probability of one order of the counted rows under half
// a Dirichlet-multinomial with weights 1/2 and half one with weights 1/2 plus
// the earlier counts. Counts need not be whole numbers.
func logMixture(counts, earlier []float64) float64 {
	var known bool
	for _, h := range earlier {
		known = known || h > 0
	}
	fresh := logDirichletMultinomial(counts, nil)
	if !known {
		return fresh
	}
	return logSum(fresh, logDirichletMultinomial(counts, earlier)) - math.Ln2
}

// logDirichletMultinomial is the log of
//
//	Gamma(A)/Gamma(A+m) prod Gamma(a_i+c_i)/Gamma(a_i),  a_i = 1/2 + extra_i
//
// where m is the sum of the counts and A of the weights; extra may be nil.
func logDirichletMultinomial(counts, extra []float64) float64 {
	var m, weights, total float64
	for i, c := range counts {
		a := 0.5
		if extra != nil {
			a += extra[i]
		}
		weights += a
		m += c
		if c > 0 {
			total += logGammaRatio(a, c)
		}
	}
	return total - logGammaRatio(weights, m)
}

// logGammaRatio is ln Gamma(a+c) - ln Gamma(a).
func logGammaRatio(a, c float64) float64 {
	above, _ := math.Lgamma(a + c)
	below, _ := math.Lgamma(a)
	return above - below
}

// logMaximum is the log of the largest prod p_i^c_i over all shares p with
// KL(r || p) <= radius. The maximum is the observed shares where these are
// inside, and otherwise on the line from them to r,
//
//	p_i = (c_i + mu r_i)/(m + mu) = (1-t) c_i/m + t r_i,  t = mu/(m + mu)
//
// where the divergence falls from t = 0 to 0 at t = 1. Bisection ends on the
// side outside the ball, where the product is larger: the quotient that it
// divides never errs towards an alarm.
func logMaximum(counts, r []float64, radius float64) float64 {
	var m float64
	for _, c := range counts {
		m += c
	}
	outside, inside := 0.0, 1.0
	if ballDivergence(counts, r, m, 0) <= radius {
		inside = 0
	}
	for inside-outside > 1e-15 {
		t := outside + float64((inside-outside)/2)
		if ballDivergence(counts, r, m, t) > radius {
			outside = t
		} else {
			inside = t
		}
	}
	var total float64
	for i, c := range counts {
		if c > 0 {
			p := float64((1-outside)*(c/m)) + float64(outside*r[i])
			total += float64(c * math.Log(p))
		}
	}
	return total
}

// ballDivergence is KL(r || p) at the point t of the line; infinite where a share of
// r has nothing in p.
func ballDivergence(counts, r []float64, m, t float64) float64 {
	var total float64
	for i, share := range r {
		if share > 0 {
			p := float64((1-t)*(counts[i]/m)) + float64(t*share)
			total += float64(share * math.Log(share/p))
		}
	}
	return total
}

// logSum is ln(e^a + e^b) for finite a and b.
func logSum(a, b float64) float64 {
	return max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b)))
}
