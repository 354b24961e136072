package measure_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

// correlated draws rows of two standard normal columns with the given
// correlation, the first shifted.
func correlated(seed uint64, n int, correlation, shift float64) [][]float64 {
	random := rand.New(rand.NewPCG(seed, 77))
	rows := make([][]float64, n)
	for i := range rows {
		a, b := random.NormFloat64(), random.NormFloat64()
		rows[i] = []float64{a + shift, correlation*a + math.Sqrt(1-correlation*correlation)*b}
	}
	return rows
}

func mmd(t *testing.T, reference, current [][]float64, o measure.MMDOptions) measure.MMDResult {
	t.Helper()
	r, err := measure.MMD(reference, current, o)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "mmd", r.Estimate, nil)
	return r
}

func TestMMDSeesWhatNoSingleColumnShows(t *testing.T) {
	o := measure.MMDOptions{Frequencies: 128, Permutations: 199, Seed: 1}
	reference := correlated(1, 500, 0, 0)
	same := mmd(t, reference, correlated(2, 500, 0, 0), o)
	turned := mmd(t, reference, correlated(3, 500, 0.9, 0), o)
	if *same.P < 0.05 || same.Estimate.Value > 0.05 {
		t.Errorf("nothing has changed: effect %v, p %v", same.Estimate.Value, *same.P)
	}
	if *turned.P != 1./200 || turned.Estimate.Value < 0.1 {
		t.Errorf("a correlation of 0.9 has appeared: effect %v, p %v", turned.Estimate.Value, *turned.P)
	}
}

// The effect of a shift stays the same as rows are added, and its noise falls.
func TestMMDEffectDoesNotGrowWithRows(t *testing.T) {
	o := measure.MMDOptions{Frequencies: 128, Bandwidth: 1.5, Seed: 2}
	few := mmd(t, correlated(4, 400, 0, 0), correlated(5, 400, 0, 1), o).Estimate.Value
	many := mmd(t, correlated(6, 6400, 0, 0), correlated(7, 6400, 0, 1), o).Estimate.Value
	near(t, "effect of 400 and 6400 rows", few, many, 0.05)
	if many < 0.3 {
		t.Errorf("effect of a shift by 1: %v", many)
	}
}

// For normal columns the kernel's mean has a closed form: two samples a shift s
// apart in one of two columns, of variance 1 and bandwidth h, have
// MMD^2 = 2 h^2/(h^2+2) (1 - exp(-s^2 / (2 (h^2+2)))).
func TestMMDOfNormalColumns(t *testing.T) {
	const h, s = 1.5, 0.8
	want := 2 * h * h / (h*h + 2) * (1 - math.Exp(-s*s/(2*(h*h+2))))
	got := mmd(t, correlated(8, 6000, 0, 0), correlated(9, 6000, 0, s), measure.MMDOptions{Frequencies: 600, Bandwidth: h, Seed: 3})
	near(t, "MMD^2", got.Squared, want, 0.1*want) // 5% of it is the approximation
}

func TestMMDLaws(t *testing.T) {
	o := measure.MMDOptions{Frequencies: 32, Bandwidth: 1, Permutations: 19, Seed: 4}
	a, b := correlated(10, 60, 0.5, 0), correlated(11, 90, 0, 0.3)
	first, again := mmd(t, a, b, o), mmd(t, a, b, o)
	if first.Estimate.Value != again.Estimate.Value || *first.P != *again.P {
		t.Errorf("the same seed gives %+v and %+v", first, again)
	}
	slices.Reverse(a)
	slices.Reverse(b)
	near(t, "another order of rows", mmd(t, a, b, o).Squared, first.Squared, 1e-12)
}

// On average over samples that do not differ, the unbiased MMD^2 is 0.
func TestMMDIsUnbiased(t *testing.T) {
	o := measure.MMDOptions{Frequencies: 32, Bandwidth: 1, Seed: 5}
	var mean float64
	const samples = 400
	for i := range uint64(samples) {
		mean += mmd(t, correlated(100+2*i, 20, 0, 0), correlated(101+2*i, 20, 0, 0), o).Squared / samples
	}
	near(t, "mean", mean, 0, 0.005) // the biased form has 0.08
}

func TestMMDUndefined(t *testing.T) {
	good, o := correlated(12, 10, 0, 0), measure.MMDOptions{Frequencies: 8}
	same := [][]float64{{1, 2}, {1, 2}, {1, 2}}
	for what, c := range map[string]struct {
		reference, current [][]float64
		o                  measure.MMDOptions
	}{
		"no reference":         {nil, good, o},
		"one current row":      {good, good[:1], o},
		"constant reference":   {same, good, o},
		"mostly one row":       {append(slices.Repeat(same, 10), []float64{2, 3}), good, o},
		"another width":        {good, [][]float64{{1}, {2}}, o},
		"NaN":                  {good, [][]float64{{1, math.NaN()}, {2, 3}}, o},
		"infinite":             {[][]float64{{1, 2}, {math.Inf(1), 3}}, good, o},
		"no frequencies":       {good, good, measure.MMDOptions{}},
		"negative bandwidth":   {good, good, measure.MMDOptions{Frequencies: 1, Bandwidth: -1}},
		"bandwidth NaN":        {good, good, measure.MMDOptions{Frequencies: 1, Bandwidth: math.NaN()}},
		"so wide that all one": {good, good, measure.MMDOptions{Frequencies: 1, Bandwidth: 1e200}},
	} {
		if _, err := measure.MMD(c.reference, c.current, c.o); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v, want undefined", what, err)
		}
	}
}

func FuzzMMD(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 5.0, 8.0, 1.0)
	f.Add(1e140, -1e140, 5e-324, 0.0, 1e-150, 5e-324)
	f.Add(1.0, 1.0, 1.0, 2.0, math.NaN(), 0.0)
	f.Fuzz(func(t *testing.T, a, b, c, d, e, bandwidth float64) {
		r, err := measure.MMD([][]float64{{a}, {b}, {c}}, [][]float64{{d}, {e}}, measure.MMDOptions{Frequencies: 4, Bandwidth: bandwidth, Permutations: 3})
		sound(t, "mmd", r.Estimate, err)
		if err == nil && (math.IsNaN(r.Squared) || !(*r.P > 0 && *r.P <= 1)) {
			t.Fatalf("%+v, p %v", r, *r.P)
		}
	})
}

func BenchmarkMMD(b *testing.B) {
	reference, current := correlated(1, 500, 0, 0), correlated(2, 500, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := measure.MMD(reference, current, measure.MMDOptions{Frequencies: 128}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}
