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

	Outcome    *Column    // the decision that groups are compared by; nil: no groups
	Favourable Favourable // which outcomes are favourable
	Protected  []ProtectedColumn
}

// ProtectedColumn is a protected attribute and the group that the others are
// compared with. The column holds text.
type ProtectedColumn struct {
	Column    Column
	Reference string // empty: the largest group
}

const defaultMaxCategories = 100

// BuildBaseline makes a baseline from reference data, one row of the columns
// for each answer of the model. A column of numbers becomes numeric, with the
// cells of measure.BuildGrid; a column of strings becomes categorical. The
// same data in the same order gives the same digest.
//
// It fails on data that could not serve as a reference, and names the column:
// one without any value, an infinite or far too large number, a protected
// attribute whose reference group does not occur.
func BuildBaseline(columns []Column, o BuildOptions) (*Baseline, error) {
	o.MaxCategories = cmp.Or(o.MaxCategories, defaultMaxCategories)
	b := &Baseline{Format: BaselineFormat, Model: o.Model, Source: o.Source}
	for i := range columns {
		c := &columns[i]
		if i > 0 && c.rows() != columns[0].rows() {
			return nil, fmt.Errorf("column %q has %d rows, column %q has %d", c.Name, c.rows(), columns[0].Name, columns[0].rows())
		}
		b.Rows = uint64(c.rows())
		f, err := buildFeature(c, o.MaxCategories)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		b.Features = append(b.Features, *f)
	}
	for _, p := range o.Protected {
		g, err := buildGroups(p, o)
		if err != nil {
			return nil, fmt.Errorf("protected attribute %q: %w", p.Column.Name, err)
		}
		b.Groups = append(b.Groups, *g)
	}
	return b, b.Validate()
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
