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
	Intersections [][]string             `yaml:"intersections"`  // of protected attributes, whose groups are compared at once
	MaxCategories int                    `yaml:"max_categories"` // cells of a categorical column; the rest is (other)
	Joint         *int                   `yaml:"joint"`          // axes of columns that are watched together; 0: numeric inputs are not
	Embeddings    []embedding            `yaml:"embeddings"`     // columns that are the coordinates of one thing
	Texts         []string               `yaml:"texts"`          // columns of texts to describe
	Windows       int                    `yaml:"windows"`        // that the rows, in the order of time, are cut into; 0: none

	features    []string // --features, where it is given
	categorical []string // --categorical
}

type outcome struct {
	Output     string     `yaml:"output"`
	Favourable favourable `yaml:"favourable"`
	Score      string     `yaml:"score"` // output with the score of the favourable side
	Label      string     `yaml:"label"` // how it turned out; it calibrates the score
}

// embedding names its columns one by one or by what they begin with.
type embedding struct {
	Name    string   `yaml:"name"`
	Prefix  string   `yaml:"prefix"` // empty: NAME. as agents name the coordinates of a tensor
	Columns []string `yaml:"columns"`
}

type favourable struct {
	Values  []string `yaml:"values"`
	AtLeast *float64 `yaml:"at_least"`
}

type protected struct {
	Attribute string `yaml:"attribute"`
	Reference string `yaml:"reference"` // empty: the largest group
}

// defaultSchema watches nothing together; evenkeel baseline build does, where it
// was told nothing else.
func defaultSchema() schema { return schema{MaxCategories: 100, Joint: new(int)} }

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
	s.validateOutcome(f.At("outcome"))
	s.validateProtected(f)
	s.validateIntersections(f.At("intersections"))
	s.validateSets(f)
	return f.Err()
}

func (s *schema) validateOutcome(f *config.Faults) {
	o := s.Outcome
	given := o.Favourable.AtLeast != nil || len(o.Favourable.Values) > 0
	if o.Favourable.AtLeast != nil && len(o.Favourable.Values) > 0 {
		f.At("favourable").Add("values and at_least exclude each other; keep one")
	}
	if o.Output == "" && given {
		f.Add("favourable of what? name the column: --outcome COLUMN")
	}
	if o.Score != "" && (o.Output == "" || !given) {
		f.At("score").Add("a score of what? say which outcomes are favourable: --outcome COLUMN --favourable VALUE")
	}
	if o.Label != "" && o.Score == "" {
		f.At("label").Add("labels are for calibrating a score; name its column: --score COLUMN")
	}
	if o.Label != "" && (o.Label == o.Output || o.Label == o.Score) {
		f.At("label").Add("%q is what the model answered; the label is what was right", o.Label)
	}
}

// validateSets checks what is watched beside single columns.
func (s *schema) validateSets(f *config.Faults) {
	if s.Joint != nil && (*s.Joint < 0 || *s.Joint > maxAxes) {
		f.At("joint").Add("%d axes; 0 to %d", *s.Joint, maxAxes)
	}
	if s.Windows < 0 || s.Windows == 1 {
		f.At("windows").Add("%d; 2 or more, or 0 for none", s.Windows)
	}
	for i, e := range s.Embeddings {
		at := f.At("embeddings").Index(i)
		if e.Name == "" {
			at.Add("the embedding has no name")
		}
		if e.Prefix != "" && len(e.Columns) > 0 {
			at.Add("prefix and columns exclude each other; keep one")
		}
		if e.Name == jointInputs || slices.ContainsFunc(s.Embeddings[:i], func(o embedding) bool { return o.Name == e.Name }) {
			at.Add("the name %q is taken", e.Name)
		}
	}
	for i, name := range s.Texts {
		if name == "" || slices.Contains(s.Texts[:i], name) {
			f.At("texts").Index(i).Add("%q is empty or there twice", name)
		}
	}
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
