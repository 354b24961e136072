package signal

// EventEvaluation is the name of the event that says how an evaluator judged an
// answer, by OpenTelemetry's conventions for generative AI.
const EventEvaluation = "gen_ai.evaluation.result"

// Attribute keys of evaluations, by the same conventions; the first is on metrics
// too.
const (
	KeyEvaluationName        = "gen_ai.evaluation.name"
	KeyEvaluationScore       = "gen_ai.evaluation.score.value"
	KeyEvaluationLabel       = "gen_ai.evaluation.score.label"
	KeyEvaluationExplanation = "gen_ai.evaluation.explanation"
	KeyEvaluationResponse    = "gen_ai.response.id"
)

// Metric names of evaluations.
const (
	MetricEvaluationScore = "evenkeel.llm.evaluation.score" // mean of the last window
	MetricEvaluationShare = "evenkeel.llm.evaluation.share" // of a label in the last window
	MetricEvaluationCount = "evenkeel.llm.evaluation.count" // by label
	// MetricEvaluationRefused counts those that were not taken.
	MetricEvaluationRefused = "evenkeel.llm.evaluation.refused"
)
