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
	KeyBasis            = "evenkeel.basis"
	KeyPerformance      = "evenkeel.performance.metric"
	KeyClass            = "evenkeel.performance.class" // of a choice among classes, which the value is about
	KeyPredicted        = "evenkeel.predicted"         // favourable, unfavourable
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
	MetricDriftLimit        = "evenkeel.drift.limit"             // of a score without a customary limit, from the baseline's own windows
	MetricDriftChange       = "evenkeel.drift.change.count"      // change points of a prediction's stream, to look at
	MetricSelectionRate     = "evenkeel.fairness.selection.rate" // favourable share of one group
	MetricFairnessHeld      = "evenkeel.fairness.held"           // rows of groups too small to be told yet
	MetricPerformance       = "evenkeel.performance.score"
	MetricLabelCoverage     = "evenkeel.label.coverage"
	MetricHeartbeat         = "evenkeel.agent.heartbeat"

	// SuffixLower, SuffixUpper and SuffixSamples, appended to the name of a
	// score, carry its interval and the rows behind it.
	SuffixLower   = ".lower"
	SuffixUpper   = ".upper"
	SuffixSamples = ".samples"

	// What explains a score beside its interval, where it exists.
	SuffixP         = ".p"          // of the method's test
	SuffixPAdjusted = ".p_adjusted" // over all that is tested together: columns by Benjamini and Hochberg, groups by Holm
	SuffixBound     = ".bound"      // ks: what the raw values' statistic cannot exceed
	SuffixCritical  = ".critical"   // what one of twenty unchanged windows exceeds
	SuffixVisible   = ".visible"    // the smallest shift that a window of this size shows
	SuffixLeast     = ".least"      // if no row that was lost had counted
	SuffixGreatest  = ".greatest"   // if every row that was lost had
)

// Event names of OTLP log records.
const (
	EventWindowProfile = "evenkeel.window.profile"
	EventLineageRun    = "evenkeel.lineage.run"
	EventLineage       = "evenkeel.lineage.event" // that came over the API
	EventBaseline      = "evenkeel.baseline.declared"
	EventPrediction    = "evenkeel.prediction"
	EventLabel         = "evenkeel.label"
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
	ViolationConstant    = "constant"  // one value only, where the baseline had more: 1 or 0
	ViolationDuplicate   = "duplicate" // of whole rows

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

	DriftSlicedWasserstein = "sliced_wasserstein"
	DriftSlicedJS          = "sliced_js"
	DriftMMD               = "mmd"

	ChangeADWIN       = "adwin"
	ChangePageHinkley = "page_hinkley"

	FairnessParityDifference = "statistical_parity_difference"
	FairnessDisparateImpact  = "disparate_impact"
	FairnessImpactRatio      = "impact_ratio_min_max"

	// These need to know how it turned out.
	FairnessEqualOpportunity   = "equal_opportunity_difference"
	FairnessAverageOdds        = "average_odds_difference"
	FairnessEqualizedOdds      = "equalized_odds"
	FairnessPredictiveParity   = "predictive_parity_difference"
	FairnessFalseNegativeRate  = "fnr_difference"
	FairnessFalsePositiveRate  = "fpr_difference"
	FairnessFalseOmissionRate  = "for_difference"
	FairnessFalseDiscoveryRate = "fdr_difference"
	FairnessAccuracy           = "accuracy_difference"
	FairnessCalibration        = "calibration_error" // of one group

	BasisRealized  = "realized"  // from labels
	BasisEstimated = "estimated" // from scores, without labels

	PerformanceAccuracy    = "accuracy"
	PerformancePrecision   = "precision"
	PerformanceRecall      = "recall"
	PerformanceSpecificity = "specificity"
	PerformanceF1          = "f1"
	PerformanceMCC         = "mcc"
	PerformanceAUC         = "auc"
	PerformanceLogLoss     = "log_loss"
	PerformanceBrier       = "brier"
	PerformanceECE         = "calibration_error"
	PerformanceECERaw      = "calibration_error_uncorrected"
	PerformanceMAE         = "mae"
	PerformanceRMSE        = "rmse"
	PerformanceR2          = "r2"

	PredictedFavourable   = "favourable"
	PredictedUnfavourable = "unfavourable"
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
