package measure

import (
	"math"
	"testing"
)

func relative(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s = %.17g, want %.17g", what, got, want)
	}
}

// Values of scipy.special.kolmogorov.
func TestKolmogorovTail(t *testing.T) {
	for x, want := range map[float64]float64{
		0:    1,
		0.1:  1,
		0.3:  0.9999906941986655,
		0.5:  0.9639452436648751,
		1:    0.26999967167735456,
		1.17: 0.12939004218561884,
		1.18: 0.1234538094297657,
		1.19: 0.11774229287977166,
		1.36: 0.049485876755377876,
		2:    0.0006709252557796953,
		3:    3.045995948942526e-08,
		5:    3.8574996959278356e-22,
	} {
		relative(t, "Kolmogorov's tail", kolmogorovTail(x), want, 1e-13)
	}
}

// Values of scipy.stats.chi2.sf.
func TestChiSquareTail(t *testing.T) {
	for _, c := range []struct {
		x    float64
		df   int
		want float64
	}{
		{0, 3, 1},
		{1, 1, 0.31731050786291115},
		{3.84, 1, 0.05004352124870519},
		{100, 1, 1.5239706048320995e-23},
		{20, 9, 0.017912404529843298},
		{5, 9, 0.8343082601934075},
		{500, 40, 8.636144778513832e-81},
		{1000, 3, 1.7994208765314067e-216},
	} {
		relative(t, "chi-square's tail", chiSquareTail(c.x, c.df), c.want, 1e-12)
	}
}

// Values of scipy.stats.t.sf and ppf.
func TestStudent(t *testing.T) {
	for _, c := range []struct{ t, df, want, tolerance float64 }{
		{1, 1, 0.5, 1e-13},
		{2, 5, 0.10193947882985835, 1e-13},
		{-2, 5.5, 0.09675439023118504, 1e-13},
		{5, 30, 2.32966854670078e-05, 1e-12},
		{10, 1000, 1.6670702958600137e-22, 1e-10},
		{3, 99999, 0.002700460890713429, 1e-8},
		{3, 100001, 0.0027004608774161415, 1e-8},
		{8, 1e7, 1.244323480280683e-15, 1e-8},
		{0, 7, 1, 0},
		{0.5, 2, 0.6666666666666667, 1e-13},
	} {
		relative(t, "Student's tails", studentTails(c.t, c.df), c.want, c.tolerance)
	}
	for _, c := range []struct{ confidence, df, want float64 }{
		{0.95, 1, 12.706204736174694},
		{0.95, 2, 4.302652729749462},
		{0.99, 3.3, 5.344306069721078},
		{0.95, 30, 2.0422724563012378},
		{0.999, 999, 3.3002924403987666},
		{0.95, 1000, 1.9623390808264083},
		{0.999, 1001, 3.3002728660760403},
		{0.95, 1e6, 1.959966356814107},
		{0.5, 1, 1},
	} {
		got := studentQuantile(c.confidence, c.df)
		relative(t, "Student's quantile", got, c.want, 1e-8) // scipy's own digits at df = 1001
		relative(t, "the tails beyond Student's quantile", studentTails(got, c.df), 1-c.confidence, 1e-8)
	}
}

// Twice the smaller of scipy.stats.f.cdf and sf. The last is Paulson's.
func TestFisherTails(t *testing.T) {
	for _, c := range []struct{ ratio, d1, d2, want, tolerance float64 }{
		{1, 10, 10, 1, 1e-12},
		{2, 5, 20, 0.24501448936368522, 1e-12},
		{0.5, 100, 50, 0.00337223333414807, 1e-12},
		{1.1, 1000, 10000, 0.03833474207858822, 1e-10},
		{1.02, 1e5, 1e5, 0.0017419027888067623, 1e-8},
		{1.0005, 2e8, 2e8, 0.00040831515455746077, 1e-5},
		{3, 3, 1e5, 0.05859134604979978, 1e-8},
		{0.1, 2, 2, 0.18181818181818182, 1e-12},
		{0, 4, 5, 0, 0},
	} {
		relative(t, "the F test's p", fisherTails(c.ratio, c.d1, c.d2), c.want, c.tolerance)
	}
}

// The moments place the values of open ends: those of data that are uniform in
// every cell are met exactly.
func TestOpenEndsMeetTheMoments(t *testing.T) {
	edges := Grid{-1, 0, 1}
	b := Binned{Counts: make([]uint64, 4)}
	for i := range 3000 {
		share := (float64(i) + 0.5) / 3000
		for _, x := range []float64{-1.5 + share*0.5, -1 + share, share, 1 + share*6} {
			b.Counts[edges.Index(x)]++
			b.Moments.Add(x)
		}
	}
	low, high, err := b.openEnds(edges)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]float64{
		"low from":  {low.from, -1.5},
		"low to":    {low.to, -1},
		"high from": {high.from, 1},
		"high to":   {high.to, 7},
	} {
		if math.Abs(pair[0]-pair[1]) > 5e-3 {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}
