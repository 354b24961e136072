package measure_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func TestThinnedCalibratorLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 400).Draw(t, "rows")
		step := rapid.SampledFrom([]float64{0.3, 0.1, 1. / 128}).Draw(t, "step")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		scores, actual := make([]float64, n), make([]bool, n)
		for i := range scores {
			scores[i] = random.Float64()
			actual[i] = random.Float64() < scores[i]
		}
		c, err := measure.FitCalibrator(scores, actual)
		if err != nil {
			return // one class only
		}
		thin := c.Thin(step)
		if err := thin.Validate(); err != nil {
			t.Fatal(err)
		}
		if len(thin.Scores) > int(2/step)+2 || len(thin.Scores) > len(c.Scores) || thin.Rows != c.Rows {
			t.Fatalf("%d knots of %d", len(thin.Scores), len(c.Scores))
		}
		for _, s := range append(scores, -0.1, 0, 0.5, 1, 1.1) {
			was, inside := c.Probability(s)
			is, still := thin.Probability(s)
			if inside != still || math.Abs(was-is) >= step {
				t.Fatalf("at %v: %v %v became %v %v", s, was, inside, is, still)
			}
		}
	})
}
