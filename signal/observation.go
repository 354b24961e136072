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

	Request string  // names the request; row i is Request#i. Empty: nothing names it, and no label can find its rows
	TraceID string  // of the W3C trace context that the request carried, 32 hexadecimal digits; empty: none
	Lineage Lineage // what stood behind the answer, as far as it is known
	Rate    float64 // share of the requests like this one that are profiled, in (0, 1]; 0 means 1
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

// The targets. Columns of a request or an answer have one of the first two; the
// others are derived from them, as the baseline says.
const (
	TargetFeature      Target = "feature"
	TargetPrediction   Target = "prediction"
	TargetGroup        Target = "group"        // a protected attribute crossed with the outcome
	TargetMultivariate Target = "multivariate" // numeric inputs projected together
	TargetEmbedding    Target = "embedding"    // the columns of an embedding projected together
	TargetText         Target = "text"         // what a text column is made of
	TargetRows         Target = "rows"         // whole rows: how many are different
	TargetPerformance  Target = "performance"  // what the scores promise, without labels
	TargetOutcomes     Target = "outcomes"     // how predictions turned out, joined with their labels where they were made
)

// Kind is the measurement scale of a feature.
type Kind string

// The kinds.
const (
	Numeric     Kind = "numeric"
	Categorical Kind = "categorical"

	// Sums is the kind of distributions that hold no cells but sums over rows:
	// one cell counts the rows that are in them.
	Sums Kind = "sums"
)
