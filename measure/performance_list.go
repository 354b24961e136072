package measure

// PerformanceMeasure is one line of the performance table: a number that counts
// of one kind give.
type PerformanceMeasure[Of any] struct {
	Name string // the value of the metric's attribute, for example f1
	Of   func(of Of, confidence float64) (Estimate, error)
}

// ConfusionMeasures are the measures of decisions whose outcome is known, in the
// order in which people read them. Beside them stand AUC, ECE and the measures of
// the scores that decisions come from.
func ConfusionMeasures() []PerformanceMeasure[Confusion] {
	return []PerformanceMeasure[Confusion]{
		{"accuracy", AccuracyScore},
		{"precision", Precision},
		{"recall", Recall},
		{"specificity", Specificity},
		{"f1", F1},
		{"mcc", func(c Confusion, _ float64) (Estimate, error) { return MCC(c) }},
	}
}

// LossMeasures are the mean losses of predicted probabilities.
func LossMeasures() []PerformanceMeasure[ProbabilityLoss] {
	return []PerformanceMeasure[ProbabilityLoss]{
		{"log_loss", ProbabilityLoss.LogLossScore},
		{"brier", ProbabilityLoss.Brier},
	}
}

// ResidualMeasures are the measures of predicted numbers.
func ResidualMeasures() []PerformanceMeasure[Residuals] {
	return []PerformanceMeasure[Residuals]{
		{"mae", Residuals.MAE},
		{"rmse", Residuals.RMSE},
		{"r2", func(r Residuals, _ float64) (Estimate, error) { return r.R2() }},
	}
}

// ExpectedMeasures are the measures of decisions without labels. They have no
// interval, so that the confidence changes nothing.
func ExpectedMeasures() []PerformanceMeasure[*ExpectedPerformance] {
	without := func(of func(*ExpectedPerformance) (Estimate, error)) func(*ExpectedPerformance, float64) (Estimate, error) {
		return func(p *ExpectedPerformance, _ float64) (Estimate, error) { return of(p) }
	}
	return []PerformanceMeasure[*ExpectedPerformance]{
		{"accuracy", without((*ExpectedPerformance).Accuracy)},
		{"precision", without((*ExpectedPerformance).Precision)},
		{"recall", without((*ExpectedPerformance).Recall)},
		{"f1", without((*ExpectedPerformance).F1)},
		{"auc", without((*ExpectedPerformance).AUC)},
	}
}
