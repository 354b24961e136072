package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Conventions of the two-sample contingency table.
const (
	ConventionChiSquare = "chi2/pooled5@1"
	ConventionCramersV  = "cramers_v/pooled5@1"
)

// ContingencyResult is the chi-square test of two tables of counts with its
// effect size.
type ContingencyResult struct {
	// ChiSquare is the statistic. It grows with the rows, so it explains and has
	// no limit of its own.
	ChiSquare Estimate
	// P is the chance of a statistic at least as large where nothing has changed.
	P float64
	// DegreesOfFreedom is the number of cells that were compared, less one.
	DegreesOfFreedom int
	// Pooled is how many occupied cells were compared as one, being too small.
	Pooled int
	// V is Cramer's V, sqrt(chi2 / (n + m)), from 0 to 1. It is biased upwards:
	// where nothing has changed, V^2 is (cells - 1)/(n + m - 1) on average, not 0.
	// And it depends on the balance of the two sizes: for the same shift of shares it
	// is largest at n = m and falls with sqrt(n m)/(n + m), so a window of one
	// hundredth of its baseline needs a shift five times as large to reach 0.1.
	V Estimate
	// Critical is the V that one in twenty unchanged windows exceeds: below it, V
	// is noise.
	Critical float64
}

// Contingency is the chi-square test whether two tables of counts over the same
// cells come from one population:
//
//	sum over both rows of the table (count - expected)^2 / expected
//
// with expected counts from the shares of both tables together. So a category
// that the reference has not is legal: it makes the statistic large, not
// infinite, and p small, not 0. Cells that expect fewer than 5 rows in either
// table are pooled into one, and that with the next smallest until it expects 5;
// cells that are empty in both do not count. The order of the cells does not
// matter, nor that of the tables, unless pooling has to choose between cells of
// equal totals.
//
// Undefined for an empty table on either side, for tables of different length,
// and where pooling leaves fewer than two cells. Pearson (1900); Cramer,
// Mathematical Methods of Statistics (1946), chapter 21.
func Contingency(reference, current []uint64) (ContingencyResult, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return ContingencyResult{}, fmt.Errorf("chi-square: %w", err)
	}
	cells, pooled := poolCells(reference, current, n, m)
	if len(cells) < 2 {
		return ContingencyResult{}, fmt.Errorf("chi-square: %d cells that expect %d rows or more: %w", len(cells), minExpected, ErrUndefined)
	}
	rows := float64(n) + float64(m)
	balance := float64(n) / rows * float64(m)
	var statistic float64
	for _, c := range cells {
		difference := c.reference/float64(n) - c.current/float64(m)
		statistic += float64(difference * difference * balance * (rows / (c.reference + c.current)))
	}
	df := len(cells) - 1
	return ContingencyResult{
		ChiSquare:        Estimate{Value: statistic, Samples: m, Convention: ConventionChiSquare},
		P:                chiSquareTail(statistic, df),
		DegreesOfFreedom: df,
		Pooled:           pooled,
		V:                Estimate{Value: math.Sqrt(min(1, statistic/rows)), Samples: m, Convention: ConventionCramersV},
		Critical:         math.Sqrt(min(1, chiSquareQuantile(0.95, df)/rows)),
	}, nil
}

// pair is one cell of both tables. Counts are whole numbers as floats: sums of
// several stay within range.
type pair struct{ reference, current float64 }

// poolCells gives the occupied cells after pooling, the pool last, and how many
// cells went into it. Equal totals are ordered by the reference count, so that
// the result does not depend on the order of the cells.
func poolCells(reference, current []uint64, n, m uint64) (cells []pair, pooled int) {
	for i := range reference {
		if reference[i] > 0 || current[i] > 0 {
			cells = append(cells, pair{float64(reference[i]), float64(current[i])})
		}
	}
	slices.SortFunc(cells, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.reference+a.current, b.reference+b.current), cmp.Compare(a.reference, b.reference))
	})
	smaller := float64(min(n, m)) / (float64(n) + float64(m))
	expected := func(c pair) float64 { return smaller * (c.reference + c.current) }
	var pool pair
	for pooled < len(cells) && (expected(cells[pooled]) < minExpected || (pooled > 0 && expected(pool) < minExpected)) {
		pool.reference += cells[pooled].reference
		pool.current += cells[pooled].current
		pooled++
	}
	if pooled == 0 {
		return cells, 0
	}
	return append(cells[pooled:], pool), pooled
}

// chiSquareTail is P(X > x) for a chi-square variable of df >= 1 degrees of
// freedom, with all its digits where it is small.
func chiSquareTail(x float64, df int) float64 {
	a := float64(df) / 2
	x /= 2
	if x < a+1 {
		return 1 - regularisedGamma(a, x)
	}
	lgamma, _ := math.Lgamma(a)
	return math.Exp(float64(a*math.Log(x))-x-lgamma) * gammaFraction(a, x)
}
