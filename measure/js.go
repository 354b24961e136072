package measure

import (
	"fmt"
	"math"
)

// Conventions of the Jensen-Shannon distance. They name the logarithm, since
// the same data give 0.1 in one and 0.12 in the other.
const (
	ConventionJS     = "js/ln@1"
	ConventionJSBits = "js/base2@1"
)

// JS is the Jensen-Shannon distance of two tables of counts over the same
// cells, with natural logarithms:
//
//	sqrt( 1/2 sum r ln(r / m) + 1/2 sum c ln(c / m) ),  m = (r + c) / 2
//
// with r and c the reference's and the current shares. It is a metric, from 0
// for equal shares to sqrt(ln 2) = 0.8326 for disjoint ones; the order of the
// cells does not matter, and an empty cell needs no floor. It has no interval. The
// square of a small one is about PSI / 8.
//
// Undefined for an empty table on either side and for tables of different
// length. Endres and Schindelin, IEEE Transactions on Information Theory 49
// (2003), show that the root is a metric.
func JS(reference, current []uint64) (Estimate, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return Estimate{}, fmt.Errorf("js: %w", err)
	}
	var sum float64
	for i := range reference {
		r, c := float64(reference[i])/float64(n), float64(current[i])/float64(m)
		sum += jsCell(r, c)
	}
	return Estimate{Value: math.Sqrt(min(sum, math.Ln2)), Samples: m, Convention: ConventionJS}, nil
}

// JSBits is JS with logarithms to the base 2, from 0 to 1: JS / sqrt(ln 2).
func JSBits(reference, current []uint64) (Estimate, error) {
	e, err := JS(reference, current)
	if err != nil {
		return Estimate{}, err
	}
	e.Value = min(1, e.Value/math.Sqrt(math.Ln2))
	e.Convention = ConventionJSBits
	return e, nil
}

// jsCell is one cell's part of the divergence. With a = (r + c)/2 the mean share
// and t = (r - c)/(r + c) it is a/2 (2 t atanh(t) + ln(1 - t^2)), the same number
// as the definition's, but without differences of near ones: nearly equal
// shares keep their digits.
func jsCell(r, c float64) float64 {
	if r+c == 0 {
		return 0
	}
	mean, t := (r+c)/2, (r-c)/(r+c)
	if math.Abs(t) == 1 {
		return float64(mean * math.Ln2)
	}
	both := float64(2*t*math.Atanh(t)) + math.Log1p(-float64(t*t))
	return float64(mean * max(0, both) / 2)
}
