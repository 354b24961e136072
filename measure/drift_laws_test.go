package measure_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// distances are the measures on shares, with the most that each can be.
var distances = map[string]struct {
	of   func(reference, current []uint64) (measure.Estimate, error)
	most float64
}{
	"js":        {measure.JS, math.Sqrt(math.Ln2)},
	"js base 2": {measure.JSBits, 1},
	"hellinger": {measure.Hellinger, 1},
	"tvd":       {measure.TVD, 1},
	"linf":      {measure.LInf, 1},
}

func TestDistanceLaws(t *testing.T) {
	for name, d := range distances {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			reference, current := tables(t)
			of := func(r, c []uint64) float64 { return must[measure.Estimate](t)(d.of(r, c)).Value }
			value := of(reference, current)
			if !(value >= 0 && value <= d.most) {
				t.Fatalf("%v is not within [0, %v]", value, d.most)
			}
			if back := of(current, reference); back != value {
				t.Fatalf("%v one way, %v the other", value, back)
			}
			if same := of(reference, reference); same != 0 {
				t.Fatalf("%v with itself", same)
			}
			order := rapid.Permutation(indexes(len(reference))).Draw(t, "order")
			if moved := of(permute(reference, order), permute(current, order)); !close(moved, value) {
				t.Fatalf("%v, in another order %v", value, moved)
			}
			third := slices.Clone(current)
			slices.Reverse(third)
			if value > of(reference, third)+of(third, current)+1e-12 {
				t.Fatal("a detour is shorter: no metric")
			}
			disjoint := make([]uint64, 2*len(reference))
			shifted := make([]uint64, 2*len(reference))
			copy(disjoint, reference)
			copy(shifted[len(reference):], current)
			if most := of(disjoint, shifted); name != "linf" && !close(most, d.most) {
				t.Fatalf("disjoint tables: %v, want %v", most, d.most)
			}
		}))
	}
}

// LInf <= TVD, and Hellinger^2 <= TVD <= sqrt(2) Hellinger; the limits between
// them are the same statement in other words, so they must hold.
func TestDistancesAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, current := tables(t)
		value := func(name string) float64 {
			return must[measure.Estimate](t)(distances[name].of(reference, current)).Value
		}
		h, tvd := value("hellinger"), value("tvd")
		if value("linf") > tvd+1e-12 || h*h > tvd+1e-12 || tvd > math.Sqrt2*h+1e-12 {
			t.Fatalf("linf %v, tvd %v, hellinger %v", value("linf"), tvd, h)
		}
		if js := value("js"); js*js > h*h+1e-12 || h*h > 2*js*js+1e-12 {
			t.Fatalf("js %v, hellinger %v", js, h)
		}
	})
}

// samples draws two ascending samples with ties, and edges among them.
func samples(t *rapid.T) (g measure.Grid, reference, current []float64) {
	value := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-40, 40).Draw(t, "x")) / 4 })
	draw := func(name string) []float64 {
		return slices.Sorted(slices.Values(rapid.SliceOfN(value, 2, 60).Draw(t, name)))
	}
	edges := slices.Sorted(slices.Values(rapid.SliceOfNDistinct(value, 1, 12, rapid.ID[float64]).Draw(t, "edges")))
	return edges, draw("reference"), draw("current")
}

func TestKSLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r, c := samples(t)
		exact := must[measure.KSResult](t)(measure.KSExact(r, c, 0.95))
		cells := must[measure.KSResult](t)(measure.KS(count(g, r), count(g, c), 0.95))
		if !(cells.Value <= exact.Value+1e-12 && exact.Value <= cells.Bound+1e-12 && cells.P >= exact.P-1e-12) {
			t.Fatalf("exact %+v, from bins %+v", exact, cells)
		}
		for _, k := range []measure.KSResult{exact, cells} {
			if !(0 <= *k.Lower && *k.Lower <= k.Value && k.Value <= k.Bound && k.Bound <= *k.Upper && *k.Upper <= 1 && k.P >= 0 && k.P <= 1) {
				t.Fatalf("%+v is out of order: [%v, %v]", k, *k.Lower, *k.Upper)
			}
		}
		if back := must[measure.KSResult](t)(measure.KSExact(c, r, 0.95)); back.Value != exact.Value {
			t.Fatalf("%v one way, %v the other", exact.Value, back.Value)
		}
		reversed := func(counts []uint64) []uint64 {
			out := slices.Clone(counts)
			slices.Reverse(out)
			return out
		}
		back := must[measure.KSResult](t)(measure.KS(reversed(count(g, r)), reversed(count(g, c)), 0.95))
		if !close(back.Value, cells.Value) || !close(back.Bound, cells.Bound) {
			t.Fatalf("%+v, the other way round %+v", cells, back)
		}
		most := 0.0
		for x := -11.0; x <= 11; x += 0.25 { // by the definition
			f, _ := slices.BinarySearch(r, math.Nextafter(x, 20))
			g, _ := slices.BinarySearch(c, math.Nextafter(x, 20))
			most = max(most, math.Abs(float64(f)/float64(len(r))-float64(g)/float64(len(c))))
		}
		if exact.Value != most {
			t.Fatalf("exact %v, by the definition %v", exact.Value, most)
		}
	})
}

func TestWassersteinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r, c := samples(t)
		e, err := measure.Wasserstein(g, binned(g, r), binned(g, c))
		exact, errExact := measure.WassersteinExact(r, c)
		if r[0] == r[len(r)-1] {
			if !errors.Is(err, measure.ErrUndefined) || !errors.Is(errExact, measure.ErrUndefined) {
				t.Fatalf("a constant reference: %v and %v", err, errExact)
			}
			return
		}
		if err != nil || errExact != nil {
			t.Fatal(err, errExact)
		}
		if same := must[measure.Estimate](t)(measure.Wasserstein(g, binned(g, r), binned(g, r))); same.Value != 0 {
			t.Fatalf("%v with itself", same.Value)
		}
		// Neither can be more than all rows moving across the whole range, and the
		// exact one is at least the difference of the means.
		shift := must[measure.Tested](t)(measure.MeanShift(binned(g, r).Moments, binned(g, c).Moments, 0.95))
		m := binned(g, r).Moments
		deviation := math.Sqrt(m.SumSquares/float64(m.N) - m.Sum/float64(m.N)*m.Sum/float64(m.N))
		most := (max(r[len(r)-1], c[len(c)-1], g[len(g)-1]) - min(r[0], c[0], g[0])) / deviation
		if !(exact.Value >= math.Abs(shift.Value)-1e-9 && exact.Value <= most+1e-9 && e.Value >= 0 && e.Value <= most+1e-9) {
			t.Fatalf("exact %v, on the grid %v, means %v apart, at most %v", exact.Value, e.Value, shift.Value, most)
		}
	})
}

// With an edge at every value but the ends' the grid knows all that matters.
func TestWassersteinOnAFineGridIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, r, c := samples(t)
		r, c = append([]float64{-11}, append(r, 11)...), append([]float64{-11}, append(c, 11)...)
		var g measure.Grid
		for x := -10.5; x <= 10.5; x += 0.25 {
			g = append(g, math.Nextafter(x, -20), x)
		}
		e := must[measure.Estimate](t)(measure.Wasserstein(g, binned(g, r), binned(g, c)))
		exact := must[measure.Estimate](t)(measure.WassersteinExact(r, c))
		if math.Abs(e.Value-exact.Value) > 1e-6 {
			t.Fatalf("on the grid %v, exact %v", e.Value, exact.Value)
		}
	})
}

// A window counted in parts and merged is the window.
func TestMergedPartsScoreAsTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r, c := samples(t)
		cut := rapid.IntRange(0, len(c)).Draw(t, "cut")
		whole, merged, rest := binned(g, c), binned(g, c[:cut]), binned(g, c[cut:])
		for i, n := range rest.Counts {
			merged.Counts[i] += n
		}
		merged.Moments.Merge(rest.Moments)
		for what, of := range map[string]func(measure.Binned) (measure.Estimate, error){
			"ks": func(b measure.Binned) (measure.Estimate, error) {
				k, err := measure.KS(count(g, r), b.Counts, 0.95)
				return k.Estimate, err
			},
			"wasserstein": func(b measure.Binned) (measure.Estimate, error) { return measure.Wasserstein(g, binned(g, r), b) },
			"mean": func(b measure.Binned) (measure.Estimate, error) {
				s, err := measure.MeanShift(binned(g, r).Moments, b.Moments, 0.95)
				return s.Estimate, err
			},
		} {
			a, errA := of(whole)
			b, errB := of(merged)
			if (errA == nil) != (errB == nil) || !close(a.Value, b.Value) {
				t.Fatalf("%s: whole %v %v, merged %v %v", what, a.Value, errA, b.Value, errB)
			}
		}
	})
}

// Moving and stretching both samples changes nothing that has no unit.
func TestShiftsHaveNoUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r, c := samples(t)
		if r[0] == r[len(r)-1] || c[0] == c[len(c)-1] {
			return
		}
		factor, offset := rapid.Float64Range(0.1, 100).Draw(t, "factor"), rapid.Float64Range(-50, 50).Draw(t, "offset")
		other := func(x []float64) measure.Moments {
			var m measure.Moments
			for _, v := range x {
				m.Add(v*factor + offset)
			}
			return m
		}
		mr, mc := binned(g, r).Moments, binned(g, c).Moments
		a := must[measure.Tested](t)(measure.MeanShift(mr, mc, 0.9))
		b := must[measure.Tested](t)(measure.MeanShift(other(r), other(c), 0.9))
		v := must[measure.Tested](t)(measure.VarianceRatio(mr, mc))
		w := must[measure.Tested](t)(measure.VarianceRatio(other(r), other(c)))
		for what, pair := range map[string][2]float64{
			"mean shift": {a.Value, b.Value}, "lower": {*a.Lower, *b.Lower}, "upper": {*a.Upper, *b.Upper}, "p": {a.P, b.P},
			"variance ratio": {v.Value, w.Value}, "its p": {v.P, w.P},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-6*(1+math.Abs(pair[0])) {
				t.Fatalf("%s: %v, in another unit %v", what, pair[0], pair[1])
			}
		}
		if !(*a.Lower <= a.Value && a.Value <= *a.Upper && a.P >= 0 && a.P <= 1 && v.P >= 0 && v.P <= 1) {
			t.Fatalf("%+v, %+v", a, v)
		}
		if outside := *a.Lower > 0 || *a.Upper < 0; outside != (a.P < 0.1) && math.Abs(a.P-0.1) > 1e-6 {
			t.Fatalf("p %v, but the interval is [%v, %v]", a.P, *a.Lower, *a.Upper)
		}
	})
}

func TestContingencyLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, current := tables(t)
		r, err := measure.Contingency(reference, current)
		order := rapid.Permutation(indexes(len(reference))).Draw(t, "order")
		moved, errMoved := measure.Contingency(permute(reference, order), permute(current, order))
		if (err == nil) != (errMoved == nil) || r != moved {
			t.Fatalf("%+v %v, in another order %+v %v", r, err, moved, errMoved)
		}
		if err != nil {
			return
		}
		if !(r.ChiSquare.Value >= 0 && r.P >= 0 && r.P <= 1 && r.V.Value >= 0 && r.V.Value <= 1 && r.Critical > 0) {
			t.Fatalf("%+v", r)
		}
		if same, err := measure.Contingency(reference, reference); err == nil && (same.ChiSquare.Value != 0 || same.P != 1) {
			t.Fatalf("with itself: %+v", same)
		}
		if r.Pooled == 0 {
			if back := must[measure.ContingencyResult](t)(measure.Contingency(current, reference)); !close(back.ChiSquare.Value, r.ChiSquare.Value) {
				t.Fatalf("%v one way, %v the other", r.ChiSquare.Value, back.ChiSquare.Value)
			}
		}
	})
}

func TestBenjaminiHochbergLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		adjusted := must[[]float64](t)(measure.BenjaminiHochberg(p))
		q := rapid.Float64Range(0.001, 0.5).Draw(t, "q")
		// Those at most q are the k smallest p, with the largest k that has
		// p_(k) <= q k / n: the procedure as its authors wrote it.
		sorted := slices.Sorted(slices.Values(p))
		discoveries := 0
		for k := len(p); k >= 1 && discoveries == 0; k-- {
			if sorted[k-1]*(float64(len(p))/float64(k)) <= q {
				discoveries = k
			}
		}
		found := 0
		for i := range p {
			if adjusted[i] < p[i] || adjusted[i] > 1 {
				t.Fatalf("%v became %v", p[i], adjusted[i])
			}
			if adjusted[i] <= q {
				found++
			}
		}
		if found != discoveries {
			t.Fatalf("%d found, %d by the procedure", found, discoveries)
		}
	})
}

func TestMovesLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, current := tables(t)
		labels := make([]string, len(reference))
		for i := range labels {
			labels[i] = fmt.Sprint("cell ", i)
		}
		moves := must[[]measure.Move](t)(measure.Moves(labels, reference, current))
		var net, gross float64
		for i, m := range moves {
			net += m.Change()
			gross += math.Abs(m.Change())
			if i > 0 && math.Abs(m.Change()) > math.Abs(moves[i-1].Change()) {
				t.Fatal("not in order")
			}
		}
		tvd := must[measure.Estimate](t)(measure.TVD(reference, current)).Value
		if math.Abs(net) > 1e-12 || !close(gross/2, tvd) {
			t.Fatalf("net %v, half of the gross %v, tvd %v", net, gross/2, tvd)
		}
	})
}

// More rows show smaller shifts; more confidence or power, larger ones.
func TestSmallestVisibleLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.Uint64Range(50, 1e6).Draw(t, "n"), rapid.Uint64Range(50, 1e6).Draw(t, "m")
		share, cells := rapid.Float64Range(0, 1).Draw(t, "share"), rapid.IntRange(2, 50).Draw(t, "cells")
		psi := func(n, m uint64, confidence, power float64) float64 {
			return must[float64](t)(measure.SmallestPSI(cells, n, m, confidence, power))
		}
		difference := func(n, m uint64, confidence, power float64) float64 {
			return must[float64](t)(measure.SmallestDifference(share, n, m, confidence, power))
		}
		for _, f := range []func(n, m uint64, confidence, power float64) float64{psi, difference} {
			base := f(n, m, 0.95, 0.8)
			if !(base > 0 && f(2*n, 2*m, 0.95, 0.8) < base && f(n, m, 0.99, 0.8) > base && f(n, m, 0.95, 0.9) > base) {
				t.Fatalf("%v does not move as it must", base)
			}
		}
	})
}

// Whatever the counts, sums and values, a measure answers with a number or says
// that it is undefined.
func FuzzDrift(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{3, 2, 1}, uint64(1), 0.5, 4.0, 9.0, -1.0, 2.0)
	f.Add([]byte{0, 0}, []byte{0, 1}, uint64(math.MaxUint64), math.NaN(), math.Inf(1), 0.0, 0.0, 0.0)
	f.Add([]byte{255, 0, 7}, []byte{0, 255, 1}, uint64(1<<50), 1e140, 1e280, 1e300, -1e140, 1e140)
	f.Add([]byte{7, 1, 2}, []byte{1, 1, 1}, uint64(1), 1e-170, 3e-170, 5e-320, 0.0, 2e-170)
	f.Add([]byte{1, 2, 3}, []byte{9, 9, 9}, uint64(3), 5e-324, 0.0, 1e-320, 0.0, 5e-324)
	f.Fuzz(func(t *testing.T, reference, current []byte, factor uint64, scale, sum, squares, least, greatest float64) {
		r, c := make([]uint64, len(reference)), make([]uint64, len(current))
		for i, b := range reference {
			r[i] = uint64(b) * factor
		}
		for i, b := range current {
			c[i] = uint64(b)
		}
		for name, d := range distances {
			e, err := d.of(r, c)
			sound(t, name, e, err)
		}
		k, err := measure.KS(r, c, 0.95)
		sound(t, "ks", k.Estimate, err)
		chance(t, "ks", k.P, err)
		table, err := measure.Contingency(r, c)
		sound(t, "chi2", table.ChiSquare, err)
		sound(t, "cramers_v", table.V, err)
		chance(t, "chi2", table.P, err)

		var g measure.Grid
		for i := 1; i < len(reference); i++ {
			g = append(g, float64(i)*scale)
		}
		var n uint64
		for _, b := range current {
			n += uint64(b)
		}
		odd := measure.Moments{N: n, Sum: sum, SumSquares: squares, Min: least, Max: greatest}
		var good measure.Moments
		for i := range current {
			good.Add(float64(i%7) * 0.5)
		}
		for _, pair := range [][2]measure.Moments{{odd, good}, {good, odd}, {odd, odd}} {
			e, err := measure.Wasserstein(g, measure.Binned{Counts: r, Moments: pair[0]}, measure.Binned{Counts: c, Moments: pair[1]})
			sound(t, "wasserstein", e, err)
			e, err = measure.Wasserstein(g, measure.Binned{Counts: c, Moments: pair[0]}, measure.Binned{Counts: c, Moments: pair[1]})
			sound(t, "wasserstein", e, err)
			s, err := measure.MeanShift(pair[0], pair[1], 0.95)
			sound(t, "mean shift", s.Estimate, err)
			chance(t, "mean shift", s.P, err)
			s, err = measure.VarianceRatio(pair[0], pair[1])
			sound(t, "variance ratio", s.Estimate, err)
			chance(t, "variance ratio", s.P, err)
		}
		raw := []float64{least, sum, greatest, scale}
		e, err := measure.WassersteinExact(raw, raw[:2])
		sound(t, "exact wasserstein", e, err)
		k, err = measure.KSExact(raw, raw[:2], 0.95)
		sound(t, "exact ks", k.Estimate, err)
	})
}

// chance says that a p-value is one.
func chance(t *testing.T, what string, p float64, err error) {
	if err == nil && !(p >= 0 && p <= 1) {
		t.Fatalf("%s: p is %v", what, p)
	}
}

func FuzzSmallestVisible(f *testing.F) {
	f.Add(10, uint64(1000), uint64(100), 0.95, 0.8, 0.3)
	f.Add(10_000, uint64(1), uint64(math.MaxUint64), math.Nextafter(1, 0), math.Nextafter(1, 0), 0.0)
	f.Add(2, uint64(1), uint64(1), 5e-324, 0.999, 1.0)
	f.Fuzz(func(t *testing.T, cells int, n, m uint64, confidence, power, share float64) {
		v, err := measure.SmallestPSI(cells, n, m, confidence, power)
		sound(t, "smallest psi", measure.Estimate{Value: v, Convention: "psi"}, err)
		v, err = measure.SmallestDifference(share, n, m, confidence, power)
		sound(t, "smallest difference", measure.Estimate{Value: v, Convention: "share"}, err)
	})
}
