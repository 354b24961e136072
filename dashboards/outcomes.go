package dashboards

import "github.com/evenkeel/evenkeel/signal"

// Outcomes is the dashboard of what few models have: labels, scores that
// promise an outcome, embeddings, texts and inputs that are watched together.
func Outcomes() Dashboard {
	var panels []Panel
	for _, part := range [][]Panel{performance(), errorRates(), together()} {
		panels = append(panels, part...)
	}
	return Dashboard{
		UID:           "evenkeel-outcomes",
		Title:         "Evenkeel outcomes",
		Description:   "How well models predict, once labels are known and before; error rates by group; drift of embeddings, texts and joint inputs.",
		Tags:          []string{"evenkeel"},
		SchemaVersion: 39,
		Editable:      true,
		Refresh:       "10s",
		Time:          TimeRange{From: "now-30m", To: "now"},
		Templating:    Templating{List: variables()},
		Panels:        layout(panels),
	}
}

// The limits of the shipped rules, and of what is a share.
var (
	gapLimits      = []limit{{0.1, "red"}} // FAI-03
	relativeLimits = []limit{{1, "red"}}   // DRF-04
)

func performance() []Panel {
	scores := func(basis string) query {
		return query{
			maxOver([]string{signal.KeyModelName, signal.KeyPerformance},
				stepwise(series(signal.MetricPerformance, fleet, is(signal.KeyBasis, basis), ofAll, shares))),
			"{{evenkeel_model_name}} {{evenkeel_performance_metric}}",
		}
	}
	return []Panel{
		row("How well it predicts"),
		lines("With labels", "Accuracy and its kin of the predictions of each window, with the labels that came by its horizon.",
			"", nil, scores(signal.BasisRealized)),
		lines("Without labels", "What the scores promise for the rows of each window. It holds as long as scores still mean what they meant.",
			"", nil, scores(signal.BasisEstimated)),
		lines("Errors, with labels", "Losses, calibration error and residuals of the predictions of each window. Less is better.",
			"", nil, query{
				maxOver([]string{signal.KeyModelName, signal.KeyPerformance},
					stepwise(series(signal.MetricPerformance, fleet, is(signal.KeyBasis, signal.BasisRealized), ofAll, losses))),
				"{{evenkeel_model_name}} {{evenkeel_performance_metric}}",
			}),
		lines("Who has a label", "Share of the predictions of each window with a label, by what was predicted. Labels of favoured people only show no error that lies in who is favoured.",
			"percentunit", nil, query{
				maxOver([]string{signal.KeyModelName, signal.KeyPredicted}, stepwise(series(signal.MetricLabelCoverage, fleet, signal.PrometheusName(signal.KeyGroup)+`=""`))),
				"{{evenkeel_model_name}} {{evenkeel_predicted}}",
			}),
	}
}

func errorRates() []Panel {
	gap := func(suffix string) string {
		return maxOver(groupKeys, stepwise(series(signal.MetricDisparity+suffix, fleet, metricIs(signal.FairnessEqualizedOdds))))
	}
	const legend = "{{evenkeel_group}} against {{evenkeel_reference_group}}"
	return []Panel{
		row("Errors between groups"),
		lines("Gap of the error rates", "Larger difference of the true and the false positive rate, with its simultaneous interval and the limit of FAI-03. It fails when the whole interval is above.",
			"", gapLimits, query{gap(""), legend}, query{gap(signal.SuffixLower), legend + ", lower"}, query{gap(signal.SuffixUpper), legend + ", upper"}).
			dots(".*, (lower|upper)$"),
		lines("Which way", "Difference of the true positive rates (opportunity) and of the false positive rates from the reference group's.",
			"", parityLimits,
			query{maxOver(groupKeys, stepwise(series(signal.MetricDisparity, fleet, metricIs(signal.FairnessEqualOpportunity)))), "{{evenkeel_group}}: true positives"},
			query{maxOver(groupKeys, stepwise(series(signal.MetricDisparity, fleet, metricIs(signal.FairnessFalsePositiveRate)))), "{{evenkeel_group}}: false positives"}).
			startingWith("red"),
	}
}

func together() []Panel {
	sliced := is(signal.KeyDriftMethod, signal.DriftSlicedWasserstein)
	of := []string{signal.KeyDriftTarget, signal.KeyFeatureName}
	const legend = "{{evenkeel_drift_target}} {{evenkeel_feature_name}}"
	text := func(method, names string) string {
		return maxOver(of, stepwise(series(signal.MetricDriftScore, fleet, is(signal.KeyDriftMethod, method),
			is(signal.KeyDriftTarget, string(signal.TargetText)), signal.PrometheusName(signal.KeyFeatureName)+names)))
	}
	return []Panel{
		row("Embeddings, joint inputs and texts"),
		lines("Embeddings and joint inputs", "Sliced Wasserstein distance over what one of twenty of the baseline's own windows exceeds: DRF-04 fails above 1.",
			"", relativeLimits, query{
				maxOver(of, stepwise(series(signal.MetricDriftScore, fleet, sliced))+" / "+stepwise(series(signal.MetricDriftLimit, fleet, sliced))), legend,
			}),
		lines("In the kernel's space", "Maximum mean discrepancy of the same sets: what moved without moving along an axis.",
			"", nil, query{maxOver(of, stepwise(series(signal.MetricDriftScore, fleet, is(signal.KeyDriftMethod, signal.DriftMMD)))), legend}),
		lines("Topics and languages of texts", "Jensen-Shannon distance of the texts' trigrams, with the limit of DRF-04.",
			"", gapLimits, query{text(signal.DriftJS, `=~".+[.]`+signal.TextTrigrams+`"`), "{{evenkeel_feature_name}}"}),
		lines("Make of texts", "Population stability index of length, words, marks and script, with the limit of DRF-04.",
			"", []limit{{0.25, "red"}}, query{text(signal.DriftPSI, `!~".+[.]`+signal.TextTrigrams+`"`), "{{evenkeel_feature_name}}"}),
	}
}

// Matchers of performance: all classes together, and measures of like scale.
var (
	ofAll  = is(signal.KeyClass, "")
	shares = oneOf(signal.KeyPerformance, signal.PerformanceAccuracy, signal.PerformancePrecision, signal.PerformanceRecall,
		signal.PerformanceF1, signal.PerformanceAUC)
	losses = oneOf(signal.KeyPerformance, signal.PerformanceLogLoss, signal.PerformanceBrier, signal.PerformanceECE,
		signal.PerformanceMAE, signal.PerformanceRMSE)
)
