package signal

import "time"

// Observation is a batch of rows decoded from one inference request and its
// response, by column. All columns have Rows values.
//
// Ownership: the decoder fills it, the window reads it; slices may alias a
// pooled buffer and are valid only until the window's Observe returns.
type Observation struct {
	Model   ModelRef
	Time    time.Time // when the response was complete
	Rows    int
	Columns []Column
}

// Column is one feature or output of an Observation. Exactly one of Numbers
// and Strings is set. A missing value is NaN in Numbers, and marked in Missing
// for Strings (nil Missing: none is missing).
type Column struct {
	Name    FeatureName
	Target  Target
	Numbers []float64
	Strings []string
	Missing []bool
}

// Target says which side of the model a column or distribution is about.
type Target string

// The targets that exist so far.
const (
	TargetFeature    Target = "feature"
	TargetPrediction Target = "prediction"
	TargetGroup      Target = "group" // a protected attribute crossed with the outcome
)

// Kind is the measurement scale of a feature.
type Kind string

// The kinds.
const (
	Numeric     Kind = "numeric"
	Categorical Kind = "categorical"
)
