package measure

import (
	"fmt"
	"math"
	"math/bits"
)

// Conventions of the population stability index. The formula is one; what the
// cells mean is part of the convention, since the usual limits hold for ten
// cells of equal mass.
const (
	ConventionPSI           = "psi/quantile10@1"
	ConventionPSICategories = "psi/categories@1"
)

// shareFloor keeps an empty cell from making the index infinite. Shares are
// raised to it and not renormalised.
const shareFloor = 1e-4

// PSI is the population stability index of two tables of counts over the same
// cells:
//
//	sum over cells (c - r) ln(c / r)
//
// with r and c the reference's and the current shares, each at least 1e-4. It
// is symmetric, not negative, and 0 exactly where all floored shares agree. It
// has no interval; PSICritical says what noise alone would reach.
//
// Undefined for an empty table on either side and for tables of different
// length. Siddiqi, Credit Risk Scorecards (2006), states the index and its
// limits of 0.1 and 0.25 for ten cells.
func PSI(reference, current []uint64) (Estimate, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return Estimate{}, fmt.Errorf("psi: %w", err)
	}
	var sum float64
	for i := range reference {
		r := max(float64(reference[i])/float64(n), shareFloor)
		c := max(float64(current[i])/float64(m), shareFloor)
		sum += float64((c - r) * math.Log(c/r))
	}
	return Estimate{Value: sum, Samples: m, Convention: ConventionPSI}, nil
}

// minExpected is the expected count in every cell from which on the chi-square
// approximation is trusted.
const minExpected = 5

// PSICritical is the value that PSI exceeds in one of twenty samples although
// nothing has changed: chi2(0.95, B-1) (1/n + 1/m), with B the occupied cells
// and n, m the sizes of the two samples. A PSI below it is noise; one above it
// is, at large n, no verdict by itself.
//
// Undefined where PSI is, where fewer than two cells are occupied, and where
// an occupied cell expects fewer than 5 rows in either sample, since the
// approximation does not hold there. Yurdakul, Statistical Properties of
// Population Stability Index (2018).
func PSICritical(reference, current []uint64) (float64, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return 0, fmt.Errorf("psi critical value: %w", err)
	}
	smaller := float64(min(n, m))
	occupied := 0
	for i := range reference {
		both := float64(reference[i]) + float64(current[i])
		if both == 0 {
			continue
		}
		occupied++
		if expected := smaller * both / (float64(n) + float64(m)); expected < minExpected {
			return 0, fmt.Errorf("psi critical value: cell %d expects %.3g rows, fewer than %d: %w", i, expected, minExpected, ErrUndefined)
		}
	}
	if occupied < 2 {
		return 0, fmt.Errorf("psi critical value: %d occupied cells: %w", occupied, ErrUndefined)
	}
	q := chiSquareQuantile(0.95, occupied-1)
	return q * (1/float64(n) + 1/float64(m)), nil
}

// totals checks two tables of counts for use side by side and adds each up.
func totals(reference, current []uint64) (n, m uint64, err error) {
	if len(reference) != len(current) {
		return 0, 0, fmt.Errorf("%d reference cells and %d current cells: %w", len(reference), len(current), ErrUndefined)
	}
	n, okN := sum(reference)
	m, okM := sum(current)
	if !okN || !okM {
		return 0, 0, fmt.Errorf("the counts add up to more than 64 bits: %w", ErrUndefined)
	}
	if n == 0 || m == 0 {
		return 0, 0, fmt.Errorf("%d reference rows and %d current rows: %w", n, m, ErrUndefined)
	}
	return n, m, nil
}

// sum adds counts; false where they overflow.
func sum(counts []uint64) (uint64, bool) {
	var total, carry uint64
	for _, c := range counts {
		if total, carry = bits.Add64(total, c, 0); carry != 0 {
			return 0, false
		}
	}
	return total, true
}
