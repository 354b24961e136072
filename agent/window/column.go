package window

import (
	"math"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// column accumulates one feature or prediction of the open window.
//
// Every row of an observation lands in exactly one of counts, missing, other,
// fresh and invalid, so they add up to the rows of the window; to the trigrams
// of all its rows in a column that counts these.
type column struct {
	name     signal.FeatureName
	target   signal.Target
	kind     signal.Kind
	bounds   signal.Digest
	profiled bool // false: there is no baseline for this column

	// Numeric.
	grid   measure.Grid
	lo, hi float64 // the range that is not a violation

	// Categorical. Numbers find their cell without being written out as text.
	cells       map[string]int
	numberCells map[float64]int
	folded      bool // the baseline folds rare categories into (other)

	counts                        []uint64
	missing, other, fresh, faulty uint64
	sum, sumSquares, min, max     float64

	outOfRange uint64     // of the open window
	before     Violations // of closed windows, since start
}

// rangeMargin widens the baseline's range on both sides, as a share of its
// span, before a value counts as out of range: a reference sample does not hold
// the last extreme of what is normal.
const rangeMargin = 0.1

func newColumn(f *signal.FeatureBaseline) (*column, error) {
	bounds, err := f.Bounds()
	if err != nil {
		return nil, err
	}
	c := &column{
		name: f.Name, target: f.Target, kind: f.Kind, bounds: bounds, profiled: true,
		lo: math.Inf(-1), hi: math.Inf(1),
		before: Violations{Feature: f.Name, Target: f.Target},
	}
	if f.Kind == signal.Numeric {
		c.grid = measure.Grid(f.Grid)
		if f.N > f.Missing { // otherwise the baseline has no range
			margin := (f.Max - f.Min) * rangeMargin
			c.lo, c.hi = f.Min-margin, f.Max+margin
		}
	} else {
		c.setCategories(f)
	}
	c.counts = make([]uint64, len(f.Counts))
	c.clear()
	return c, nil
}

// newLooseColumn profiles a column without a baseline: numbers in one cell
// with moments, texts counted in other.
func newLooseColumn(col *signal.Column) (*column, error) {
	name := signal.FeatureName(strings.Clone(string(col.Name))) // the observation's may alias a buffer
	f := signal.FeatureBaseline{Name: name, Target: col.Target, Kind: signal.Numeric, Counts: make([]uint64, 1)}
	if col.Strings != nil {
		f.Kind, f.Counts = signal.Categorical, nil
	}
	c, err := newColumn(&f)
	if err != nil {
		return nil, err
	}
	c.profiled, c.folded = false, true
	return c, nil
}

func (c *column) setCategories(f *signal.FeatureBaseline) {
	c.folded = f.Other > 0
	c.cells = make(map[string]int, len(f.Categories))
	c.numberCells = make(map[float64]int)
	for i, name := range f.Categories {
		c.cells[name] = i
		if x, ok := category.Number(name); ok && category.OfNumber(x) == name {
			c.numberCells[x] = i
		}
	}
}

// clear empties the column for the next window, but not its history. The
// counts must have been given away or be fresh.
func (c *column) clear() {
	c.missing, c.other, c.fresh, c.faulty, c.outOfRange = 0, 0, 0, 0, 0
	c.sum, c.sumSquares = 0, 0
	c.min, c.max = math.NaN(), math.NaN()
}

// add counts the rows from..to of col.
func (c *column) add(col *signal.Column, from, to int) {
	switch {
	case c.kind == signal.Numeric && col.Strings == nil:
		c.addNumbers(col.Numbers[from:to])
	case c.kind == signal.Numeric:
		c.addNumericTexts(col, from, to)
	case col.Strings == nil:
		c.addNumbersAsCategories(col.Numbers[from:to])
	default:
		c.addTexts(col, from, to)
	}
}

// addNumbers is the path that most values take.
func (c *column) addNumbers(xs []float64) {
	grid, counts := c.grid, c.counts
	sum, sumSquares, outside := c.sum, c.sumSquares, uint64(0)
	low, high := math.Inf(1), math.Inf(-1)
	lo, hi := c.lo, c.hi
	for _, x := range xs {
		if !(math.Abs(x) <= measure.MaxMagnitude) { // nor NaN
			c.addUncountable(x)
			continue
		}
		counts[grid.Index(x)]++
		sum += x
		sumSquares = float64(x*x) + sumSquares
		if x < low {
			low = x
		}
		if x > high {
			high = x
		}
		if x < lo || x > hi {
			outside++
		}
	}
	c.sum, c.sumSquares = sum, sumSquares
	c.outOfRange += outside
	if low <= high {
		c.stretch(low, high)
	}
}

// stretch widens the observed range.
func (c *column) stretch(low, high float64) {
	if !(c.min <= low) {
		c.min = low
	}
	if !(c.max >= high) {
		c.max = high
	}
}

// addUncountable counts NaN as missing, and a number whose square would not be
// finite as invalid.
func (c *column) addUncountable(x float64) {
	if math.IsNaN(x) {
		c.missing++
	} else {
		c.faulty++
	}
}

func (c *column) addNumericTexts(col *signal.Column, from, to int) {
	var one [1]float64
	for i := from; i < to; i++ {
		s, missing := textAt(col, i)
		if missing {
			c.missing++
			continue
		}
		x, ok := category.Number(s)
		if !ok {
			c.faulty++
			continue
		}
		one[0] = x
		c.addNumbers(one[:])
	}
}

func (c *column) addTexts(col *signal.Column, from, to int) {
	for i := from; i < to; i++ {
		s, missing := textAt(col, i)
		if missing {
			c.missing++
			continue
		}
		cell, known := c.cells[s]
		c.addCategory(cell, known)
	}
}

func (c *column) addNumbersAsCategories(xs []float64) {
	for _, x := range xs {
		if !(math.Abs(x) <= measure.MaxMagnitude) {
			c.addUncountable(x)
			continue
		}
		cell, known := c.numberCells[x]
		c.addCategory(cell, known)
	}
}

// addCategory counts a category. One that the baseline does not list is new,
// unless the baseline itself folded its rare ones together: then nobody can
// tell a rare one from a new one, and it counts as other.
func (c *column) addCategory(cell int, known bool) {
	switch {
	case known:
		c.counts[cell]++
	case c.folded:
		c.other++
	default:
		c.fresh++
	}
}

// textAt gives a row of a column of strings. Empty text is missing, as it is
// in the CSV files that baselines are built from.
func textAt(col *signal.Column, i int) (s string, missing bool) {
	if col.Missing != nil && col.Missing[i] {
		return "", true
	}
	s = col.Strings[i]
	return s, s == ""
}
