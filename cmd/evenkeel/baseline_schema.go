package main

import (
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// schema says what the columns of a reference file mean. It comes from the
// flags, from a file (--schema), or from both: a flag wins over the file. What
// neither says is inferred from the data. Outcome and protected are written as
// in the agent's configuration.
type schema struct {
	Model         signal.ModelRef        `yaml:"model"`
	Columns       map[string]signal.Kind `yaml:"columns"`        // the input features and their kinds; empty: inferred
	Predictions   []string               `yaml:"predictions"`    // outputs of the model beside the outcome
	Exclude       []string               `yaml:"exclude"`        // columns to leave out of what is inferred
	Outcome       outcome                `yaml:"outcome"`        // the output that decides
	Protected     []protected            `yaml:"protected"`      // attributes whose groups are compared
	MaxCategories int                    `yaml:"max_categories"` // cells of a categorical column; the rest is (other)

	features    []string // --features, where it is given
	categorical []string // --categorical
}

type outcome struct {
	Output     string     `yaml:"output"`
	Favourable favourable `yaml:"favourable"`
}

type favourable struct {
	Values  []string `yaml:"values"`
	AtLeast *float64 `yaml:"at_least"`
}

type protected struct {
	Attribute string `yaml:"attribute"`
	Reference string `yaml:"reference"` // empty: the largest group
}

func defaultSchema() schema { return schema{MaxCategories: 100} }

// validate reports every fault; name is the schema file's, or of the flags.
func (s *schema) validate(name string) error {
	f := config.NewFaults(name)
	if s.Model.Name == "" {
		f.At("model").Add("which model is the baseline for? give --model NAME, or model: {name: NAME} in the schema")
	}
	if s.MaxCategories < 1 {
		f.At("max_categories").Add("%d; at least 1", s.MaxCategories)
	}
	for _, column := range slices.Sorted(maps.Keys(s.Columns)) {
		if kind := s.Columns[column]; kind != signal.Numeric && kind != signal.Categorical {
			f.At("columns").At(column).Add("%q is neither numeric nor categorical", kind)
		}
	}
	rule := s.Outcome.Favourable
	if rule.AtLeast != nil && len(rule.Values) > 0 {
		f.At("outcome").At("favourable").Add("values and at_least exclude each other; keep one")
	}
	if s.Outcome.Output == "" && (rule.AtLeast != nil || len(rule.Values) > 0) {
		f.At("outcome").Add("favourable of what? name the column: --outcome COLUMN")
	}
	s.validateProtected(f)
	return f.Err()
}

func (s *schema) validateProtected(f *config.Faults) {
	if len(s.Protected) == 0 {
		return
	}
	if s.Outcome.Output == "" {
		f.At("outcome").Add("groups are compared by an outcome; name its column: --outcome COLUMN")
	} else if s.Outcome.Favourable.AtLeast == nil && len(s.Outcome.Favourable.Values) == 0 {
		f.At("outcome").At("favourable").Add("say which outcomes are favourable: --favourable VALUE or --favourable-at-least LIMIT")
	}
	for i, p := range s.Protected {
		if p.Attribute == "" {
			f.At("protected").Index(i).Add("the attribute has no name")
		}
		if slices.ContainsFunc(s.Protected[:i], func(o protected) bool { return o.Attribute == p.Attribute }) {
			f.At("protected").Index(i).Add("%q is there twice", p.Attribute)
		}
	}
}
