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
	const columns = 100
	random := rand.New(rand.NewPCG(1, 2))
	var reference []Column
	for i := range columns {
		reference = append(reference, Column{Name: FeatureName(strconv.Itoa(i)), Target: TargetFeature, Numbers: normalColumn(random, 10_000, 0)})
	}
	baseline, err := BuildBaseline(reference, BuildOptions{})
	if err != nil {
		b.Fatal(err)
	}
	windows := make([]*Distribution, columns)
	for i := range windows {
		windows[i] = windowOf(&baseline.Features[i], normalColumn(random, 1000, 0.1))
	}
	b.ReportAllocs()
	for b.Loop() {
		for i, w := range windows {
			if scores, err := baseline.Features[i].Drift(w); err != nil || len(scores) != 11 {
				b.Fatalf("%d scores, %v", len(scores), err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/columns/float64(time.Microsecond), "µs/feature")
}
