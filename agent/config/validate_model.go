package config

import (
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

func (m *Model) validate(f *config.Faults) {
	m.validateEntry(f)
	m.Inputs.validate(f.At("inputs").At("columns"))
	m.Outputs.validate(f.At("outputs").At("columns"))
	m.Outcome.validate(f.At("outcome"))
	m.validateProtected(f)
	m.validateIntersections(f.At("intersections"))
	m.validatePredictions(f.At("predictions"))
	m.validatePrivacy(f)
	if r := m.Sample.Share(); !(r > 0 && r <= 1) {
		f.At("sample").At("rate").Add("%v is not above 0 and up to 1; leave it out to profile every request", r)
	}
	m.validateLearn(f)
	m.validateProbe(f.At("probe"))
	m.validateLLM(f)
	m.validateLineage(f)
	if m.Baseline == "" { // otherwise the baseline may say it
		m.NeedsOutcome(f)
	}
}

// validate checks the names of columns; the rest is checked by who reads them.
func (s *Side) validate(f *config.Faults) {
	for _, tensor := range slices.Sorted(maps.Keys(s.Columns)) {
		names, at := s.Columns[tensor], f.At(tensor)
		if len(names) == 0 {
			at.Add("no feature names; list one for each column of the tensor")
		}
		for i, n := range names {
			if n == "" {
				at.Index(i).Add("empty feature name")
			}
		}
	}
}

// NeedsOutcome reports what is asked of an outcome that is not known. It is
// called when the baseline's outcome, if there is one, has been taken over.
func (m *Model) NeedsOutcome(f *config.Faults) {
	output := f.At("outcome").At("output")
	switch {
	case m.Outcome.Output == "" && len(m.Protected) > 0:
		output.Add("missing; groups are compared by it")
	case m.Outcome.Output == "" && (m.Predictions.Send || m.Labels.Join):
		output.Add("missing; a prediction is what it says")
	case len(m.Protected) > 0 && !m.Outcome.Favourable.Given():
		f.At("outcome").At("favourable").Add("missing; groups are compared by it: write values: [\"1\"] or at_least: 0.5")
	}
}

func (m *Model) validateProtected(f *config.Faults) {
	seen := map[signal.FeatureName]bool{}
	for i, p := range m.Protected {
		at := f.At("protected").Index(i).At("attribute")
		attribute(at, p.Attribute, seen)
	}
}

// attribute checks one input of a list of inputs.
func attribute(f *config.Faults, name signal.FeatureName, seen map[signal.FeatureName]bool) {
	switch {
	case name == "":
		f.Add("missing; name an input, for example gender")
	case seen[name]:
		f.Add("%q is listed twice", name)
	}
	seen[name] = true
}

func (m *Model) validatePredictions(f *config.Faults) {
	p := &m.Predictions
	p.validateRate(f.At("rate"))
	seen := map[signal.FeatureName]bool{}
	for i, name := range p.Groups {
		attribute(f.At("groups").Index(i), name, seen)
	}
	if len(p.Groups) > signal.MaxPredictionGroups {
		f.At("groups").Add("%d, at most %d are sent with a prediction", len(p.Groups), signal.MaxPredictionGroups)
	}
	if len(p.Groups) > 0 && p.LawfulBasis == "" {
		f.At("lawful_basis").Add("missing; the groups of single persons are sent only with the basis on which that is lawful")
	}
}

func (o *Outcome) validate(f *config.Faults) {
	set, limit := len(o.Favourable.Values) > 0, o.Favourable.AtLeast != nil
	switch {
	case set && limit:
		f.At("favourable").Add("has both values and at_least; keep one")
	case o.Output == "" && (set || limit):
		f.At("output").Add("missing; name the output that favourable is about")
	case o.Output == "" && o.Score != "":
		f.At("output").Add("missing; name the output that score is about")
	case o.Output != "" && o.Score == o.Output && set:
		f.At("score").Add("%q is the output itself, which is favourable by its values; name the output that holds the score", o.Score)
	}
}
