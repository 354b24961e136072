package measure

// DisparityMeasure is one line of the fairness table: how a group's outcomes
// differ from the reference group's.
type DisparityMeasure struct {
	Name   string // the value of the metric's attribute, for example disparate_impact
	Labels bool   // needs the actual outcomes beside the predicted ones
	Of     func(group, reference Confusion, confidence float64) (Estimate, error)
}

// DisparityMeasures are all measures that compare one group with the reference
// group, in the order in which people read them. Beside them stand ImpactRatio,
// which is about all groups at once, and CorrectedECE, which is about each
// group by itself. What is undefined for a pair of groups is ErrUndefined.
func DisparityMeasures() []DisparityMeasure {
	selection := func(of func(group, reference Proportion, confidence float64) (Estimate, error)) func(Confusion, Confusion, float64) (Estimate, error) {
		return func(group, reference Confusion, confidence float64) (Estimate, error) {
			return of(group.Selection(), reference.Selection(), confidence)
		}
	}
	return []DisparityMeasure{
		{"statistical_parity_difference", false, selection(ParityDifference)},
		{"disparate_impact", false, selection(DisparateImpact)},
		{"equal_opportunity_difference", true, EqualOpportunityDifference},
		{"average_odds_difference", true, AverageOddsDifference},
		{"equalized_odds", true, EqualizedOdds},
		{"predictive_parity_difference", true, PredictiveParityDifference},
		{"fnr_difference", true, FalseNegativeRateDifference},
		{"fpr_difference", true, FalsePositiveRateDifference},
		{"for_difference", true, FalseOmissionRateDifference},
		{"fdr_difference", true, FalseDiscoveryRateDifference},
		{"accuracy_difference", true, AccuracyDifference},
	}
}
