package dashboards

import (
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// All gives every dashboard.
func All() []Dashboard { return []Dashboard{Overview(), Outcomes()} }

// Overview is the dashboard for the person on call: is the model drifting, is
// it even between groups, and does the monitoring itself see everything.
func Overview() Dashboard {
	var panels []Panel
	for _, part := range [][]Panel{glance(), drift(), fairness(), inference(), monitoring()} {
		panels = append(panels, part...)
	}
	return Dashboard{
		UID:           "evenkeel-overview",
		Title:         "Evenkeel overview",
		Description:   "Drift, fairness, inference and the health of the monitoring itself, per AI system and model.",
		Tags:          []string{"evenkeel"},
		SchemaVersion: 39,
		Editable:      true,
		Refresh:       "10s",
		Time:          TimeRange{From: "now-30m", To: "now"},
		Templating:    Templating{List: variables()},
		Panels:        layout(panels),
	}
}

func variables() []Variable {
	choice := func(name, label, expr string) Variable {
		return Variable{
			Name: name, Label: label, Type: "query", Datasource: source, Refresh: 2, Sort: 1,
			Multi: true, IncludeAll: true, AllValue: ".*",
			Query: VariableQuery{QueryType: 1, Query: expr, RefID: "variable"},
		}
	}
	observed := signal.PrometheusName(signal.MetricObservationCount)
	return []Variable{
		{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus"},
		choice("system", "System", "label_values("+observed+", "+signal.PrometheusName(signal.KeySystemID)+")"),
		choice("model", "Model", "label_values("+observed+"{"+bySystem+"}, "+signal.PrometheusName(signal.KeyModelName)+")"),
	}
}

// The limits of the shipped rules, where a panel draws them.
var (
	psiLimits    = []limit{{0.1, "orange"}, {0.25, "red"}} // DRF-01
	parityLimits = []limit{{-0.1, "green"}, {0.1, "red"}}  // FAI-02, both sides
	ratioLimits  = []limit{{0.8, "green"}, {1.25, "red"}}  // four fifths, and its inverse
	silentLimits = []limit{{60, "orange"}, {300, "red"}}   // LOG-02
	anyLimit     = []limit{{1, "red"}}
)

func glance() []Panel {
	parity := series(signal.MetricDisparity, fleet, metricIs(signal.FairnessParityDifference))
	return []Panel{
		row("At a glance"),
		stat("Worst drift", "Largest population stability index of any input feature in the newest window of all replicas.",
			"", psiLimits, query{"max(" + newest(series(signal.MetricDriftScore, fleet, ofFeatures)) + ")", "PSI"}),
		stat("Widest disparity", "Largest statistical parity difference of any group, either way, in the newest window of all replicas.",
			"", []limit{{0.1, "red"}}, query{"max(abs(" + newest(parity) + "))", "difference"}),
		stat("Longest silence", "Time since the newest heartbeat of the agent that has been silent longest.",
			"s", silentLimits, query{"max(" + silence + ")", "since heartbeat"}),
		stat("Not seen", "Requests that passed and were not profiled, in the last five minutes: dropped or not decodable.",
			"short", anyLimit, query{"sum(increase(" + series(signal.MetricObservationCount, notProfiled) + "[5m]))", "requests"}),
	}
}

func drift() []Panel {
	return []Panel{
		row("Drift against the approved baseline"),
		lines("Input features", "Population stability index of each input feature over all replicas, with the limits of DRF-01.",
			"", psiLimits, query{maxBy(signal.KeyFeatureName, stepwise(series(signal.MetricDriftScore, fleet, ofFeatures))), "{{evenkeel_feature_name}}"}),
		lines("Predictions", "Population stability index of each output over all replicas.",
			"", psiLimits, query{maxBy(signal.KeyFeatureName, stepwise(series(signal.MetricDriftScore, fleet, ofPredictions))), "{{evenkeel_feature_name}}"}),
		lines("Each replica", "The most drifted input feature of each agent: one that stands out has other traffic or another model.",
			"", psiLimits, query{maxBy(signal.KeyInstanceID, stepwise(series(signal.MetricDriftScore, replica, ofFeatures))), "{{service_instance_id}}"}),
		lines("Rows behind the scores", "Rows in each window of all replicas. Below a rule's least number a window is not judged.",
			"short", nil, query{maxBy(signal.KeyModelName, stepwise(series(signal.MetricDriftScore+signal.SuffixSamples, fleet, ofFeatures))), "{{evenkeel_model_name}}"}),
	}
}

func fairness() []Panel {
	const legend = "{{evenkeel_group}} against {{evenkeel_reference_group}}"
	ends := func(metric, suffix string) string {
		return maxOver(groupKeys, stepwise(series(signal.MetricDisparity+suffix, fleet, metricIs(metric))))
	}
	both := func(metric string) []query {
		return []query{
			{ends(metric, ""), legend},
			{ends(metric, signal.SuffixLower), legend + ", lower"},
			{ends(metric, signal.SuffixUpper), legend + ", upper"},
		}
	}
	return []Panel{
		row("Fairness between groups"),
		lines("Difference of approval rates", "Statistical parity difference with its simultaneous interval, over all replicas, with the band of FAI-02. It fails when the whole interval is outside.",
			"", parityLimits, both(signal.FairnessParityDifference)...).dots(".*, (lower|upper)$").startingWith("red"),
		lines("Ratio of approval rates", "Disparate impact with its interval; 0.8 is the four-fifths rule of thumb.",
			"", ratioLimits, both(signal.FairnessDisparateImpact)...).dots(".*, (lower|upper)$").startingWith("red"),
		lines("Rows of each group", "Rows in the group of each window of all replicas; small groups have wide intervals.",
			"short", nil, query{ends(signal.FairnessParityDifference, signal.SuffixSamples), "{{evenkeel_group}}"}),
		lines("Approval rates", "Share of favourable outcomes of each group, over all replicas: which of both sides of a difference has moved.",
			"percentunit", nil, query{maxOver([]string{signal.KeyProtected, signal.KeyGroup}, stepwise(series(signal.MetricSelectionRate, fleet))), "{{evenkeel_group}}"}),
	}
}

func inference() []Panel {
	duration := func(suffix string) string {
		return "rate(" + series(signal.MetricInferenceDuration+suffix) + "[$__rate_interval])"
	}
	quantile := func(q string) string {
		return "histogram_quantile(" + q + ", sum by (le) (" + duration(".bucket") + "))"
	}
	return []Panel{
		row("Inference, as clients see it"),
		lines("Requests", "Inference requests that passed the agents, by outcome.",
			"reqps", nil, query{"sum by (" + signal.PrometheusName(signal.KeyOutcome) + ") (" + duration(".count") + ")", "{{evenkeel_outcome}}"}),
		lines("Latency", "Time from the request's arrival at the agent to the end of the answer.",
			"s", nil, query{quantile("0.5"), "p50"}, query{quantile("0.95"), "p95"}, query{quantile("0.99"), "p99"}),
	}
}

func monitoring() []Panel {
	rate := func(s string) string { return "rate(" + s + "[$__rate_interval])" }
	return []Panel{
		row("The monitoring itself"),
		lines("What was seen of the traffic", "Requests by what became of them. All but profiled and sampled out are losses, and widen what is reported.",
			"reqps", nil, query{"sum by (" + signal.PrometheusName(signal.KeyCapture) + ") (" + rate(series(signal.MetricObservationCount)) + ")", "{{evenkeel_capture}}"}),
		lines("Values that do not fit", "Missing values, wrong types, values outside the baseline's range, new categories.",
			"ops", nil, query{"sum by (" + signal.PrometheusName(signal.KeyFeatureName) + ", " + signal.PrometheusName(signal.KeyViolation) + ") (" + rate(series(signal.MetricViolationCount)) + ")", "{{evenkeel_feature_name}}: {{evenkeel_violation}}"}),
		lines("Not captured, by reason", "Requests that were served and not captured: the agent lets go of its copy before it holds up a request.",
			"reqps", nil, query{"sum by (" + signal.PrometheusName(signal.KeyReason) + ") (" + rate(agents(metricDropped)) + ")", "{{evenkeel_reason}}"}),
		lines("Waiting for the collector", "Bytes in the agents' spools on disk. A line that climbs means a collector that is away or full.",
			"bytes", nil, query{"sum by (" + signal.PrometheusName(signal.KeyInstanceID) + ", evenkeel_export_signal) (" + agents(metricSpooled) + ")", "{{service_instance_id}} {{evenkeel_export_signal}}"}),
		lines("Deliveries to the collector", "Requests that the collector acknowledged, and attempts that are repeated.",
			"ops", nil,
			query{"sum(" + rate(agents(metricSent)) + ")", "acknowledged"},
			query{"sum(" + rate(agents(metricRetried)) + ")", "repeated"}),
		lines("Evidence lost at the agent", "Windows, requests and records that will not reach the collector, since the agents began. Anything but 0 is a gap in the evidence.",
			"short", anyLimit,
			query{"sum(" + agents(metricWindowLost) + ")", "windows"},
			query{"sum(" + agents(metricQuarantined) + ") + sum(" + agents(metricDamaged) + ") + sum(" + agents(metricRefused) + ")", "requests"},
			query{"sum(" + agents(metricRejected) + ")", "records"}),
		lines("Silence of each agent", "Time since the newest heartbeat of each agent, with the limits of LOG-02.",
			"s", silentLimits, query{silence, "{{service_instance_id}}"}),
	}
}

// The agent's own health. These are named in agent/export alone: nobody else
// but dashboards reads them.
const (
	metricDropped     = "evenkeel.capture.dropped"
	metricSpooled     = "evenkeel.export.spool.bytes"
	metricSent        = "evenkeel.export.sent"
	metricRetried     = "evenkeel.export.retried"
	metricRefused     = "evenkeel.export.refused"
	metricQuarantined = "evenkeel.export.quarantined"
	metricDamaged     = "evenkeel.export.damaged"
	metricRejected    = "evenkeel.export.rejected"
	metricWindowLost  = "evenkeel.export.window.lost"
)

// agents selects a metric of the agents themselves, which know no model.
func agents(metric string) string { return signal.PrometheusName(metric) + "{" + bySystem + "}" }

// silence is the expression of LOG-02, for the chosen systems. An agent that
// stopped cleanly said goodbye with a heartbeat of 0.
var silence = "time() - max by (" + signal.PrometheusName(signal.KeySystemID) + ", " + signal.PrometheusName(signal.KeyInstanceID) +
	") (timestamp(" + agents(signal.MetricHeartbeat) + ") unless " + agents(signal.MetricHeartbeat) + " == 0)"

// Matchers of the queries.
var (
	bySystem      = signal.PrometheusName(signal.KeySystemID) + `=~"$system"`
	byModel       = signal.PrometheusName(signal.KeyModelName) + `=~"$model"`
	fleet         = is(signal.KeyScope, signal.ScopeFleet)
	replica       = is(signal.KeyScope, signal.ScopeInstance)
	ofFeatures    = psiOf(signal.TargetFeature)
	ofPredictions = psiOf(signal.TargetPrediction)
	notProfiled   = signal.PrometheusName(signal.KeyCapture) + `=~"` + signal.CaptureDropped + "|" + signal.CaptureUndecodable + `"`
	groupKeys     = []string{signal.KeyProtected, signal.KeyGroup, signal.KeyReferenceGroup}
)

func is(key, value string) string   { return signal.PrometheusName(key) + `="` + value + `"` }
func metricIs(metric string) string { return is(signal.KeyFairnessMetric, metric) }
func maxBy(key, expr string) string { return maxOver([]string{key}, expr) }

// maxOver keeps the largest value for each combination of these labels.
func maxOver(keys []string, expr string) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = signal.PrometheusName(key)
	}
	return "max by (" + strings.Join(names, ", ") + ") (" + expr + ")"
}

// oneOf matches any of the values.
func oneOf(key string, values ...string) string {
	return signal.PrometheusName(key) + `=~"` + strings.Join(values, "|") + `"`
}

// psiOf matches one of the methods by which drift is measured.
func psiOf(target signal.Target) string {
	return is(signal.KeyDriftMethod, signal.DriftPSI) + ", " + is(signal.KeyDriftTarget, string(target))
}

// series selects a metric of the chosen systems and models.
func series(metric string, matchers ...string) string {
	return signal.PrometheusName(metric) + "{" + strings.Join(append([]string{bySystem, byModel}, matchers...), ", ") + "}"
}

// stepwise takes the newest value within each step of the graph. Windows may
// be an hour long, and Prometheus looks back five minutes only.
func stepwise(selector string) string { return "last_over_time(" + selector + "[$__interval])" }

// newest takes the newest value within the time that is shown.
func newest(selector string) string { return "last_over_time(" + selector + "[$__range])" }
