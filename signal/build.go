package signal

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/measure"
)

// BuildOptions say how a baseline is made.
type BuildOptions struct {
	Model  ModelRef
	Source string // what the data is, for people

	// MaxCategories bounds the cells of a categorical column: the commonest are
	// kept, the others folded into (other). It is also the most groups that a
	// protected attribute may have. 0: 100.
	MaxCategories int

	// Outcome is the output that decides, one of the columns; nil: none. With
	// Favourable it is a decision, which groups are compared by; without it a
	// number or a class that was predicted.
	Outcome    *Column
	Favourable Favourable
	Protected  []ProtectedColumn

	// Intersections are sets of protected attributes, by name, whose groups are
	// compared at once: against those who belong to the reference group of each.
	Intersections [][]FeatureName

	// Score names the prediction column of the score of the favourable outcome.
	// Label is how it turned out, in the outcome's coding, missing where that is
	// not known: with it a calibrator is fitted, so the rows must be ones that the
	// model has not learnt from.
	Score FeatureName
	Label *Column

	Joint []JointColumns // sets of columns that are watched together
	Texts []TextColumn   // texts to describe

	// Windows is into how many windows of equally many rows the data is cut, in
	// its order, which must be that of time. They tell how much the baseline's own
	// windows vary: the Deflation of each column, and with 19 or more the limits of
	// joint sets. They say most about windows of about as many rows. 0: none.
	Windows int
}

// ProtectedColumn is a protected attribute and the group that the others are
// compared with. The column holds text.
type ProtectedColumn struct {
	Column    Column
	Reference string // empty: the largest group
}

const defaultMaxCategories = 100

// maxWindows bounds the windows that the data is cut into.
const maxWindows = 10_000

// BuildBaseline makes a baseline from reference data, one row of the columns
// for each answer of the model. A column of numbers becomes numeric, with the
// cells of measure.BuildGrid; a column of strings becomes categorical. The
// same data in the same order gives the same digest.
//
// It fails on data that could not serve as a reference, and names the column:
// one without any value, an infinite or far too large number, a protected
// attribute whose reference group does not occur, a joint set without enough
// complete rows, labels of one class only.
func BuildBaseline(columns []Column, o BuildOptions) (*Baseline, error) {
	o.MaxCategories = cmp.Or(o.MaxCategories, defaultMaxCategories)
	if o.Windows < 0 || o.Windows > maxWindows {
		return nil, fmt.Errorf("%d windows; 0 to %d", o.Windows, maxWindows)
	}
	b := &builder{Baseline: &Baseline{Format: BaselineFormat, Model: o.Model, Source: o.Source}, o: o}
	for i := range columns {
		c := &columns[i]
		if i > 0 && c.rows() != columns[0].rows() {
			return nil, fmt.Errorf("column %q has %d rows, column %q has %d", c.Name, c.rows(), columns[0].Name, columns[0].rows())
		}
		b.Rows = uint64(c.rows())
		if err := b.column(*c); err != nil {
			return nil, err
		}
	}
	for _, p := range o.Protected {
		g, err := buildGroups(p, o)
		if err != nil {
			return nil, fmt.Errorf("protected attribute %q: %w", p.Column.Name, err)
		}
		b.Groups = append(b.Groups, *g)
	}
	for _, members := range o.Intersections {
		if err := b.intersection(members); err != nil {
			return nil, fmt.Errorf("intersection %q: %w", IntersectionName(members), err)
		}
	}
	if err := b.parts(columns); err != nil {
		return nil, err
	}
	if err := b.deflate(); err != nil {
		return nil, err
	}
	return b.Baseline, b.Validate()
}

// builder is a baseline under construction.
type builder struct {
	*Baseline
	o       BuildOptions
	sources []source // of each of the features
}

// source counts the rows from..to of what a feature was built from, into the
// feature's cells. rows is how many there are.
type source struct {
	rows  int
	count func(f *FeatureBaseline, from, to int) *Distribution
}

// column adds a column of the data.
func (b *builder) column(c Column) error {
	f, err := buildFeature(&c, b.o.MaxCategories)
	if err != nil {
		return fmt.Errorf("column %q: %w", c.Name, err)
	}
	b.feature(f, source{c.rows(), func(f *FeatureBaseline, from, to int) *Distribution { return f.count(&c, from, to) }})
	return nil
}

func (b *builder) feature(f *FeatureBaseline, s source) {
	b.Features = append(b.Features, *f)
	b.sources = append(b.sources, s)
}

// parts adds what there is beside columns and groups.
func (b *builder) parts(columns []Column) error {
	if err := b.outcome(columns); err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	for _, j := range b.o.Joint {
		if err := b.joint(j); err != nil {
			return fmt.Errorf("joint set %q: %w", j.Name, err)
		}
	}
	for _, t := range b.o.Texts {
		if err := b.text(t); err != nil {
			return fmt.Errorf("text %q: %w", t.Column.Name, err)
		}
	}
	return nil
}

func buildFeature(c *Column, maxCategories int) (*FeatureBaseline, error) {
	f := &FeatureBaseline{Name: c.Name, Target: c.Target, N: uint64(c.rows())}
	if f.N == 0 {
		return nil, errors.New("no rows")
	}
	var err error
	if c.Numbers != nil {
		err = f.buildNumeric(c.Numbers)
	} else {
		f.buildCategories(c, maxCategories)
	}
	if err == nil && f.Missing == f.N {
		err = errors.New("every value is missing; a reference needs values, so leave the column out or repair the data")
	}
	return f, err
}

func (f *FeatureBaseline) buildNumeric(numbers []float64) error {
	f.Kind = Numeric
	sorted := make([]float64, 0, len(numbers))
	var m measure.Moments
	for row, x := range numbers {
		if math.IsNaN(x) {
			f.Missing++
			continue
		}
		if math.Abs(x) > measure.MaxMagnitude {
			return fmt.Errorf("row %d: %v is too large to be counted (beyond %g)", row+1, x, measure.MaxMagnitude)
		}
		m.Add(x)
		sorted = append(sorted, x)
	}
	f.Sum, f.SumSquares, f.Min, f.Max = m.Sum, m.SumSquares, m.Min, m.Max
	slices.Sort(sorted)
	f.Grid, f.Deciles = measure.BuildGrid(sorted)
	f.Counts = make([]uint64, len(f.Grid)+1)
	grid := measure.Grid(f.Grid)
	for _, x := range sorted {
		f.Counts[grid.Index(x)]++
	}
	return nil
}

// buildCategories keeps the commonest categories, in alphabetical order; among
// equally common ones the alphabet decides.
func (f *FeatureBaseline) buildCategories(c *Column, maxCategories int) {
	f.Kind = Categorical
	occurrences := map[string]uint64{}
	for i := range c.Strings {
		if c.missing(i) {
			f.Missing++
		} else {
			occurrences[c.Strings[i]]++
		}
	}
	for name := range occurrences {
		f.Categories = append(f.Categories, name)
	}
	slices.SortFunc(f.Categories, func(a, b string) int {
		return cmp.Or(cmp.Compare(occurrences[b], occurrences[a]), cmp.Compare(a, b))
	})
	if len(f.Categories) > maxCategories {
		for _, name := range f.Categories[maxCategories:] {
			f.Other += occurrences[name]
		}
		f.Categories = f.Categories[:maxCategories:maxCategories]
	}
	slices.Sort(f.Categories)
	for _, name := range f.Categories {
		f.Counts = append(f.Counts, occurrences[name])
	}
}

// rows is the number of values of the column.
func (c *Column) rows() int { return max(len(c.Numbers), len(c.Strings)) }

// missing says whether row i holds no value. Empty text is none.
func (c *Column) missing(i int) bool {
	if c.Numbers != nil {
		return math.IsNaN(c.Numbers[i])
	}
	return c.Strings[i] == "" || (c.Missing != nil && c.Missing[i])
}
