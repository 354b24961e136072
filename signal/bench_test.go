package signal

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// BenchmarkDrift scores 100 columns by every method, as one window of one model
// does, and reports the time for one column.
func BenchmarkDrift(b *testing.B) {
	baseline, windows := benchmarkWindows(b)
	b.ReportAllocs()
	for b.Loop() {
		for i, w := range windows {
			if scores, err := baseline.Features[i].Drift(w); err != nil || len(scores) != 11 {
				b.Fatalf("%d scores, %v", len(scores), err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/benchmarkColumns/float64(time.Microsecond), "µs/feature")
}

// BenchmarkScores gives everything that 100 columns of one window say, as fleet
// does, and reports the time for one column.
func BenchmarkScores(b *testing.B) {
	baseline, windows := benchmarkWindows(b)
	b.ReportAllocs()
	for b.Loop() {
		var drifts []Quantity
		for i, w := range windows {
			found, err := baseline.Features[i].Drifts(w)
			if err != nil || len(found) != 11 {
				b.Fatalf("%d scores, %v", len(found), err)
			}
			drifts = append(drifts, found...)
			if len(Quality(&baseline.Features[i], w, 0.95)) < 2 {
				b.Fatal("no quality")
			}
		}
		AdjustP(drifts)
		DriftShares(drifts)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/benchmarkColumns/float64(time.Microsecond), "µs/feature")
}

// BenchmarkCohortQuantities scores a decision by ten groups, with scores in forty
// cells.
func BenchmarkCohortQuantities(b *testing.B) {
	base := decisionBaseline()
	base.Features[1].Grid = nil
	for i := range 39 {
		base.Features[1].Grid = append(base.Features[1].Grid, float64(i+1)/40)
	}
	c := newCohort(b, base)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		score := random.Float64()
		c.Add(base, row(bit(score > 0.5), score, bit(random.Float64() < score), Membership{"region", strconv.Itoa(random.IntN(10))}))
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(c.Quantities(base, FairnessOptions{Confidence: 0.95})) < 100 {
			b.Fatal("too little")
		}
	}
}

// benchmarkColumns is how many columns a window of the benchmarks has.
const benchmarkColumns = 100

// benchmarkWindows gives a baseline and one window of each of its columns, a
// little shifted.
func benchmarkWindows(b *testing.B) (*Baseline, []*Distribution) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var reference []Column
	for i := range benchmarkColumns {
		reference = append(reference, Column{Name: FeatureName(strconv.Itoa(i)), Target: TargetFeature, Numbers: normalColumn(random, 10_000, 0)})
	}
	baseline, err := BuildBaseline(reference, BuildOptions{})
	if err != nil {
		b.Fatal(err)
	}
	windows := make([]*Distribution, benchmarkColumns)
	for i := range windows {
		windows[i] = windowOf(&baseline.Features[i], normalColumn(random, 1000, 0.1))
	}
	return baseline, windows
}
