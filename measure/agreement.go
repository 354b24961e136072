package measure

// ConventionAgreement is that of Agreement.
const ConventionAgreement = "agreement/wilson@1"

// Agreement is the share of known cases that were answered as expected, with
// Wilson's interval: that of the cases which the set stands for, not of the set
// itself, which is asked as a whole. Undefined where nothing was answered.
func Agreement(p Proportion, confidence float64) (Estimate, error) {
	return proportionScore("agreement", ConventionAgreement, p, confidence)
}
