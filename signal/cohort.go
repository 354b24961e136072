package signal

import "github.com/evenkeel/evenkeel/measure"

// Task is what a model's deciding output is.
type Task string

// The tasks.
const (
	TaskDecision   Task = "decision"   // favourable or not
	TaskRegression Task = "regression" // a number
	TaskClasses    Task = "classes"    // one of several
)

// Cohort counts how the predictions of one window turned out. It is closed a
// horizon after its window, and what it holds is all that its scores are
// computed from.
//
// All that it counted is in its exported fields, and JSON keeps them exactly: one
// that was read says the same as the one that was written, and goes on counting.
type Cohort struct {
	Task       Task                `json:"task"`
	Baseline   Digest              `json:"baseline"` // whose outcome says what was meant
	All        Outcomes            `json:"all"`
	Attributes []AttributeOutcomes `json:"attributes,omitempty"` // by name; of a decision only

	judge *outcomeJudge // of the baseline that the last row was added by
}

// AttributeOutcomes are the outcomes by group of one protected attribute.
type AttributeOutcomes struct {
	Attribute FeatureName     `json:"attribute"`
	Groups    []GroupOutcomes `json:"groups"` // by name; (unknown) is a group
}

// GroupOutcomes are the outcomes of one group.
type GroupOutcomes struct {
	Group string `json:"group"`
	Outcomes
}

// Outcomes count predictions and what became of them. Of the measures' sums only
// those of the cohort's task are filled.
type Outcomes struct {
	Predictions uint64 `json:"predictions"`
	Labelled    uint64 `json:"labelled"`
	Unusable    uint64 `json:"unusable,omitempty"` // labelled, but prediction or label is none that the task knows

	// Predictions by what was predicted, and how many of each have a label: if
	// only the favourable ones turn out at all, labels are selective.
	// Of a decision only; an answer without one is neither.
	Favourable           uint64 `json:"favourable,omitempty"`
	FavourableLabelled   uint64 `json:"favourable_labelled,omitempty"`
	Unfavourable         uint64 `json:"unfavourable,omitempty"`
	UnfavourableLabelled uint64 `json:"unfavourable_labelled,omitempty"`

	Confusion measure.Confusion        `json:"confusion,omitzero"`
	Scores    []measure.ScoreCell      `json:"scores,omitempty"` // on the grid of the score's column in the baseline; without one on the twentieths of [0, 1]
	Loss      measure.ProbabilityLoss  `json:"loss,omitzero"`
	Residuals measure.Residuals        `json:"residuals,omitzero"`
	Classes   map[string]ClassOutcomes `json:"classes,omitempty"` // one against the rest; at most 100, then (other)
}

// ClassOutcomes count one class against the rest.
type ClassOutcomes struct {
	Predicted uint64 `json:"predicted"`
	Actual    uint64 `json:"actual"`
	Right     uint64 `json:"right"`
}
