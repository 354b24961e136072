package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// fitKernel fits projections and kernel, and makes its embedder.
func fitKernel(t rapid.TB, rows [][]float64, frequencies int, seed uint64) (*measure.Projections, *measure.Kernel, *measure.Embedder) {
	t.Helper()
	p, err := measure.FitProjections(rows, 1, seed)
	if err != nil {
		t.Fatal(err)
	}
	k, err := measure.FitKernel(&p.Standard, rows, frequencies, seed)
	if err != nil {
		t.Fatal(err)
	}
	e, err := k.Embedder(&p.Standard)
	if err != nil {
		t.Fatal(err)
	}
	return p, k, e
}

func embed(t rapid.TB, e *measure.Embedder, rows [][]float64) []float64 {
	t.Helper()
	sums := make([]float64, e.Size())
	for i, row := range rows {
		if !e.Add(row, sums) {
			t.Fatalf("row %d was refused", i)
		}
	}
	return sums
}

// The law that lets a window keep sums in place of rows, whatever the parts that
// they were added up from.
func TestKernelOnSumsIsMMDOnRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frequencies := rapid.SampledFrom([]int{1, 7, 64, 65, 130}).Draw(t, "frequencies")
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 1))
		n, m := rapid.IntRange(3, 60).Draw(t, "reference"), rapid.IntRange(2, 60).Draw(t, "current")
		shift := rapid.Float64Range(0, 3).Draw(t, "shift")
		columns := rapid.IntRange(1, 5).Draw(t, "columns")
		draw := func(rows int, shift float64) [][]float64 {
			out := make([][]float64, rows)
			for i := range out {
				out[i] = make([]float64, columns)
				for j := range out[i] {
					out[i][j] = math.Pow(10, float64(j)) * (random.NormFloat64() + shift)
				}
			}
			return out
		}
		reference, current := draw(n, 0), draw(m, shift)
		onRows, err := measure.MMD(reference, current, measure.MMDOptions{Frequencies: frequencies, Seed: seed})
		_, k, e := fitKernel(t, reference, frequencies, seed)
		if k.Bandwidth != onRows.Bandwidth && err == nil {
			t.Fatalf("bandwidth %v, of the rows %v", k.Bandwidth, onRows.Bandwidth)
		}
		sums := make([]float64, e.Size())
		for _, part := range [][][]float64{current[:m/2], current[m/2:]} {
			for i, s := range embed(t, e, part) {
				sums[i] += s
			}
		}
		onSums, errSums := k.MMD(sums, uint64(m))
		if errors.Is(err, measure.ErrUndefined) != errors.Is(errSums, measure.ErrUndefined) {
			t.Fatalf("%v, of the rows %v", errSums, err)
		}
		if err != nil {
			return
		}
		// The squares are what is computed; near 0 their root magnifies rounding.
		if math.Abs(onSums.Value*onSums.Value-onRows.Estimate.Value*onRows.Estimate.Value) > 1e-9*(1+onSums.Value*onSums.Value) ||
			onSums.Samples != uint64(m) || onSums.Convention != measure.ConventionMMD {
			t.Fatalf("%+v, of the rows %+v", onSums, onRows.Estimate)
		}
	})
}

func TestKernelIsData(t *testing.T) {
	rows := factors(1, 300)
	p, k, e := fitKernel(t, rows, 32, 9)
	raw, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var stored measure.Kernel
	if err := json.Unmarshal(raw, &stored); err != nil || !reflect.DeepEqual(*k, stored) {
		t.Fatalf("stored and read again: %v", err)
	}
	again, err := stored.Embedder(&p.Standard)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := embed(t, e, rows), embed(t, again, rows); !reflect.DeepEqual(a, b) || !reflect.DeepEqual(a, k.Sums) {
		t.Error("another embedder of the same kernel gives other sums")
	}
	length := 0.0
	for _, x := range embed(t, e, rows[:1]) {
		length += x * x
	}
	near(t, "length of an embedding", length, 1, 1e-12)
}

func TestEmbedderRefusesAndLeavesAlone(t *testing.T) {
	_, _, e := fitKernel(t, factors(1, 50), 8, 1)
	good := factors(2, 1)[0]
	sums := embed(t, e, [][]float64{good})
	before := append([]float64(nil), sums...)
	bad := func(x float64) []float64 {
		row := append([]float64(nil), good...)
		row[9] = x
		return row
	}
	for what, row := range map[string][]float64{
		"missing": bad(math.NaN()), "infinite": bad(math.Inf(-1)), "too large": bad(1e200), "short": good[:9], "nil": nil,
	} {
		if e.Add(row, sums) || !reflect.DeepEqual(sums, before) {
			t.Errorf("%s: added", what)
		}
	}
	if e.Add(good, sums[:3]) {
		t.Error("added to sums of another length")
	}
	if n := testing.AllocsPerRun(100, func() { e.Add(good, sums) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func TestKernelUndefined(t *testing.T) {
	rows := correlated(1, 40, 0, 0)
	p, k, _ := fitKernel(t, rows, 4, 1)
	fitted := func(standard *measure.Standard, rows [][]float64, frequencies int) error {
		_, err := measure.FitKernel(standard, rows, frequencies, 1)
		return err
	}
	changed := func(change func(*measure.Kernel)) error {
		c := *k
		c.Sums = append([]float64(nil), k.Sums...)
		change(&c)
		return c.Validate()
	}
	scored := func(sums []float64, rows uint64) error {
		_, err := k.MMD(sums, rows)
		return err
	}
	equal := append(correlated(2, 1, 0, 0), make([][]float64, 20)...)
	for i := range equal[1:] {
		equal[1+i] = []float64{1, 1}
	}
	if err := k.Validate(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"no frequencies":    fitted(&p.Standard, rows, 0),
		"many frequencies":  fitted(&p.Standard, rows, 5000),
		"one row":           fitted(&p.Standard, rows[:1], 4),
		"another width":     fitted(&p.Standard, [][]float64{{1}, {2}}, 4),
		"NaN":               fitted(&p.Standard, [][]float64{{1, 2}, {math.NaN(), 2}}, 4),
		"no standard":       fitted(&measure.Standard{}, rows, 4),
		"mostly equal":      fitted(&p.Standard, equal, 4),
		"sums":              changed(func(k *measure.Kernel) { k.Sums = k.Sums[1:] }),
		"sums, too large":   changed(func(k *measure.Kernel) { k.Sums[2] = 41 }),
		"sums, NaN":         changed(func(k *measure.Kernel) { k.Sums[0] = math.NaN() }),
		"bandwidth":         changed(func(k *measure.Kernel) { k.Bandwidth = 0 }),
		"rows":              changed(func(k *measure.Kernel) { k.Rows = 1 }),
		"frequencies":       changed(func(k *measure.Kernel) { k.Frequencies = -1 }),
		"one current row":   scored(k.Sums, 1),
		"other sums":        scored(k.Sums[:2], 40),
		"impossible sums":   scored(k.Sums, 2),
		"an infinite sum":   scored([]float64{math.Inf(1), 0, 0, 0, 0, 0, 0, 0}, 40),
		"a sum that is NaN": scored([]float64{math.NaN(), 0, 0, 0, 0, 0, 0, 0}, 40),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v, want undefined", what, err)
		}
	}
	if _, err := k.Embedder(&measure.Standard{}); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("embedder without a standard: %v", err)
	}
}

func BenchmarkEmbed(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	rows := make([][]float64, 200)
	for i := range rows {
		rows[i] = make([]float64, 20)
		for j := range rows[i] {
			rows[i][j] = random.NormFloat64()
		}
	}
	for _, frequencies := range []int{64, 256} {
		b.Run(strconv.Itoa(frequencies), func(b *testing.B) {
			_, k, e := fitKernel(b, rows, frequencies, 1)
			sums := make([]float64, len(k.Sums))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e.Add(rows[i%len(rows)], sums)
			}
		})
	}
}
