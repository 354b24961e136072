package measure_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// tables draws two tables of counts over the same cells, neither empty.
func tables(t *rapid.T) (reference, current []uint64) {
	cells := rapid.IntRange(1, 15).Draw(t, "cells")
	counts := rapid.SliceOfN(rapid.Uint64Range(0, 1_000_000), cells, cells)
	reference, current = counts.Draw(t, "reference"), counts.Draw(t, "current")
	reference[0]++
	current[0]++
	return reference, current
}

func psi(t *rapid.T, reference, current []uint64) float64 {
	e, err := measure.PSI(reference, current)
	if err != nil {
		t.Fatal(err)
	}
	return e.Value
}

func TestPSILaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, current := tables(t)
		value := psi(t, reference, current)
		if !(value >= 0) || math.IsInf(value, 0) {
			t.Fatalf("psi %v", value)
		}
		if back := psi(t, current, reference); math.Abs(back-value) > 1e-12*(1+value) {
			t.Fatalf("psi %v one way, %v the other", value, back)
		}
		if same := psi(t, reference, reference); same != 0 {
			t.Fatalf("psi with itself %v", same)
		}
		order := rapid.Permutation(indexes(len(reference))).Draw(t, "order")
		if moved := psi(t, permute(reference, order), permute(current, order)); math.Abs(moved-value) > 1e-12*(1+value) {
			t.Fatalf("psi %v, in another order %v", value, moved)
		}
	})
}

// Zero means that all floored shares agree, and only that.
func TestPSIIsZeroForEqualSharesOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, current := tables(t)
		factor := rapid.Uint64Range(1, 1000).Draw(t, "factor")
		scaled := make([]uint64, len(reference))
		var n, m float64
		for i, c := range reference {
			scaled[i] = factor * c
			n += float64(c)
			m += float64(current[i])
		}
		if value := psi(t, reference, scaled); value > 1e-25 {
			t.Fatalf("equal shares, psi %v", value)
		}
		differs := false
		for i := range reference {
			r, c := max(float64(reference[i])/n, 1e-4), max(float64(current[i])/m, 1e-4)
			differs = differs || math.Abs(r-c) > 1e-9
		}
		if value := psi(t, reference, current); differs && !(value > 0) {
			t.Fatalf("shares differ, psi %v", value)
		}
	})
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func permute(counts []uint64, order []int) []uint64 {
	out := make([]uint64, len(counts))
	for i, from := range order {
		out[i] = counts[from]
	}
	return out
}

func proportion(t *rapid.T, name string) measure.Proportion {
	total := rapid.Uint64Range(1, 1_000_000).Draw(t, name+" total")
	return measure.Proportion{Favourable: rapid.Uint64Range(0, total).Draw(t, name+" favourable"), Total: total}
}

func TestParityDifferenceLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r := proportion(t, "group"), proportion(t, "reference")
		confidence := rapid.Float64Range(0.5, 0.9999).Draw(t, "confidence")
		e, err := measure.ParityDifference(g, r, confidence)
		if err != nil {
			t.Fatal(err)
		}
		if !(-1 <= *e.Lower && *e.Lower <= e.Value && e.Value <= *e.Upper && *e.Upper <= 1) {
			t.Fatalf("%v not in [%v, %v] or that not in [-1, 1]", e.Value, *e.Lower, *e.Upper)
		}
		swapped, err := measure.ParityDifference(r, g, confidence)
		if err != nil {
			t.Fatal(err)
		}
		if swapped.Value != -e.Value || !close(*swapped.Lower, -*e.Upper) || !close(*swapped.Upper, -*e.Lower) {
			t.Fatalf("swapping the groups does not negate: %v [%v, %v], %v [%v, %v]",
				e.Value, *e.Lower, *e.Upper, swapped.Value, *swapped.Lower, *swapped.Upper)
		}
	})
}

func TestDisparateImpactLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r := proportion(t, "group"), proportion(t, "reference")
		confidence := rapid.Float64Range(0.5, 0.9999).Draw(t, "confidence")
		e, err := measure.DisparateImpact(g, r, confidence)
		if r.Favourable == 0 {
			if !errors.Is(err, measure.ErrUndefined) {
				t.Fatalf("no favourable reference: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !(0 <= *e.Lower && *e.Lower <= e.Value && (e.Upper == nil || e.Value <= *e.Upper)) {
			t.Fatalf("%v not in [%v, %v] or that below 0", e.Value, *e.Lower, e.Upper)
		}
		if g.Favourable == 0 {
			return
		}
		swapped, err := measure.DisparateImpact(r, g, confidence)
		if err != nil {
			t.Fatal(err)
		}
		if !close(swapped.Value*e.Value, 1) || !close(*swapped.Upper**e.Lower, 1) || !close(*swapped.Lower**e.Upper, 1) {
			t.Fatalf("swapping the groups does not invert: %v [%v, %v], %v [%v, %v]",
				e.Value, *e.Lower, *e.Upper, swapped.Value, *swapped.Lower, *swapped.Upper)
		}
	})
}

// The stable form of the lower limit is the textbook's wherever that exists.
func TestRatioLimitIsTheTextbooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(50, 5000).Draw(t, "total")
		g := measure.Proportion{Favourable: rapid.Uint64Range(total/4, total).Draw(t, "group"), Total: total}
		r := measure.Proportion{Favourable: rapid.Uint64Range(total/4, total).Draw(t, "reference"), Total: total}
		e, err := measure.DisparateImpact(g, r, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		l1, _, _ := measure.Wilson(g, 0.95)
		_, u2, _ := measure.Wilson(r, 0.95)
		p1, p2 := float64(g.Favourable)/float64(total), float64(r.Favourable)/float64(total)
		textbook := (p1*p2 - math.Sqrt(math.Max(0, p1*p2*p1*p2-l1*u2*(2*p1-l1)*(2*p2-u2)))) / (u2 * (2*p2 - u2))
		if math.Abs(textbook-*e.Lower) > 1e-7 {
			t.Fatalf("lower limit %v, by the formula %v", *e.Lower, textbook)
		}
	})
}

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(b)) }

// sound says that an estimate is a number or the error says undefined.
func sound(t *testing.T, what string, e measure.Estimate, err error) {
	if err != nil {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Fatalf("%s: %v is not ErrUndefined", what, err)
		}
		return
	}
	for _, v := range []*float64{&e.Value, e.Lower, e.Upper} {
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			t.Fatalf("%s: %v in %+v", what, *v, e)
		}
	}
	if e.Convention == "" {
		t.Fatalf("%s: no convention", what)
	}
}

func FuzzFairness(f *testing.F) {
	f.Add(uint64(0), uint64(50), uint64(500), uint64(1000), 0.95)
	f.Add(uint64(1), uint64(2), uint64(1), uint64(math.MaxUint64), math.Nextafter(1, 0))
	f.Add(uint64(3), uint64(2), uint64(0), uint64(0), math.NaN())
	f.Add(uint64(0), uint64(1), uint64(1), uint64(1), 5e-324)
	f.Fuzz(func(t *testing.T, x1, n1, x2, n2 uint64, confidence float64) {
		g, r := measure.Proportion{Favourable: x1, Total: n1}, measure.Proportion{Favourable: x2, Total: n2}
		e, err := measure.ParityDifference(g, r, confidence)
		sound(t, "difference", e, err)
		e, err = measure.DisparateImpact(g, r, confidence)
		sound(t, "ratio", e, err)
	})
}

func FuzzPSI(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{3, 2, 1}, uint64(1))
	f.Add([]byte{0}, []byte{0}, uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, reference, current []byte, factor uint64) {
		r, c := make([]uint64, len(reference)), make([]uint64, len(current))
		for i, b := range reference {
			r[i] = uint64(b) * factor
		}
		for i, b := range current {
			c[i] = uint64(b)
		}
		e, err := measure.PSI(r, c)
		sound(t, "psi", e, err)
		v, err := measure.PSICritical(r, c)
		sound(t, "critical value", measure.Estimate{Value: v, Convention: "critical"}, err)
	})
}
