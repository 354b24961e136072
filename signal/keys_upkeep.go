package signal

// KeyRule is the attribute that names a rule in the collector's own figures.
const KeyRule = "evenkeel.rule"

// KeyTable is the attribute that names a table of the store.
const KeyTable = "evenkeel.table"

// Metrics of the collector about itself, which rules judge: for each system.
const (
	MetricSystemDeclared  = "evenkeel.system.declared"  // 1 where the configuration declares the system, 0 for one that sends without
	MetricRetentionKept   = "evenkeel.retention.kept"   // s for which a table's rows are kept; KeptForEver where nothing is dropped
	MetricRuleEvaluations = "evenkeel.rule.evaluations" // times that a rule was due since the sample before, by what became of it
)

// KeptForEver stands for a time without end: a hundred years, in seconds.
const KeptForEver = 36_500 * 86_400

// What became of a rule that was due, in KeyOutcome.
const (
	EvaluationDone   = "done"
	EvaluationMissed = "missed" // nobody asked in time
	EvaluationFailed = "error"  // the query could not be answered
)
