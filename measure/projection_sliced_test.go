package measure_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

// slicesOf bins projected rows in the baseline's grids.
func slicesOf(grids []measure.Grid, values [][]float64) (tables [][]uint64, binned []measure.Binned) {
	for k, slice := range values {
		b := measure.Binned{Counts: count(grids[k], slice)}
		for _, x := range slice {
			b.Moments.Add(x)
		}
		tables, binned = append(tables, b.Counts), append(binned, b)
	}
	return tables, binned
}

// Columns that come apart, each on its own as it was: no drift of a column, and
// an alarm of the sliced distances at a limit from windows without a change.
func TestSlicedDistancesSeeABrokenCorrelation(t *testing.T) {
	rows := factors(2, 20_000)
	p := fit(t, rows, 8, 7)
	projected := project(t, p, rows)
	var grids []measure.Grid
	for _, values := range projected {
		edges, _ := measure.BuildGrid(sortedCopy(values))
		grids = append(grids, edges)
	}
	reference, referenceBinned := slicesOf(grids, projected)
	score := func(window [][]float64) (js, wasserstein float64) {
		tables, binned := slicesOf(grids, project(t, p, window))
		e, err := measure.SlicedJS(reference, tables)
		if err != nil {
			t.Fatal(err)
		}
		w, err := measure.SlicedWasserstein(grids, referenceBinned, binned)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, "js", e, nil)
		sound(t, "wasserstein", w, nil)
		if e.Samples != uint64(len(window)) || w.Samples != e.Samples {
			t.Errorf("samples %d and %d", e.Samples, w.Samples)
		}
		return e.Value, w.Value
	}
	var js, wasserstein []float64
	for part := range slices.Chunk(factors(5, 100*500), 500) {
		j, w := score(part)
		js, wasserstein = append(js, j), append(wasserstein, w)
	}
	jsLimit, err := measure.CalibratedLimit(js, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	wassersteinLimit, err := measure.CalibratedLimit(wasserstein, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	broken, other := factors(3, 500), factors(4, 500)
	for i, row := range broken {
		copy(row[:4], other[i][:4])
	}
	if j, w := score(broken); j < 2*jsLimit || w < 2*wassersteinLimit {
		t.Errorf("js %v at a limit of %v, wasserstein %v at %v", j, jsLimit, w, wassersteinLimit)
	}
	jsOver, wassersteinOver := 0, 0
	const windows = 200
	for seed := range uint64(windows) {
		j, w := score(factors(100+seed, 500))
		if j > jsLimit {
			jsOver++
		}
		if w > wassersteinLimit {
			wassersteinOver++
		}
	}
	t.Logf("of %d windows without a change, %d are above the limit by js and %d by wasserstein", windows, jsOver, wassersteinOver)
	if jsOver > windows/10 || wassersteinOver > windows/10 { // 5% are expected
		t.Errorf("of %d windows without a change, %d are above the limit by js and %d by wasserstein", windows, jsOver, wassersteinOver)
	}
}

// With n scores and one more, all in any order alike, the last exceeds the
// limit of the others at most so often as promised: counted over all orders.
func TestCalibratedLimitIsExact(t *testing.T) {
	for n := 1; n < 60; n++ {
		for _, alpha := range []float64{0.02, 0.05, 0.1, 0.25, 0.5} {
			exceed, defined := 0, true
			for last := range n + 1 {
				var others []float64
				for x := range n + 1 {
					if x != last {
						others = append(others, float64(x))
					}
				}
				limit, err := measure.CalibratedLimit(others, alpha)
				if err != nil {
					if !errors.Is(err, measure.ErrUndefined) {
						t.Fatal(err)
					}
					defined = false
				} else if float64(last) > limit {
					exceed++
				}
			}
			if enough := float64(n+1)*alpha >= 1-1e-9; enough != defined {
				t.Errorf("%d scores at %v: defined %v", n, alpha, defined)
			}
			if share := float64(exceed) / float64(n+1); defined && share > alpha+1e-9 {
				t.Errorf("%d scores at %v: exceeded in %v", n, alpha, share)
			}
		}
	}
}
