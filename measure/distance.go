package measure

import (
	"fmt"
	"math"
)

// Conventions of the distances between shares.
const (
	ConventionHellinger = "hellinger/cells@1"
	ConventionTVD       = "tvd/cells@1"
	ConventionLInf      = "linf/cells@1"
)

// Hellinger is the Hellinger distance of two tables of counts over the same
// cells:
//
//	sqrt( 1/2 sum (sqrt(r) - sqrt(c))^2 )
//
// with r and c the reference's and the current shares: from 0 for equal shares
// to 1 for disjoint ones, symmetric, the same in any order of the cells. It has
// no interval. The square of a small one is about PSI / 8.
//
// Undefined for an empty table on either side and for tables of different
// length. Pollard, A User's Guide to Measure Theoretic Probability (2002).
func Hellinger(reference, current []uint64) (Estimate, error) {
	var sum float64
	m, err := eachCell(reference, current, func(r, c float64) {
		d := math.Sqrt(r) - math.Sqrt(c)
		sum += float64(d * d)
	})
	if err != nil {
		return Estimate{}, fmt.Errorf("hellinger: %w", err)
	}
	return Estimate{Value: math.Sqrt(min(1, sum/2)), Samples: m, Convention: ConventionHellinger}, nil
}

// TVD is the total variation distance of two tables of counts over the same
// cells, 1/2 sum |r - c|: the share of rows that would have to change their
// cell. From 0 to 1, symmetric, the same in any order of the cells, without an
// interval.
//
// Undefined for an empty table on either side and for tables of different
// length. Levin and Peres, Markov Chains and Mixing Times (2017), chapter 4.
func TVD(reference, current []uint64) (Estimate, error) {
	var sum float64
	m, err := eachCell(reference, current, func(r, c float64) { sum += math.Abs(r - c) })
	if err != nil {
		return Estimate{}, fmt.Errorf("tvd: %w", err)
	}
	return Estimate{Value: min(1, sum/2), Samples: m, Convention: ConventionTVD}, nil
}

// LInf is the largest change of a single cell's share, max |r - c|: at most
// TVD, from 0 to 1, symmetric, the same in any order of the cells, without an
// interval.
//
// Undefined for an empty table on either side and for tables of different
// length.
func LInf(reference, current []uint64) (Estimate, error) {
	var largest float64
	m, err := eachCell(reference, current, func(r, c float64) { largest = max(largest, math.Abs(r-c)) })
	if err != nil {
		return Estimate{}, fmt.Errorf("linf: %w", err)
	}
	return Estimate{Value: largest, Samples: m, Convention: ConventionLInf}, nil
}

// eachCell hands over the shares of every cell and gives the current rows.
func eachCell(reference, current []uint64, cell func(r, c float64)) (uint64, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return 0, err
	}
	for i := range reference {
		cell(float64(reference[i])/float64(n), float64(current[i])/float64(m))
	}
	return m, nil
}
