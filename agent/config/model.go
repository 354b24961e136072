package config

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// Model is one monitored model.
type Model struct {
	Name      string      `yaml:"name"`      // as in the V2 URL /v2/models/<name>/infer
	Version   string      `yaml:"version"`   // empty: taken from the response or the URL
	Stage     string      `yaml:"stage"`     // transformed: the inputs are seen behind the transformation of features; empty: as they come
	Route     string      `yaml:"route"`     // names one way to the model, with windows of its own; empty: all
	Match     Match       `yaml:"match"`     // which requests the entry is about, where the URL says too little
	Window    ModelWindow `yaml:"window"`    // where its windows differ from the agent's
	Baseline  string      `yaml:"baseline"`  // file of `evenkeel baseline build`, relative to this file, or sha256:DIGEST of one that the collector knows; empty: no drift
	Protocol  string      `yaml:"protocol"`  // the only one that is decoded; empty: the one that the URL is of
	Path      string      `yaml:"path"`      // where the model is asked, in place of the protocol's URL; needs Protocol
	Inputs    Side        `yaml:"inputs"`    // where the values of a request stand, and what they are called
	Outputs   Side        `yaml:"outputs"`   // likewise of an answer
	Outcome   Outcome     `yaml:"outcome"`   // what an answer means; what is not set is taken from the baseline
	Protected []Protected `yaml:"protected"` // attributes whose groups are compared

	// Intersections are sets of protected attributes whose groups are compared at
	// once, each as signal.IntersectionName calls it: "gender x region".
	Intersections [][]signal.FeatureName `yaml:"intersections"`

	Predictions Predictions `yaml:"predictions"` // whether every answer leaves the agent, so that labels can find it
	Labels      Labels      `yaml:"labels"`      // whether the agent joins labels itself
	Privacy     Privacy     `yaml:"privacy"`     // what is used of a request at all
	Sample      Sample      `yaml:"sample"`      // how many of the requests are profiled
	LLM         LLM         `yaml:"llm"`         // what is looked for in the texts of a language model
	Learn       Learn       `yaml:"learn"`       // make a baseline of the first requests where there is none
	Probe       Probe       `yaml:"probe"`       // known cases that the model server is asked

	Digests    Digests       `yaml:"digests"`     // what stands behind the answers
	LineageRun LineageSource `yaml:"lineage_run"` // a run of somebody's OpenLineage that the answers belong to
}

// Side says how a request or an answer is read. Which values are allowed is the
// decoders' matter, and checked where they are made.
type Side struct {
	// Columns names the columns of a tensor of shape [n, f], of a list of equal
	// lengths, or of a table without names: its name to feature names, in order.
	// What is not listed is one feature under its own name or, if it has several
	// columns, features named NAME.0, NAME.1 and so on.
	Columns map[string][]signal.FeatureName `yaml:"columns"`
	At      string                          `yaml:"at"`   // JSON pointer to the values, for protocol mapped; empty: the whole body
	Form    string                          `yaml:"form"` // rows, columns or row, for protocol mapped; empty: as it looks
}

// Outcome says which output decides, and when it is favourable. Where the
// baseline says so as well the two must agree: the collector judges predictions
// by the baseline. Without a favourable side a numeric output is a regression
// and a categorical one a choice among classes, and no groups can be compared.
type Outcome struct {
	Output     signal.FeatureName `yaml:"output"`
	Favourable Favourable         `yaml:"favourable"`
	Score      signal.FeatureName `yaml:"score"` // output with the score of the favourable side; empty: none
}

// Favourable is a set of values or a lower limit; one of the two.
type Favourable struct {
	Values  []string `yaml:"values"`   // numbers match by value, all else as text
	AtLeast *float64 `yaml:"at_least"` // null: no limit; else value >= at_least
}

// Given says that there is a favourable side.
func (f Favourable) Given() bool { return len(f.Values) > 0 || f.AtLeast != nil }

// Agrees says that both call the same values favourable.
func (f Favourable) Agrees(o Favourable) bool {
	if f.AtLeast != nil || o.AtLeast != nil {
		return f.AtLeast != nil && o.AtLeast != nil && *f.AtLeast == *o.AtLeast
	}
	return covers(f.Values, o.Values) && covers(o.Values, f.Values)
}

// covers says that every value of the second list is one of the first.
func covers(all, some []string) bool {
	for _, v := range some {
		if !slices.ContainsFunc(all, func(w string) bool { return SameValue(v, w) }) {
			return false
		}
	}
	return true
}

// SameValue compares numbers by value, of which true and false are two, and all
// else as text.
func SameValue(a, b string) bool {
	x, isX := category.Number(a)
	y, isY := category.Number(b)
	return a == b || isX && isY && x == y
}

// Protected is an attribute whose groups are compared with a reference group.
type Protected struct {
	Attribute signal.FeatureName `yaml:"attribute"`
	Reference string             `yaml:"reference"` // empty: the baseline's, else the largest group of the window
	From      Origin             `yaml:"from"`      // where it comes from; empty: it is an input
}

// Predictions says what leaves the agent about single rows: the request's id,
// the deciding output, the score, and groups where they are asked for. Inputs
// never do.
type Predictions struct {
	Send        bool                 `yaml:"send"`
	Rate        *float64             `yaml:"rate"`         // share of the requests whose predictions are sent, above 0 and up to 1; null: those that are profiled
	Groups      []signal.FeatureName `yaml:"groups"`       // inputs whose value is told with each row; needs LawfulBasis
	LawfulBasis string               `yaml:"lawful_basis"` // on which they are processed, in words for the auditor; is sent with them
}

// Sample says which requests are profiled. All replicas choose the same ones,
// by the request's id.
type Sample struct {
	Rate *float64 `yaml:"rate"` // share of the requests, above 0 and up to 1; null: all
}

// Share is the rate as a number.
func (s Sample) Share() float64 {
	if s.Rate == nil {
		return 1
	}
	return *s.Rate
}
