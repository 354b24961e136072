package measure

import (
	"cmp"
	"fmt"
	"slices"
)

// LikelyDrifted lists the features, by ascending index, that e-BH picks from
// their present evidence: the k with most, for the largest k whose least has
// evidence of at least features/(alpha k). If it were looked at once, at most a
// share alpha of the picked would be wrong on average. Looked at after every
// window it is a list to look at and no promise: that is Alarm's.
//
// Undefined for alpha outside (0, 1). Wang and Ramdas, False Discovery Rate
// Control with E-values (2022).
func LikelyDrifted(features []DriftEvidence, alpha float64) ([]int, error) {
	if !(alpha > 0 && alpha < 1) {
		return nil, fmt.Errorf("likely drifted: alpha %v is not between 0 and 1: %w", alpha, ErrUndefined)
	}
	order := make([]int, len(features))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(features[b].Log(), features[a].Log()) })
	picked := 0
	for k := range order {
		if features[order[k]].exceeds(float64(len(features)) / (alpha * float64(k+1))) {
			picked = k + 1
		}
	}
	return slices.Sorted(slices.Values(order[:picked])), nil
}
