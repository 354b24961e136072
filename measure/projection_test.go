package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// factors draws rows of ten columns that two hidden factors move: the first
// seven columns together, the next two together, the last is constant. Units
// differ from column to column.
func factors(seed uint64, n int) [][]float64 {
	random := rand.New(rand.NewPCG(seed, 99))
	rows := make([][]float64, n)
	for i := range rows {
		f, g := random.NormFloat64(), random.NormFloat64()
		row := make([]float64, 10)
		for j := range row[:7] {
			row[j] = math.Pow(10, float64(j)) * (f + 0.1*random.NormFloat64())
		}
		row[7], row[8], row[9] = 1e-3*g, 5-g+0.1*random.NormFloat64(), 7
		rows[i] = row
	}
	return rows
}

func fit(t rapid.TB, rows [][]float64, axes int, seed uint64) *measure.Projections {
	t.Helper()
	p, err := measure.FitProjections(rows, axes, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

func project(t rapid.TB, p *measure.Projections, rows [][]float64) (projected [][]float64) {
	t.Helper()
	projected = make([][]float64, len(p.Axes))
	into := make([]float64, len(p.Axes))
	for _, row := range rows {
		if err := p.Project(row, into); err != nil {
			t.Fatal(err)
		}
		for k, x := range into {
			projected[k] = append(projected[k], x)
		}
	}
	return projected
}

func variance(values []float64) float64 {
	var m measure.Moments
	for _, x := range values {
		m.Add(x)
	}
	mean := m.Sum / float64(m.N)
	return (m.SumSquares - mean*m.Sum) / float64(m.N-1)
}

func TestPrincipalAxesFindTheFactors(t *testing.T) {
	rows := factors(1, 2000)
	p := fit(t, rows, 4, 42)
	if p.Principal != 2 || len(p.Axes) != 4 || p.Standard.Scale[9] != 0 {
		t.Fatalf("%d principal of %d axes, scale of the constant column %v", p.Principal, len(p.Axes), p.Standard.Scale[9])
	}
	for j, x := range p.Axes[0] {
		want := 0.0
		if j < 7 {
			want = 1 / math.Sqrt(7)
		}
		near(t, "first axis", x, want, 0.05)
	}
	near(t, "second axis, one column against the other", p.Axes[1][7]*p.Axes[1][8], -0.5, 0.01)
	projected := project(t, p, rows)
	near(t, "variance along the first axis", variance(projected[0]), 7, 0.1)
	near(t, "variance along the second axis", variance(projected[1]), 2, 0.05)
}

// More axes than the rows have directions: the rest is random.
func TestPrincipalAxesEndWithTheVariance(t *testing.T) {
	var rows [][]float64
	for i := range 50 {
		x := math.Sin(float64(i))
		rows = append(rows, []float64{x, 2 * x, -x})
	}
	if p := fit(t, rows, 6, 1); p.Principal != 1 || len(p.Axes) != 6 {
		t.Errorf("%d principal of %d axes", p.Principal, len(p.Axes))
	}
}

func TestProjectionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 6).Draw(t, "columns")
		row := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), columns, columns)
		rows := rapid.SliceOfN(row, 2, 30).Draw(t, "rows")
		axes, seed := rapid.IntRange(1, 8).Draw(t, "axes"), rapid.Uint64().Draw(t, "seed")
		p, err := measure.FitProjections(rows, axes, seed)
		if err != nil {
			if !errors.Is(err, measure.ErrUndefined) {
				t.Fatal(err)
			}
			return
		}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		if again := fit(t, rows, axes, seed); !reflect.DeepEqual(p, again) {
			t.Fatal("the same rows and seed give other axes")
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var stored measure.Projections
		if err := json.Unmarshal(raw, &stored); err != nil || !reflect.DeepEqual(*p, stored) {
			t.Fatalf("stored and read again: %v", err)
		}
		for i, a := range p.Axes[:p.Principal] {
			for _, b := range p.Axes[:i] {
				if product := inner(a, b); math.Abs(product) > 1e-6 {
					t.Fatalf("principal axes at a product of %v", product)
				}
			}
		}
		for k, values := range project(t, p, rows) {
			var sum float64
			for _, x := range values {
				sum += x
			}
			if math.Abs(sum) > 1e-6*float64(len(rows)) {
				t.Fatalf("the baseline's mean along axis %d is %v", k, sum/float64(len(rows)))
			}
		}
	})
}

func inner(a, b []float64) (total float64) {
	for i, x := range a {
		total += x * b[i]
	}
	return total
}

func TestProjectionsUndefined(t *testing.T) {
	good := [][]float64{{1, 2}, {2, 1}, {3, 5}}
	p := fit(t, good, 2, 1)
	fitted := func(rows [][]float64, axes int) error {
		_, err := measure.FitProjections(rows, axes, 1)
		return err
	}
	changed := func(change func(*measure.Projections)) error {
		c := fit(t, good, 2, 1)
		change(c)
		return c.Check()
	}
	limit := func(alpha float64, scores ...float64) error {
		_, err := measure.CalibratedLimit(scores, alpha)
		return err
	}
	js := func(r, c [][]uint64) error {
		_, err := measure.SlicedJS(r, c)
		return err
	}
	wasserstein := func(edges []measure.Grid, r, c []measure.Binned) error {
		_, err := measure.SlicedWasserstein(edges, r, c)
		return err
	}
	for what, err := range map[string]error{
		"no rows":              fitted(nil, 2),
		"one row":              fitted(good[:1], 2),
		"no columns":           fitted([][]float64{{}, {}}, 2),
		"ragged rows":          fitted([][]float64{{1, 2}, {1}}, 2),
		"NaN":                  fitted([][]float64{{1, 2}, {1, math.NaN()}}, 2),
		"constant":             fitted([][]float64{{1, 2}, {1, 2}}, 2),
		"no axes":              fitted(good, 0),
		"too many columns":     fitted([][]float64{make([]float64, 5000), slices.Repeat([]float64{1}, 5000)}, 1),
		"project, width":       p.Project([]float64{1}, make([]float64, 2)),
		"project, room":        p.Project([]float64{1, 2}, make([]float64, 1)),
		"project, missing":     p.Project([]float64{1, math.NaN()}, make([]float64, 2)),
		"project, too large":   p.Project([]float64{1, 1e200}, make([]float64, 2)),
		"check, no axes":       changed(func(p *measure.Projections) { p.Axes = nil }),
		"check, axis width":    changed(func(p *measure.Projections) { p.Axes[1] = []float64{1} }),
		"check, axis length":   changed(func(p *measure.Projections) { p.Axes[1] = []float64{1, 1} }),
		"check, scale":         changed(func(p *measure.Projections) { p.Standard.Scale[0] = math.NaN() }),
		"check, no columns":    changed(func(p *measure.Projections) { p.Standard = measure.Standard{} }),
		"check, principal":     changed(func(p *measure.Projections) { p.Principal = 9 }),
		"limit, alpha":         limit(1, 1, 2, 3),
		"limit, too few":       limit(0.05, 1, 2, 3),
		"limit, NaN":           limit(0.5, 1, math.NaN(), 3),
		"js, no slices":        js(nil, nil),
		"js, fewer slices":     js([][]uint64{{1, 2}, {1, 2}}, [][]uint64{{1, 2}}),
		"js, an empty slice":   js([][]uint64{{1, 2}}, [][]uint64{{0, 0}}),
		"wasserstein, grids":   wasserstein(nil, []measure.Binned{{}}, []measure.Binned{{}}),
		"wasserstein, nothing": wasserstein(nil, nil, nil),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v, want undefined", what, err)
		}
	}
}

func FuzzProjections(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 5.0, 8.0, 13.0, uint8(3))
	f.Add(1e140, -1e140, 5e-324, 0.0, 1e-150, math.Inf(1), uint8(1))
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g float64, axes uint8) {
		rows := [][]float64{{a, b}, {c, d}, {e, g}}
		p, err := measure.FitProjections(rows, int(axes%9), 1)
		if err != nil {
			sound(t, "fit", measure.Estimate{}, err)
			return
		}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		into := make([]float64, len(p.Axes))
		for _, row := range append(rows, []float64{measure.MaxMagnitude, -measure.MaxMagnitude}) {
			if err := p.Project(row, into); err != nil {
				t.Fatal(err)
			}
			for _, x := range into {
				if !(math.Abs(x) <= measure.MaxMagnitude) {
					t.Fatalf("%v becomes %v", row, into)
				}
			}
		}
	})
}

func BenchmarkProject(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	rows := make([][]float64, 200)
	for i := range rows {
		rows[i] = make([]float64, 32)
		for j := range rows[i] {
			rows[i][j] = random.NormFloat64()
		}
	}
	p := fit(b, rows, 16, 1)
	into := make([]float64, 16)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := p.Project(rows[i%len(rows)], into); err != nil {
			b.Fatal(err)
		}
	}
}
