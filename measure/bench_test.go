package measure

import (
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"
)

// BenchmarkGridIndex reports, beside the time for one value, the ratio to the
// standard library's binary search over the same edges in the same run.
func BenchmarkGridIndex(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 1<<14)
	for i := range values {
		values[i] = random.NormFloat64()
	}
	edges, _ := BuildGrid(slices.Sorted(slices.Values(values)))
	grid := Grid(edges)
	b.ReportAllocs()
	total := 0
	for i := 0; b.Loop(); i++ {
		total += grid.Index(values[i&(len(values)-1)])
	}
	start := time.Now()
	for i := range b.N {
		total += sort.SearchFloat64s(edges, values[i&(len(values)-1)])
	}
	standard := time.Since(start)
	b.ReportMetric(float64(b.Elapsed())/float64(standard), "ratio")
	_ = total
}

func BenchmarkPSI(b *testing.B) {
	reference, current := make([]uint64, 11), make([]uint64, 11)
	for i := range reference {
		reference[i], current[i] = uint64(100+i), uint64(120-i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PSI(reference, current); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDisparateImpact(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DisparateImpact(Proportion{300, 1000}, Proportion{500, 1000}, 0.95); err != nil {
			b.Fatal(err)
		}
	}
}
