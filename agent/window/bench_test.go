package window

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// BenchmarkValue is the cost of one value on the numeric path of 40 cells:
// cell, count, moments, range. ratio sets it against a bare binary search over
// the same edges and values in the same run, both at their fastest, since other
// work on the machine only ever adds time.
func BenchmarkValue(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	f := signal.FeatureBaseline{Name: "x", Target: signal.TargetFeature, Kind: signal.Numeric, Counts: make([]uint64, 40), Min: -4, Max: 4, N: 1}
	for range 39 {
		f.Grid = append(f.Grid, r.NormFloat64())
	}
	slices.Sort(f.Grid)
	c, err := newColumn(&f)
	if err != nil {
		b.Fatal(err)
	}
	xs := make([]float64, 8192)
	for i := range xs {
		xs[i] = r.NormFloat64()
	}
	bare, full := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	cells := make([]uint64, 40)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		for _, x := range xs {
			cells[sort.SearchFloat64s(f.Grid, x)]++
		}
		middle := time.Now()
		c.addNumbers(xs)
		bare, full = min(bare, middle.Sub(start)), min(full, time.Since(middle))
	}
	if c.counts[7] != cells[7] {
		b.Fatalf("cell 7 holds %d and %d", c.counts[7], cells[7])
	}
	b.ReportMetric(float64(full)/float64(bare), "ratio")
	b.ReportMetric(float64(full.Nanoseconds())/float64(len(xs)), "ns/value")
}

// BenchmarkObserve is a whole observation of one row and of a thousand rows.
func BenchmarkObserve(b *testing.B) {
	for name, rows := range map[string]int{"1row": 1, "1000rows": 1000} {
		b.Run(name, func(b *testing.B) {
			p := profiler(b, options(b, func(*Closed) {}))
			obs := manyApplicants(rows)
			b.ReportAllocs()
			for b.Loop() {
				p.Observe(obs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}

func manyApplicants(rows int) *signal.Observation {
	r := rand.New(rand.NewPCG(3, 4))
	obs := &signal.Observation{Model: signal.ModelRef{Name: "loans", Version: "1"}, Rows: rows}
	income, gender, approved := make([]float64, rows), make([]string, rows), make([]float64, rows)
	for i := range rows {
		income[i] = r.Float64() * 40
		gender[i] = []string{"male", "female"}[r.IntN(2)]
		approved[i] = float64(r.IntN(2))
	}
	obs.Columns = []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: income},
		{Name: "gender", Target: signal.TargetFeature, Strings: gender},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: approved},
	}
	return obs
}
