package measure_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// binned counts ascending values into the baseline's grid.
func binned(g measure.Grid, values []float64) measure.Binned {
	b := measure.Binned{Counts: count(g, values)}
	for _, x := range values {
		b.Moments.Add(x)
	}
	return b
}

func must[T any](t interface {
	Helper()
	Fatal(args ...any)
},
) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The table of reference values: the first half of the data against the second.
func TestDriftOfElec2(t *testing.T) {
	const half = 22656
	for name, want := range map[string]struct{ exact, deciles, wasserstein, onGrid, tolerance float64 }{
		"nswprice":  {0.451227, 0.443282, 0.714594, 0.714594, 0.15},
		"nswdemand": {0.025821, 0.024718, 0.037128, 0.037128, 1e-6},
		"vicprice":  {0.542858, 0.449859, 2.170362, 2.170362, 0.6},
	} {
		values := shareddata.Numbers(t, "elec2.csv", name)
		r, c := slices.Sorted(slices.Values(values[:half])), slices.Sorted(slices.Values(values[half:]))
		exact := must[measure.KSResult](t)(measure.KSExact(r, c, 0.95))
		near(t, name+" KS", exact.Value, want.exact, 5e-7)
		edges := plainDeciles(r)
		near(t, name+" KS at deciles", must[measure.KSResult](t)(measure.KS(count(edges, r), count(edges, c), 0.95)).Value, want.deciles, 5e-7)
		near(t, name+" Wasserstein", must[measure.Estimate](t)(measure.WassersteinExact(r, c)).Value, want.wasserstein, 5e-7)

		grid, _ := measure.BuildGrid(r)
		onGrid := must[measure.KSResult](t)(measure.KS(count(grid, r), count(grid, c), 0.95))
		if !(onGrid.Value <= exact.Value && exact.Value <= onGrid.Bound) {
			t.Errorf("%s: KS %v is not between the grid's %v and its bound %v", name, exact.Value, onGrid.Value, onGrid.Bound)
		}
		w := must[measure.Estimate](t)(measure.Wasserstein(grid, binned(grid, r), binned(grid, c)))
		near(t, name+" Wasserstein on the grid", w.Value, want.onGrid, want.tolerance)
	}
}

// The counts of measures.md. The p-value of the goodness of fit, 0.62339, is
// another test's: it takes the second list for exact.
func TestDistancesOfCounts(t *testing.T) {
	r, c := []uint64{16, 18, 16, 14, 12, 12}, []uint64{16, 16, 16, 16, 16, 8}
	near(t, "Hellinger", must[measure.Estimate](t)(measure.Hellinger(r, c)).Value, 0.06813, 5e-6)
	near(t, "JS", must[measure.Estimate](t)(measure.JS(r, c)).Value, 0.06804819617703854, 1e-15)
	near(t, "JS base 2", must[measure.Estimate](t)(measure.JSBits(r, c)).Value, 0.08173421330573742, 1e-15)
	near(t, "TVD", must[measure.Estimate](t)(measure.TVD(r, c)).Value, 6.0/88, 1e-15)
	near(t, "LInf", must[measure.Estimate](t)(measure.LInf(r, c)).Value, 4.0/88, 1e-15)
	table := must[measure.ContingencyResult](t)(measure.Contingency(r, c))
	near(t, "chi-square p", table.P, 0.89853, 5e-6)
	near(t, "Cramer's V", table.V.Value, 0.0960116281897381, 1e-14)
	if table.DegreesOfFreedom != 5 || table.Pooled != 0 {
		t.Errorf("%+v, want 5 degrees of freedom and nothing pooled", table)
	}
}

// Values of scipy.stats: ttest_ind(equal_var=False), wasserstein_distance,
// ks_2samp, and f.
func TestSmallSamples(t *testing.T) {
	r, c := []float64{1, 2, 3.5, 3.5, 9}, []float64{2, 3.5, 4, 7, 7, 10}
	g := measure.Grid{5}
	mr, mc := binned(g, r).Moments, binned(g, c).Moments
	const deviation = 2.767670500619609
	shift := must[measure.Tested](t)(measure.MeanShift(mr, mc, 0.95))
	near(t, "mean shift", shift.Value, (33.5/6-3.8)/deviation, 1e-14)
	near(t, "its lower limit", *shift.Lower, -2.401521465456123/deviation, 1e-12)
	near(t, "its upper limit", *shift.Upper, 5.96818813212279/deviation, 1e-12)
	near(t, "its p", shift.P, 0.35729985485624094, 1e-12)
	ratio := must[measure.Tested](t)(measure.VarianceRatio(mr, mc))
	near(t, "variance ratio", ratio.Value, 0.9025239338555265, 1e-13)
	near(t, "its p", ratio.P, 0.8899147372978614, 1e-12)
	near(t, "Wasserstein", must[measure.Estimate](t)(measure.WassersteinExact(r, c)).Value, 1.916666666666667/deviation, 1e-14)
	near(t, "KS", must[measure.KSResult](t)(measure.KSExact(r, c, 0.95)).Value, 0.4666666666666667, 1e-15)
}

// A lone outlier far out moves the distance by its own weight, not by that of the
// open end that it stretches.
func TestWassersteinOfOneOutlier(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	normal := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = random.NormFloat64()
		}
		return out
	}
	r, c := normal(10_000), normal(1000)
	c[0] = 1000
	slices.Sort(r)
	slices.Sort(c)
	grid, _ := measure.BuildGrid(r)
	got := must[measure.Estimate](t)(measure.Wasserstein(grid, binned(grid, r), binned(grid, c)))
	want := must[measure.Estimate](t)(measure.WassersteinExact(r, c))
	near(t, "with an outlier", got.Value, want.Value, 0.05)
}

func TestANewCategoryIsLegal(t *testing.T) {
	r := must[measure.ContingencyResult](t)(measure.Contingency([]uint64{500, 500, 0}, []uint64{495, 495, 10}))
	if !(r.P > 1e-4 && r.P < 0.05) || r.DegreesOfFreedom != 2 {
		t.Errorf("ten rows of a new category in a thousand: %+v", r)
	}
	pooled := must[measure.ContingencyResult](t)(measure.Contingency([]uint64{500, 492, 8, 0}, []uint64{500, 492, 6, 2}))
	if pooled.DegreesOfFreedom != 2 || pooled.Pooled != 2 {
		t.Errorf("two rows of a new category are pooled with the smallest other: %+v", pooled)
	}
}

// Values of scipy.stats.ncx2, solved for the noncentrality.
func TestSmallestVisible(t *testing.T) {
	for _, c := range []struct {
		cells                   int
		confidence, power, want float64
	}{
		{10, 0.95, 0.8, 15.649797895188208},
		{2, 0.95, 0.8, 7.848860509326196},
		{3, 0.99, 0.9, 17.426689067434886},
		{101, 0.95, 0.8, 40.5563986482104},
		{10000, 0.95, 0.99, 578.1199252414646},
	} {
		got := must[float64](t)(measure.SmallestPSI(c.cells, 10_000, 1000, c.confidence, c.power))
		near(t, "smallest PSI", got/(1.0/10_000+1.0/1000)/c.want, 1, 1e-7)
	}
	// By the formula, its two square roots written out.
	d := must[float64](t)(measure.SmallestDifference(0.3, 5000, 800, 0.95, 0.8))
	q := 0.3 + d
	pooled := (0.3*5000 + q*800) / 5800
	want := 1.959963984540054*math.Sqrt(pooled*(1-pooled)*(1.0/5000+1.0/800)) +
		0.8416212335729143*math.Sqrt(0.3*0.7/5000+q*(1-q)/800)
	near(t, "smallest difference", d, want, 1e-12)
	if up, down := d, must[float64](t)(measure.SmallestDifference(0.7, 5000, 800, 0.95, 0.8)); math.Abs(up-down) > 1e-12 {
		t.Errorf("0.3 shows %v, 0.7 shows %v", up, down)
	}
}

// The promised power is what samples have, and what noise alone does is what the
// confidence says.
func TestSmallestPSIIsSeenAsOftenAsPromised(t *testing.T) {
	const n, m, cells, runs = 10_000, 1000, 10, 1000
	random := rand.New(rand.NewPCG(5, 6))
	visible := must[float64](t)(measure.SmallestPSI(cells, n, m, 0.95, 0.8))
	// Half of the cells at 0.1 + h, half at 0.1 - h: PSI = 5 h ln((0.1+h)/(0.1-h)).
	h := 0.0
	for psi := 0.0; psi < visible; h += 1e-6 {
		psi = 5 * h * math.Log((0.1+h)/(0.1-h))
	}
	sample := func(rows int, h float64) []uint64 {
		counts := make([]uint64, cells)
		for range rows {
			pair := random.IntN(cells / 2)
			if random.Float64() < 0.5+5*h {
				counts[2*pair]++
			} else {
				counts[2*pair+1]++
			}
		}
		return counts
	}
	share := func(h float64) float64 {
		exceeded := 0
		for range runs {
			r, c := sample(n, 0), sample(m, h)
			if must[measure.Estimate](t)(measure.PSI(r, c)).Value > must[float64](t)(measure.PSICritical(r, c)) {
				exceeded++
			}
		}
		return float64(exceeded) / runs
	}
	near(t, "seen at the smallest visible shift", share(h), 0.8, 0.04)
	near(t, "seen without a shift", share(0), 0.05, 0.02)
}

// Values of scipy.stats.false_discovery_control.
func TestBenjaminiHochberg(t *testing.T) {
	got := must[[]float64](t)(measure.BenjaminiHochberg([]float64{0.01, 0.02, 0.5, 0.04, 0.03, 1}))
	for i, want := range []float64{0.06, 0.06, 0.6, 0.06, 0.06, 1} {
		near(t, "adjusted p", got[i], want, 1e-15)
	}
	if none, err := measure.BenjaminiHochberg(nil); err != nil || len(none) != 0 {
		t.Errorf("no tests: %v, %v", none, err)
	}
}

func TestExplain(t *testing.T) {
	labels := []string{"low", "middle", "high", "(missing)"}
	for want, counts := range map[string][2][]uint64{
		`income: "high" rose from 10% to 31.4% of rows, "low" fell from 60% to 43.6%.`:                          {{600, 300, 100, 0}, {436, 249, 314, 1}},
		`income: "(missing)" rose from 0% to 0.123% of rows.`:                                                   {{500_000, 300_000, 200_000, 0}, {499_500, 299_700, 199_570, 1230}},
		`income: no cell's share changed by as much as 0.1% of rows.`:                                           {{6, 3, 1, 0}, {60, 30, 10, 0}},
		`income: "low" fell from 100% to 0% of rows, "middle" rose from 0% to 50%, "high" rose from 0% to 50%.`: {{7, 0, 0, 0}, {0, 4, 4, 0}},
	} {
		moves := must[[]measure.Move](t)(measure.Moves(labels, counts[0], counts[1]))
		if got := measure.Explain("income", moves); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestDriftUndefined(t *testing.T) {
	some, none := []uint64{5, 6}, []uint64{0, 0}
	g := measure.Grid{1}
	good := binned(g, []float64{0, 0.5, 1, 2, 3})
	constant := binned(g, []float64{1, 1, 1})
	far := measure.Moments{}
	for i := range 1000 {
		far.Add(1e15 + float64(i%2))
	}
	spoiled := func(change func(*measure.Binned)) measure.Binned {
		b := measure.Binned{Counts: slices.Clone(good.Counts), Moments: good.Moments}
		change(&b)
		return b
	}
	wasserstein := func(g measure.Grid, r, c measure.Binned) error {
		_, err := measure.Wasserstein(g, r, c)
		return err
	}
	shift := func(r, c measure.Moments, confidence float64) error {
		_, err := measure.MeanShift(r, c, confidence)
		return err
	}
	exact := func(r, c []float64) error {
		_, err := measure.KSExact(r, c, 0.95)
		_, errW := measure.WassersteinExact(r, c)
		if (err == nil) != (errW == nil) {
			t.Errorf("KS says %v, Wasserstein %v", err, errW)
		}
		return err
	}
	for what, err := range map[string]error{
		"js, empty window":                 second(measure.JS(some, none)),
		"js base 2, empty baseline":        second(measure.JSBits(none, some)),
		"hellinger, other cells":           second(measure.Hellinger(some, []uint64{1})),
		"tvd, no cells":                    second(measure.TVD(nil, nil)),
		"linf, empty window":               second(measure.LInf(some, none)),
		"ks, empty window":                 second(measure.KS(some, none, 0.95)),
		"ks, certain":                      second(measure.KS(some, some, 1)),
		"ks, confidence NaN":               second(measure.KS(some, some, math.NaN())),
		"chi-square, empty window":         second(measure.Contingency(some, none)),
		"chi-square, one cell":             second(measure.Contingency([]uint64{50, 0}, []uint64{60, 0})),
		"chi-square, few rows":             second(measure.Contingency([]uint64{2, 3}, []uint64{2, 3})),
		"exact, no values":                 exact(nil, []float64{1, 2}),
		"exact, NaN":                       exact([]float64{1, 2}, []float64{1, math.NaN()}),
		"exact, infinite":                  exact([]float64{1, math.Inf(1)}, []float64{1, 2}),
		"exact, descending":                exact([]float64{2, 1}, []float64{1, 2}),
		"exact distance, constant":         second(measure.WassersteinExact([]float64{1, 1}, []float64{1, 2})),
		"distance, no edges":               wasserstein(nil, measure.Binned{Counts: []uint64{5}, Moments: good.Moments}, good),
		"distance, edge NaN":               wasserstein(measure.Grid{math.NaN()}, good, good),
		"distance, other cells":            wasserstein(measure.Grid{1, 2}, good, good),
		"distance, constant baseline":      wasserstein(g, constant, good),
		"distance, empty window":           wasserstein(g, good, measure.Binned{Counts: none}),
		"distance, moments of other rows":  wasserstein(g, good, spoiled(func(b *measure.Binned) { b.Moments.N++ })),
		"distance, min above the cell":     wasserstein(g, good, spoiled(func(b *measure.Binned) { b.Moments.Min = 1.5 })),
		"distance, max NaN":                wasserstein(g, good, spoiled(func(b *measure.Binned) { b.Moments.Max = math.NaN() })),
		"distance, impossible mean":        wasserstein(g, good, spoiled(func(b *measure.Binned) { b.Moments.Sum = 1e9 })),
		"distance, squares below the mean": wasserstein(g, spoiled(func(b *measure.Binned) { b.Moments.SumSquares = 1 }), good),
		"shift, one value":                 shift(good.Moments, measure.Moments{N: 1, Sum: 1, SumSquares: 1, Min: 1, Max: 1}, 0.95),
		"shift, constant baseline":         shift(constant.Moments, good.Moments, 0.95),
		"shift, spread lost in rounding":   shift(far, good.Moments, 0.95),
		"shift, infinite sum of squares":   shift(good.Moments, measure.Moments{N: 3, SumSquares: math.Inf(1), Max: 1}, 0.95),
		"shift, confidence 0":              shift(good.Moments, good.Moments, 0),
		"variance ratio, constant":         second(measure.VarianceRatio(constant.Moments, good.Moments)),
		"smallest psi, one cell":           second(measure.SmallestPSI(1, 10, 10, 0.95, 0.8)),
		"smallest psi, no rows":            second(measure.SmallestPSI(10, 10, 0, 0.95, 0.8)),
		"smallest psi, power of noise":     second(measure.SmallestPSI(10, 10, 10, 0.95, 0.05)),
		"smallest difference, share NaN":   second(measure.SmallestDifference(math.NaN(), 10, 10, 0.95, 0.8)),
		"smallest difference, two rows":    second(measure.SmallestDifference(0.5, 2, 2, 0.95, 0.8)),
		"adjusted, p above 1":              second(measure.BenjaminiHochberg([]float64{0.5, 1.5})),
		"adjusted, p NaN":                  second(measure.BenjaminiHochberg([]float64{math.NaN()})),
		"moves, too few labels":            second(measure.Moves([]string{"a"}, some, some)),
		"moves, empty window":              second(measure.Moves([]string{"a", "b"}, some, none)),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: got %v, want undefined", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
