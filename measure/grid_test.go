package measure

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func sorted(values []float64) []float64 { return slices.Sorted(slices.Values(values)) }

func TestGridWithoutHeavyValuesIsTheQuantiles(t *testing.T) {
	x := make([]float64, 1000)
	for i := range x {
		x[i] = math.Sqrt(float64(i))
	}
	edges, deciles := BuildGrid(x)
	if len(edges) != 39 || len(deciles) != 9 {
		t.Fatalf("%d edges and %d deciles, want 39 and 9", len(edges), len(deciles))
	}
	for k, d := range deciles {
		if want := quantile(x, float64(k+1)/10); edges[d] != want {
			t.Errorf("decile %d: %v, want %v", k+1, edges[d], want)
		}
	}
}

func TestHeavyValueHasACellOfItsOwn(t *testing.T) {
	var x []float64
	for i := range 1000 {
		x = append(x, 3, 3, 3, float64(i)/100) // three quarters are 3
	}
	x = sorted(x)
	edges, deciles := BuildGrid(x)
	grid := Grid(edges)
	cell := grid.Index(3)
	if grid.Index(math.Nextafter(3, 4)) == cell || grid.Index(math.Nextafter(3, 2)) == cell {
		t.Error("the neighbours of 3 are in its cell")
	}
	var coarse Grid
	for _, d := range deciles {
		coarse = append(coarse, edges[d])
	}
	if cell := coarse.Index(3); coarse.Index(3.01) == cell || coarse.Index(2.99) == cell {
		t.Errorf("3 shares its decile cell: %v", coarse)
	}
}

// A column of small integers is heavy for the grid and not for PSI, whose limits
// are made for about ten cells.
func TestSmallIntegersKeepTenCellsForPSI(t *testing.T) {
	var x []float64
	for i := range 3000 {
		x = append(x, float64(i%30)) // each value holds 1/30
	}
	edges, deciles := BuildGrid(sorted(x))
	if len(edges) < 30 {
		t.Errorf("%d edges; every value is to have a cell of the grid", len(edges))
	}
	if len(deciles) != 9 {
		t.Errorf("%d edges for PSI, want 9", len(deciles))
	}
}

func TestGridOfFewValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		x     []float64
		cells int
	}{
		{"none", nil, 1},
		{"one", []float64{7}, 3},
		{"constant", []float64{7, 7, 7, 7}, 3},
		{"zero of either sign", []float64{math.Copysign(0, -1), 0}, 3},
	} {
		edges, deciles := BuildGrid(c.x)
		counts := make([]int, len(edges)+1)
		for _, v := range c.x {
			counts[Grid(edges).Index(v)]++
		}
		if len(counts) != c.cells {
			t.Errorf("%s: edges %v, want %d cells", c.name, edges, c.cells)
		}
		if len(deciles) > len(edges) {
			t.Errorf("%s: %d deciles of %d edges", c.name, len(deciles), len(edges))
		}
	}
}

func TestGridLaws(t *testing.T) {
	value := rapid.OneOf(
		rapid.Float64Range(-MaxMagnitude, MaxMagnitude),
		rapid.Map(rapid.IntRange(-5, 5), func(i int) float64 { return float64(i) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		x := sorted(rapid.SliceOfN(value, 1, 300).Draw(t, "values"))
		edges, deciles := BuildGrid(x)
		grid := Grid(edges)
		for i, e := range edges {
			if math.IsNaN(e) || math.IsInf(e, 0) || (i > 0 && !(edges[i-1] < e)) {
				t.Fatalf("edges are not finite and ascending: %v", edges)
			}
		}
		for i, d := range deciles {
			if d < 0 || d >= len(edges) || (i > 0 && d <= deciles[i-1]) {
				t.Fatalf("deciles are not ascending indexes: %v of %d", deciles, len(edges))
			}
		}
		for _, v := range append(slices.Clone(edges), x...) {
			i := grid.Index(v)
			if (i > 0 && !(edges[i-1] < v)) || (i < len(edges) && !(v <= edges[i])) {
				t.Fatalf("%v is not inside cell %d of %v", v, i, edges)
			}
		}
	})
}

func TestEveryHeavyValueIsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := sorted(rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 60), func(i int) float64 { return float64(i) / 7 }), 1, 400).Draw(t, "values"))
		edges, _ := BuildGrid(x)
		grid := Grid(edges)
		occurrences := map[float64]int{}
		for _, v := range x {
			occurrences[v]++
		}
		for v, n := range occurrences {
			if n*40 < len(x) {
				continue
			}
			for other := range occurrences {
				if other != v && grid.Index(other) == grid.Index(v) {
					t.Fatalf("%v holds %d of %d and shares its cell with %v", v, n, len(x), other)
				}
			}
		}
	})
}

func TestMomentsOfPartsAreThoseOfTheWhole(t *testing.T) {
	whole := rapid.SliceOf(rapid.Map(rapid.IntRange(-1000, 1000), func(i int) float64 { return float64(i) }))
	rapid.Check(t, func(t *rapid.T) {
		x := whole.Draw(t, "values")
		cut := rapid.IntRange(0, len(x)).Draw(t, "cut")
		var all, left, right Moments
		for i, v := range x {
			all.Add(v)
			if i < cut {
				left.Add(v)
			} else {
				right.Add(v)
			}
		}
		left.Merge(right)
		if left != all {
			t.Fatalf("parts %+v, whole %+v", left, all)
		}
		if len(x) > 0 && (all.Min != slices.Min(x) || all.Max != slices.Max(x)) {
			t.Fatalf("range of %v: %+v", x, all)
		}
	})
}
