package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// jointRows draws rows of two columns that move together, the second shifted.
func jointRows(seed uint64, n int, shift float64) [][]float64 {
	random := rand.New(rand.NewPCG(seed, 7))
	out := make([][]float64, n)
	for i := range out {
		x := random.NormFloat64()
		out[i] = []float64{10 * x, x + float64(0.3*random.NormFloat64()) + shift}
	}
	return out
}

const axes = 3

// jointBaseline watches the two columns of the rows together.
func jointBaseline(t *testing.T, rows [][]float64) *signal.Baseline {
	t.Helper()
	projections, err := measure.FitProjections(rows, axes, 1)
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := measure.FitKernel(&projections.Standard, rows, 32, 2)
	if err != nil {
		t.Fatal(err)
	}
	set := signal.JointBaseline{
		Name: "pair", Target: signal.TargetMultivariate, Columns: []signal.FeatureName{"x", "y"}, Projections: projections, Kernel: kernel,
		Limits: []signal.JointLimit{
			{Method: signal.DriftSlicedWasserstein, Value: 0.125, Alpha: 0.05, Windows: 20, Rows: 40},
			{Method: signal.DriftMMD, Value: 0.25, Alpha: 0.05, Windows: 20, Rows: 40_000}, // of larger windows than any here
		},
	}
	b := &signal.Baseline{Format: signal.BaselineFormat, Model: loans, Rows: uint64(len(rows))}
	for k := range axes {
		values := projected(t, projections, rows)[k]
		f := signal.FeatureBaseline{Name: set.Slice(k), Target: set.Target, Kind: signal.Numeric}
		sorted := slices.Sorted(slices.Values(values))
		f.Grid, f.Deciles = measure.BuildGrid(sorted)
		d := numbers(&f, values)
		f.Counts, f.N, f.Sum, f.SumSquares, f.Min, f.Max = d.Counts, d.N, d.Sum, d.SumSquares, d.Min, d.Max
		b.Features = append(b.Features, f)
	}
	b.Joint = []signal.JointBaseline{set}
	return b
}

// projected gives the rows' values along every axis.
func projected(t *testing.T, p *measure.Projections, rows [][]float64) [axes][]float64 {
	t.Helper()
	var out [axes][]float64
	var into [axes]float64
	for _, row := range rows {
		if err := p.Project(row, into[:]); err != nil {
			t.Fatal(err)
		}
		for k, x := range into {
			out[k] = append(out[k], x)
		}
	}
	return out
}

// numbers counts values in the cells of a column.
func numbers(f *signal.FeatureBaseline, values []float64) *signal.Distribution {
	d := &signal.Distribution{
		Target: f.Target, Feature: f.Name, Kind: signal.Numeric, Counts: make([]uint64, len(f.Grid)+1), Min: math.NaN(), Max: math.NaN(),
	}
	for _, x := range values {
		d.Counts[measure.Grid(f.Grid).Index(x)]++
		d.N++
		d.Sum += x
		d.SumSquares += float64(x * x)
		d.Min, d.Max = least(d.Min, x), -least(-d.Max, -x)
	}
	return d
}

// jointParts counts rows as an agent does.
func jointParts(t *testing.T, b *signal.Baseline, rows [][]float64) []*signal.Distribution {
	t.Helper()
	set := &b.Joint[0]
	var out []*signal.Distribution
	for k, values := range projected(t, set.Projections, rows) {
		d := numbers(&b.Features[k], values)
		var err error
		if d.Bounds, err = b.Features[k].Bounds(); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	embedder, err := set.Kernel.Embedder(&set.Projections.Standard)
	if err != nil {
		t.Fatal(err)
	}
	sums := sumsOf(set.Target, set.Name, uint64(len(rows)))
	if sums.Bounds, err = set.KernelBounds(); err != nil {
		t.Fatal(err)
	}
	sums.Embedded = make([]float64, embedder.Size())
	for _, row := range rows {
		if !embedder.Add(row, sums.Embedded) {
			t.Fatalf("row %v is not added", row)
		}
	}
	return append(out, sums)
}

// sumsOf is a distribution of sums over so many rows.
func sumsOf(target signal.Target, feature signal.FeatureName, rows uint64) *signal.Distribution {
	return &signal.Distribution{
		Target: target, Feature: feature, Kind: signal.Sums, Counts: []uint64{rows}, N: rows, Min: math.NaN(), Max: math.NaN(),
	}
}

// dispatch makes the parts a window of a replica and stores them.
func (w *world) dispatch(replica signal.InstanceID, end time.Time, rate float64, parts ...*signal.Distribution) {
	w.t.Helper()
	w.seq[replica]++
	for _, d := range parts {
		d.System, d.Model, d.Window = "s", loans, signal.WindowID{Instance: replica, Sequence: w.seq[replica]}
		d.Start, d.End, d.Parts, d.Baseline, d.Rate = end.Add(-length), end, len(parts), w.digest, rate
	}
	w.arrive(parts...)
}
