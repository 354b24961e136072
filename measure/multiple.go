package measure

import (
	"cmp"
	"fmt"
	"slices"
)

// BenjaminiHochberg adjusts the p-values of many tests, in their order: to call
// out those whose adjusted value is at most q keeps the expected share of false
// ones among them at q or below. For the p-values in ascending order the
// adjusted one of rank i is the least of p_j k/j over j >= i, at most 1.
//
// The promise holds for tests that are independent or positively dependent, such
// as columns that drift together. No tests give no values. Undefined where a
// p-value is not within [0, 1]. Benjamini and Hochberg (1995).
func BenjaminiHochberg(p []float64) ([]float64, error) {
	order := make([]int, len(p))
	for i, x := range p {
		if !(x >= 0 && x <= 1) {
			return nil, fmt.Errorf("p-value %d is %v: %w", i+1, x, ErrUndefined)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	least := 1.0
	for rank := len(order); rank >= 1; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*(float64(len(p))/float64(rank)))
		adjusted[i] = least
	}
	return adjusted, nil
}
