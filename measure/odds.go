package measure

import (
	"fmt"
	"math"
)

// Conventions of the measures that join both error rates.
const (
	ConventionAverageOdds   = "average_odds_difference/mover@1"
	ConventionEqualizedOdds = "equalized_odds/newcombe_bonferroni@1"
)

// AverageOddsDifference is the mean of the differences of the true positive and
// the false positive rates, the group's less the reference group's, within
// [-1, 1]. A positive value says that the group gets the favourable outcome
// more often, deserved or not; opposite differences cancel, which
// EqualizedOdds does not allow.
//
// The two differences rest on different rows, actual positives and actual
// negatives, hence are independent, and the interval is MOVER's over the four
// Wilson intervals, half the root of the sum of the squared Newcombe distances.
// Exchanging the groups negates value and interval. Samples counts the rows of
// both groups.
//
// Undefined where either group has no actual positives or no actual negatives.
// Zou and Donner, Statistics in Medicine 27 (2008), for the interval.
func AverageOddsDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	tpr, fpr, samples, err := odds(group, reference, confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("average odds difference: %w", err)
	}
	value := (tpr.Value + fpr.Value) / 2
	lower := max(-1, value-length(tpr.Value-*tpr.Lower, fpr.Value-*fpr.Lower)/2)
	upper := min(1, value+length(*tpr.Upper-tpr.Value, *fpr.Upper-fpr.Value)/2)
	return Estimate{Value: value, Lower: &lower, Upper: &upper, Samples: samples, Convention: ConventionAverageOdds}, nil
}

// EqualizedOdds is the larger of the absolute differences of the true positive
// and the false positive rates, within [0, 1]; 0 means that the error rates of
// both groups agree. It is the same with the groups exchanged.
//
// The interval: Newcombe's of both differences at Bonferroni's confidence for
// two, each folded at 0, then the larger lower and the larger upper limit.
// Samples counts the rows of both groups. Undefined where AverageOddsDifference
// is.
func EqualizedOdds(group, reference Confusion, confidence float64) (Estimate, error) {
	tpr, fpr, samples, err := odds(group, reference, Bonferroni(confidence, 2))
	if err != nil {
		return Estimate{}, fmt.Errorf("equalized odds: %w", err)
	}
	lowerTPR, upperTPR := fold(*tpr.Lower, *tpr.Upper)
	lowerFPR, upperFPR := fold(*fpr.Lower, *fpr.Upper)
	lower, upper := max(lowerTPR, lowerFPR), max(upperTPR, upperFPR)
	return Estimate{
		Value: max(math.Abs(tpr.Value), math.Abs(fpr.Value)), Lower: &lower, Upper: &upper,
		Samples: samples, Convention: ConventionEqualizedOdds,
	}, nil
}

// odds are the differences of both rates, and the rows behind them.
func odds(group, reference Confusion, confidence float64) (tpr, fpr Estimate, samples uint64, err error) {
	if tpr, err = EqualOpportunityDifference(group, reference, confidence); err != nil {
		return tpr, fpr, 0, err
	}
	if fpr, err = FalsePositiveRateDifference(group, reference, confidence); err != nil {
		return tpr, fpr, 0, err
	}
	rows := add(tpr.Samples, fpr.Samples)
	if rows.overflow {
		return tpr, fpr, 0, fmt.Errorf("the rows add up to more than 64 bits: %w", ErrUndefined)
	}
	return tpr, fpr, rows.count, nil
}

// fold gives the interval of the absolute value.
func fold(lower, upper float64) (least, greatest float64) {
	switch {
	case lower > 0:
		return lower, upper
	case upper < 0:
		return -upper, -lower
	}
	return 0, max(-lower, upper)
}
