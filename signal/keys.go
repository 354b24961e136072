package signal

import "strings"

// Attribute keys on resources.
const (
	KeySystemID     = "evenkeel.system.id"
	KeyAgentVersion = "evenkeel.agent.version"
	KeyServiceName  = "service.name"
	KeyInstanceID   = "service.instance.id"
	KeyEnvironment  = "deployment.environment.name"
)

// Attribute keys on metrics and events.
const (
	KeyModelName        = "evenkeel.model.name"
	KeyModelVersion     = "evenkeel.model.version"
	KeyFeatureName      = "evenkeel.feature.name"
	KeyViolation        = "evenkeel.violation"
	KeyCapture          = "evenkeel.capture"
	KeyOutcome          = "evenkeel.outcome"
	KeyScope            = "evenkeel.scope"
	KeyDriftMethod      = "evenkeel.drift.method"
	KeyDriftTarget      = "evenkeel.drift.target"
	KeyBaselineID       = "evenkeel.baseline.id"
	KeyFairnessMetric   = "evenkeel.fairness.metric"
	KeyProtected        = "evenkeel.protected_attribute"
	KeyGroup            = "evenkeel.group"
	KeyReferenceGroup   = "evenkeel.reference_group"
	KeyGroupJudged      = "evenkeel.group.judged"
	KeyFeatureRequired  = "evenkeel.feature.required"
	KeyWindowLength     = "evenkeel.window.length"
	KeyConvention       = "evenkeel.convention"
	KeyReason           = "evenkeel.reason"
	KeyLineageEventType = "evenkeel.lineage.event_type"
	KeyBaselineContent  = "evenkeel.baseline.content"
)

// Metric names. Gauges and cumulative counters: views for dashboards. The
// evidence is the window event.
const (
	MetricInferenceDuration = "evenkeel.inference.duration"
	MetricObservationCount  = "evenkeel.observation.count"
	MetricViolationCount    = "evenkeel.feature.violation.count"
	MetricQuality           = "evenkeel.feature.quality.ratio"
	MetricDriftScore        = "evenkeel.drift.score"
	MetricDriftShare        = "evenkeel.drift.feature.share"
	MetricDriftEvidence     = "evenkeel.drift.evidence"
	MetricDriftAlarm        = "evenkeel.drift.alarm"
	MetricDisparity         = "evenkeel.fairness.disparity"
	MetricFairnessCoverage  = "evenkeel.fairness.coverage"
	MetricHeartbeat         = "evenkeel.agent.heartbeat"

	// SuffixLower, SuffixUpper and SuffixSamples, appended to the name of a
	// score, carry its interval and the rows behind it.
	SuffixLower   = ".lower"
	SuffixUpper   = ".upper"
	SuffixSamples = ".samples"
)

// Event names of OTLP log records.
const (
	EventWindowProfile = "evenkeel.window.profile"
	EventLineageRun    = "evenkeel.lineage.run"
	EventBaseline      = "evenkeel.baseline.declared"
)

// Values of attributes that have a closed set.
const (
	ScopeInstance = "instance" // measured by one agent
	ScopeFleet    = "fleet"    // measured over all replicas by the collector

	CaptureSeen        = "seen"
	CaptureProfiled    = "profiled"
	CaptureSampledOut  = "sampled_out"
	CaptureDropped     = "dropped"
	CaptureUndecodable = "undecodable"

	ViolationMissing     = "missing"
	ViolationType        = "type"
	ViolationOutOfRange  = "out_of_range"
	ViolationNewCategory = "new_category"

	DriftPSI           = "psi"
	DriftJS            = "js"
	DriftHellinger     = "hellinger"
	DriftTVD           = "tvd"
	DriftLInf          = "linf"
	DriftChiSquare     = "chi2"
	DriftCramersV      = "cramers_v"
	DriftKS            = "ks"
	DriftWasserstein   = "wasserstein"
	DriftMeanShift     = "mean_shift"
	DriftVarianceRatio = "variance_ratio"

	FairnessParityDifference = "statistical_parity_difference"
	FairnessDisparateImpact  = "disparate_impact"
	FairnessImpactRatio      = "impact_ratio_min_max"
)

// Verdict is what a rule says about one subject at one evaluation.
type Verdict string

// The verdicts, best first except for the two that mean "not judged".
const (
	Pass   Verdict = "pass"
	Warn   Verdict = "warn"
	Fail   Verdict = "fail"
	NoData Verdict = "no_data"
	Error  Verdict = "error"
)

// PrometheusName gives the name under which a metric or attribute of ours is
// queried: dots become underscores, and nothing is appended.
func PrometheusName(name string) string { return strings.ReplaceAll(name, ".", "_") }
