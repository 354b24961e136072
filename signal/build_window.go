package signal

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/measure"
)

// windowRows are the rows [from, to) of window w of so many.
func windowRows(w, windows, rows int) (from, to int) {
	return w * rows / windows, (w + 1) * rows / windows
}

// count counts the rows from..to of the column that the feature was built from.
func (f *FeatureBaseline) count(c *Column, from, to int) *Distribution {
	d := &Distribution{
		Target: f.Target, Feature: f.Name, Kind: f.Kind, N: uint64(to - from),
		Counts: make([]uint64, len(f.Counts)), Min: math.NaN(), Max: math.NaN(),
	}
	if f.Kind == Numeric {
		d.countNumbers(f.Grid, c.Numbers[from:to])
		return d
	}
	for i := from; i < to; i++ {
		cell, known := slices.BinarySearch(f.Categories, c.Strings[i])
		switch {
		case c.missing(i):
			d.Missing++
		case known:
			d.Counts[cell]++
		default:
			d.Other++
		}
	}
	return d
}

func (d *Distribution) countNumbers(grid measure.Grid, numbers []float64) {
	var m measure.Moments
	for _, x := range numbers {
		if math.IsNaN(x) {
			d.Missing++
			continue
		}
		m.Add(x)
		d.Counts[grid.Index(x)]++
	}
	if m.N > 0 {
		d.Sum, d.SumSquares, d.Min, d.Max = m.Sum, m.SumSquares, m.Min, m.Max
	}
}

// deflate finds by how much each column's counts vary between the windows. A
// column that holds one value only, or has rows in one window only, says nothing.
func (b *builder) deflate() error {
	if b.o.Windows < 2 {
		return nil
	}
	for i := range b.Features {
		f, s := &b.Features[i], b.sources[i]
		tables := make([][]uint64, b.o.Windows)
		for w := range tables {
			from, to := windowRows(w, b.o.Windows, s.rows)
			var err error
			if _, tables[w], err = f.tables(s.count(f, from, to)); err != nil {
				return fmt.Errorf("column %q: window %d: %w", f.Name, w, err)
			}
		}
		phi, err := measure.Deflation(tables)
		if err != nil && !errors.Is(err, measure.ErrUndefined) {
			return fmt.Errorf("column %q: %w", f.Name, err)
		}
		if err == nil {
			f.Deflation = max(f.Deflation, phi)
		}
	}
	return nil
}

// limitAlpha is the share of windows like the baseline's own that exceed a limit.
const limitAlpha = 0.05

// jointLimits scores each window against the baseline without it, whose slices
// are the features from first on, and takes the limits from these scores. There
// are none for fewer than 19 windows, and none by a method that is not defined
// for so many.
func (b *builder) jointLimits(set *JointBaseline, first int, counted *jointCounts) ([]JointLimit, error) {
	w, err := b.jointWindows(set, first, counted)
	if err != nil {
		return nil, err
	}
	scores, rows := map[string][]float64{}, map[string]uint64{}
	for i := range w.parts {
		without, reduced := w.without(set, i)
		for _, s := range without.jointScores(reduced, w.parts[i]) {
			if n := s.estimate.Samples; rows[s.method] == 0 || n < rows[s.method] {
				rows[s.method] = n
			}
			scores[s.method] = append(scores[s.method], s.estimate.Value)
		}
	}
	var limits []JointLimit
	for _, method := range []string{DriftSlicedWasserstein, DriftSlicedJS, DriftMMD} {
		value, err := measure.CalibratedLimit(scores[method], limitAlpha)
		if err != nil {
			continue // too few windows
		}
		limits = append(limits, JointLimit{Method: method, Value: value, Alpha: limitAlpha, Windows: len(scores[method]), Rows: rows[method]})
	}
	return limits, nil
}

// jointWindows are the baseline's own windows of one set, as an agent would have
// counted them.
type jointWindows struct {
	slices []FeatureBaseline
	parts  [][]*Distribution // for each window the slices, then the kernel's sums
}

func (b *builder) jointWindows(set *JointBaseline, first int, counted *jointCounts) (*jointWindows, error) {
	w := &jointWindows{slices: b.Features[first : first+set.Slices()], parts: make([][]*Distribution, b.o.Windows)}
	for k := range w.slices {
		f, s := &w.slices[k], b.sources[first+k]
		bounds, err := f.Bounds()
		if err != nil {
			return nil, err
		}
		for i := range w.parts {
			from, to := windowRows(i, b.o.Windows, s.rows)
			d := s.count(f, from, to)
			d.Bounds = bounds
			w.parts[i] = append(w.parts[i], d)
		}
	}
	if set.Kernel == nil {
		return w, nil
	}
	bounds, err := set.KernelBounds()
	if err != nil {
		return nil, err
	}
	for i, sums := range counted.windows {
		w.parts[i] = append(w.parts[i], &Distribution{
			Target: set.Target, Feature: set.Name, Kind: Sums, Bounds: bounds,
			Counts: []uint64{sums.rows}, Missing: sums.missing, N: sums.rows + sums.missing, Embedded: sums.sums,
		})
	}
	return w, nil
}

// without gives the baseline's slices and the set as if window i had not been
// among its rows: counts and sums can be subtracted.
func (w *jointWindows) without(set *JointBaseline, i int) (*Baseline, *JointBaseline) {
	b := &Baseline{Features: slices.Clone(w.slices)}
	for k := range b.Features {
		f, d := &b.Features[k], w.parts[i][k]
		f.Counts = slices.Clone(f.Counts)
		for cell, c := range d.Counts {
			f.Counts[cell] -= c
		}
		f.Missing -= d.Missing
		f.N -= d.N
		f.Sum -= d.Sum
		f.SumSquares -= d.SumSquares
		f.Min, f.Max = w.rangeWithout(k, i)
	}
	reduced := *set
	if set.Kernel != nil {
		sums := w.parts[i][len(w.slices)]
		kernel := *set.Kernel
		kernel.Rows -= sums.Counts[0]
		kernel.Sums = slices.Clone(kernel.Sums)
		for j, s := range sums.Embedded {
			kernel.Sums[j] -= s
		}
		reduced.Kernel = &kernel
	}
	return b, &reduced
}

// rangeWithout is the range of slice k over all windows but i; 0 where they hold
// no value.
func (w *jointWindows) rangeWithout(k, i int) (low, high float64) {
	low, high = math.NaN(), math.NaN()
	for other := range w.parts {
		if other != i {
			d := w.parts[other][k]
			low = minIgnoringNaN(low, d.Min)
			high = -minIgnoringNaN(-high, -d.Max)
		}
	}
	if math.IsNaN(low) {
		return 0, 0
	}
	return low, high
}
