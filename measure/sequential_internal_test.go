package measure

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Values to the digits that the design gives.
func TestBaselineRadius(t *testing.T) {
	if k := baselineRadius(10, 0.001); math.Abs(k-25.16) > 0.005 {
		t.Errorf("k of ten cells %v", k)
	}
	for _, cells := range []int{2, 3, 10, 43} {
		k, d := baselineRadius(cells, 0.001), float64(cells-1)
		if bound := math.Pow(math.E*k/d, d) * math.Exp(-k); math.Abs(bound/0.001-1) > 1e-9 || k <= d {
			t.Errorf("%d cells: k %v, where the bound is %v", cells, k, bound)
		}
	}
}

// simplex draws shares; some may be 0.
func simplex(t *rapid.T, cells int, name string) []float64 {
	weights := rapid.SliceOfN(rapid.Float64Range(0, 1), cells, cells).Draw(t, name)
	var total float64
	for _, w := range weights {
		total += w
	}
	out := make([]float64, cells)
	for i, w := range weights {
		out[i] = 1 / float64(cells)
		if total > 0 {
			out[i] = w / total
		}
	}
	return out
}

// inBall moves p towards r until it is inside.
func inBall(p, r []float64, radius float64) []float64 {
	out := append([]float64(nil), p...)
	for ballDivergence(out, r, 1, 0) > radius {
		for i := range out {
			out[i] += (r[i] - out[i]) / 16
		}
	}
	return out
}

// compositions calls f with every way to put m rows into the cells.
func compositions(counts []float64, cell, m int, f func()) {
	if cell == len(counts)-1 {
		counts[cell] = float64(m)
		f()
		return
	}
	for c := range m + 1 {
		counts[cell] = float64(c)
		compositions(counts, cell+1, m-c, f)
	}
}

// The law that the promise rests on, summed up over every possible window:
// under any shares inside the ball the expected e_w is at most 1, whatever came
// before, and the bet alone is a probability.
func TestBetIsAnEValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells, m := rapid.IntRange(2, 4).Draw(t, "cells"), rapid.IntRange(1, 7).Draw(t, "rows")
		r := simplex(t, cells, "baseline")
		radius := rapid.Float64Range(1e-4, 0.5).Draw(t, "radius")
		p := inBall(simplex(t, cells, "truth"), r, radius)
		earlier := rapid.SliceOfN(rapid.Float64Range(0, 100), cells, cells).Draw(t, "earlier")
		counts := make([]float64, cells)
		var expected, total float64
		compositions(counts, 0, m, func() {
			orders := logGammaRatio(1, float64(m))
			likelihood := 0.0
			for i, c := range counts {
				orders -= logGammaRatio(1, c)
				if c > 0 {
					likelihood += c * math.Log(p[i])
				}
			}
			bet := logMixture(counts, earlier)
			total += math.Exp(orders + bet)
			expected += math.Exp(orders + likelihood + bet - logMaximum(counts, r, radius))
		})
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("the bet adds up to %v", total)
		}
		if expected > 1+1e-9 {
			t.Fatalf("the expected e-value is %v", expected)
		}
	})
}

// No shares inside the ball make the counts likelier than the maximum, and it
// is reached on the ball's edge.
func TestMaximumOverTheBall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.IntRange(2, 12).Draw(t, "cells")
		r := simplex(t, cells, "baseline")
		radius := rapid.Float64Range(1e-5, 2).Draw(t, "radius")
		counts := make([]float64, cells)
		var m float64
		for i := range counts {
			counts[i] = float64(rapid.IntRange(0, 1000).Draw(t, "count"))
			m += counts[i]
		}
		if m == 0 {
			return
		}
		maximum := logMaximum(counts, r, radius)
		p := inBall(simplex(t, cells, "inside"), r, radius)
		var inside, free float64
		for i, c := range counts {
			if c > 0 {
				inside += c * math.Log(p[i])
				free += c * math.Log(c/m)
			}
		}
		slack := 1e-9 * (1 + math.Abs(free))
		if inside > maximum+slack || maximum > free+slack {
			t.Fatalf("inside the ball %v, its maximum %v, without a ball %v", inside, maximum, free)
		}
		if ballDivergence(counts, r, m, 0) <= radius && math.Abs(maximum-free) > slack {
			t.Fatalf("the observed shares are inside, and yet %v is not %v", maximum, free)
		}
	})
}
