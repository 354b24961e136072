package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/nearest"
	"github.com/evenkeel/evenkeel/internal/tabular"
	"github.com/evenkeel/evenkeel/signal"
)

// plan says what each column of a file is taken for.
type plan struct {
	columns []plannedColumn // in the order of the header
	sets    []plannedSet    // of columns that are watched together

	notTogether string // why the numeric inputs are not, although nobody said so
}

type plannedColumn struct {
	tabular.Column
	index     int
	target    signal.Target // empty: neither feature nor prediction
	kind      signal.Kind
	outcome   bool
	protected bool
	label     bool
	text      bool
	embedding bool   // a coordinate
	leftOut   string // why it is nothing of these
}

// plan settles role and kind of every column, or says which name or value does
// not fit.
func (s *schema) plan(file string, survey *tabular.Survey) (*plan, error) {
	p := &plan{}
	for i, c := range survey.Columns {
		p.columns = append(p.columns, plannedColumn{Column: c, index: i})
	}
	if err := s.checkNames(file, p); err != nil {
		return nil, err
	}
	if err := p.settleEmbeddings(s, file); err != nil {
		return nil, err
	}
	for i := range p.columns {
		c := &p.columns[i]
		s.settleRole(c, survey.Rows)
		if c.leftOut != "" {
			continue
		}
		if err := s.settleKind(c, survey.Rows); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(p.columns, func(c plannedColumn) bool { return c.target != "" }) {
		return nil, wrong("name the input columns with --features", "no column of %s is left to be a feature", file)
	}
	if rows := survey.Rows; s.Windows > 0 && rows/s.Windows < fewestWindowRows {
		return nil, wrong("take fewer --windows, best each of about as many rows as will be served in one", "%d rows cut into %d windows leave fewer than %d for each", rows, s.Windows, fewestWindowRows)
	}
	return p, p.settleJoint(s, survey.Rows)
}

// checkNames makes sure that every column that was named exists, and that no
// feature is also an output.
func (s *schema) checkNames(file string, p *plan) error {
	var known []string
	for _, c := range p.columns {
		known = append(known, c.Name)
	}
	for _, name := range s.named() {
		if !slices.Contains(known, name) {
			return wrong(cureColumn(name, known), "%s has no column %q", file, name)
		}
	}
	for _, name := range append(slices.Clone(s.Predictions), s.Outcome.Output, s.Outcome.Score) {
		if name != "" && s.isNamedFeature(name) {
			return wrong("it can be one of them", "column %q is named both as a feature and as an output", name)
		}
	}
	if name := s.Outcome.Label; name != "" && s.isNamedFeature(name) {
		return wrong("a model does not know it when it answers", "column %q is named both as a feature and as the label", name)
	}
	return nil
}

// cureColumn says what a column that does not exist might have been.
func cureColumn(name string, known []string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "its columns are " + strings.Join(known, ", ")
}

// named lists every column that flags or schema mention.
func (s *schema) named() []string {
	names := slices.Concat(s.features, s.categorical, s.Predictions, s.Exclude)
	for name := range s.Columns {
		names = append(names, name)
	}
	for _, p := range s.Protected {
		names = append(names, p.Attribute)
	}
	for _, e := range s.Embeddings {
		names = append(names, e.Columns...)
	}
	for _, name := range append([]string{s.Outcome.Output, s.Outcome.Score, s.Outcome.Label}, s.Texts...) {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *schema) isNamedFeature(name string) bool {
	if s.features != nil {
		return slices.Contains(s.features, name)
	}
	_, declared := s.Columns[name]
	return declared
}

func (s *schema) settleRole(c *plannedColumn, rows int) {
	c.protected = slices.ContainsFunc(s.Protected, func(p protected) bool { return p.Attribute == c.Name })
	c.outcome = c.Name == s.Outcome.Output
	c.label = c.Name == s.Outcome.Label
	c.text = slices.Contains(s.Texts, c.Name)
	inferred := s.features == nil && len(s.Columns) == 0
	switch {
	case c.outcome || c.Name == s.Outcome.Score || slices.Contains(s.Predictions, c.Name):
		c.target = signal.TargetPrediction
	case s.isNamedFeature(c.Name):
		c.target = signal.TargetFeature
	case c.protected || c.label || c.text || c.embedding:
	case !inferred:
		c.leftOut = "not named"
	case slices.Contains(s.Exclude, c.Name):
		c.leftOut = "excluded"
	default:
		if c.leftOut = identifier(c.Column, rows); c.leftOut == "" {
			c.target = signal.TargetFeature
		}
	}
}

// identifierRows is the number of rows from which on a text that never repeats
// is taken for an identifier.
const identifierRows = 20

// identifier says why a column looks as if it named the row rather than
// described it; empty where it does not.
func identifier(c tabular.Column, rows int) string {
	name := strings.ToLower(c.Name)
	switch {
	case name == "id" || name == "uuid" || strings.HasSuffix(name, "_id"):
		return "named like an identifier"
	case c.Numeric():
		return ""
	case c.Distinct > tabular.MaxDistinct:
		return fmt.Sprintf("more than %d different texts", tabular.MaxDistinct)
	case rows >= identifierRows && c.Distinct == rows-c.Missing && c.Missing < rows/2:
		return "no text occurs twice"
	}
	return ""
}

// mostly is the share of numbers from which on a column with some text is taken
// for a mistake and not for a category.
const mostly = 0.9

func (s *schema) settleKind(c *plannedColumn, rows int) error {
	kind, declared := s.Columns[c.Name]
	if slices.Contains(s.categorical, c.Name) {
		kind, declared = signal.Categorical, true
	}
	present := rows - c.Missing
	switch {
	case present == 0 && c.target != "":
		return wrong("leave it out with --exclude "+c.Name+", or repair the data", "column %q has no values: all %d cells are missing", c.Name, rows)
	case declared && kind == signal.Numeric && c.At != "":
		return wrong("correct the value, or declare the column categorical", "%s: column %q: %q is not a finite number", c.At, c.Name, c.First)
	case declared:
		c.kind = kind
	case c.Numeric():
		c.kind = signal.Numeric
	case float64(c.Numbers) >= mostly*float64(present) && c.target != "":
		return wrong("correct the value, or add --categorical "+c.Name, "%s: column %q: %q is not a finite number, but %d of %d values are", c.At, c.Name, c.First, c.Numbers, present)
	default:
		c.kind = signal.Categorical
	}
	return nil
}

// wrong is an error in what was asked for or in the data.
func wrong(cure, format string, args ...any) error {
	return errs.E("build baseline", errs.Invalid, fmt.Errorf(format, args...), cure)
}
