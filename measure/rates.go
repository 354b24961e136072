package measure

// Conventions of the differences between two groups' rates. Each is the
// group's rate less the reference group's, with Newcombe's interval.
const (
	ConventionEqualOpportunity            = "equal_opportunity_difference/newcombe@1"
	ConventionPredictiveParity            = "predictive_parity_difference/newcombe@1"
	ConventionFalseNegativeRateDifference = "fnr_difference/newcombe@1"
	ConventionFalsePositiveRateDifference = "fpr_difference/newcombe@1"
	ConventionFalseOmissionRateDifference = "for_difference/newcombe@1"
	ConventionFalseDiscoveryDifference    = "fdr_difference/newcombe@1"
	ConventionAccuracyDifference          = "accuracy_difference/newcombe@1"
)

// EqualOpportunityDifference is the difference of the true positive rates:
// among those who deserve the favourable outcome, how much more often the group
// gets it than the reference group. Within [-1, 1]; exchanging the groups
// negates value and interval. Samples counts the actual positives of both.
//
// Undefined where either group has no actual positives. Hardt, Price and
// Srebro, Equality of Opportunity in Supervised Learning (2016).
func EqualOpportunityDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("equal opportunity difference", ConventionEqualOpportunity,
		group.TruePositiveRate(), reference.TruePositiveRate(), confidence)
}

// PredictiveParityDifference is the difference of the positive predictive
// values: how much oftener a favourable prediction is right. Samples counts the
// positive predictions of both groups.
//
// Undefined where either group has no positive predictions. Chouldechova, Fair
// Prediction with Disparate Impact (2017).
func PredictiveParityDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("predictive parity difference", ConventionPredictiveParity,
		group.PositivePredictiveValue(), reference.PositivePredictiveValue(), confidence)
}

// FalseNegativeRateDifference compares how often those who deserve the
// favourable outcome are denied it; the equal opportunity difference negated.
// Undefined where either group has no actual positives.
func FalseNegativeRateDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("false negative rate difference", ConventionFalseNegativeRateDifference,
		group.FalseNegativeRate(), reference.FalseNegativeRate(), confidence)
}

// FalsePositiveRateDifference compares how often those who do not deserve the
// favourable outcome get it. Undefined where either group has no actual
// negatives.
func FalsePositiveRateDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("false positive rate difference", ConventionFalsePositiveRateDifference,
		group.FalsePositiveRate(), reference.FalsePositiveRate(), confidence)
}

// FalseOmissionRateDifference compares how often an unfavourable prediction is
// wrong. Undefined where either group has no negative predictions.
func FalseOmissionRateDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("false omission rate difference", ConventionFalseOmissionRateDifference,
		group.FalseOmissionRate(), reference.FalseOmissionRate(), confidence)
}

// FalseDiscoveryRateDifference compares how often a favourable prediction is
// wrong; the predictive parity difference negated. Undefined where either group
// has no positive predictions.
func FalseDiscoveryRateDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("false discovery rate difference", ConventionFalseDiscoveryDifference,
		group.FalseDiscoveryRate(), reference.FalseDiscoveryRate(), confidence)
}

// AccuracyDifference compares how often predictions are right. Undefined where
// either group has no rows.
func AccuracyDifference(group, reference Confusion, confidence float64) (Estimate, error) {
	return difference("accuracy difference", ConventionAccuracyDifference,
		group.Accuracy(), reference.Accuracy(), confidence)
}
