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

// BenchmarkDisparities compares one group by every measure of the table.
func BenchmarkDisparities(b *testing.B) {
	group := Confusion{TruePositive: 300, FalsePositive: 80, TrueNegative: 500, FalseNegative: 120}
	reference := Confusion{TruePositive: 900, FalsePositive: 200, TrueNegative: 1500, FalseNegative: 300}
	measures := DisparityMeasures()
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range measures {
			if _, err := m.Of(group, reference, 0.95); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkCorrectedECE simulates a calibrated model over a grid of scores.
func BenchmarkCorrectedECE(b *testing.B) {
	cells := make([]ScoreCell, 40)
	for i := range cells {
		cells[i] = ScoreCell{Rows: 250, Positives: uint64(6 * i), Scores: 250 * (float64(i) + 0.5) / 40}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CorrectedECE(cells, 0.95, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExpectedPerformance is what estimating costs for one row.
func BenchmarkExpectedPerformance(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	scores, actual := make([]float64, 1<<14), make([]bool, 1<<14)
	for i := range scores {
		scores[i] = random.Float64()
		actual[i] = random.Float64() < scores[i]
	}
	calibrator, err := FitCalibrator(scores, actual)
	if err != nil {
		b.Fatal(err)
	}
	var p ExpectedPerformance
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := p.Add(calibrator, scores[i&(len(scores)-1)], true); err != nil {
			b.Fatal(err)
		}
	}
}
