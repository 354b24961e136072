package category

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestOfNumber(t *testing.T) {
	for x, want := range map[float64]string{
		1: "1", -2.5: "-2.5", 1e6: "1000000", 1e21: "1e+21", 1e-6: "0.000001", 1e-7: "1e-07", 0: "0",
	} {
		if got := OfNumber(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
	if got := OfNumber(math.Copysign(0, -1)); got != "0" {
		t.Errorf("minus zero: %q", got)
	}
}

func TestNumberReadsWhatOfNumberWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64().Draw(t, "x")
		if back, ok := Number(OfNumber(x)); !ok || back != x {
			t.Fatalf("%v became %v", x, back)
		}
	})
	for text, want := range map[string]float64{"true": 1, "false": 0, "1.0": 1} {
		if got, ok := Number(text); !ok || got != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "yes", "True", "1,5"} {
		if _, ok := Number(text); ok {
			t.Errorf("%q is no number", text)
		}
	}
}

// Whatever parses is a number here, and plain words cost nothing.
func TestNumberIsWhatParses(t *testing.T) {
	for _, text := range []string{"inf", "-Inf", "+infinity", "NaN", "nan", ".5", "+1", "0x1p-2", "1e3"} {
		want, err := strconv.ParseFloat(text, 64)
		if got, ok := Number(text); !ok || err != nil || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q: %v, %v; it parses as %v", text, got, ok, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("0123456789+-._eExXpPinfINFatyNAruls "))).Draw(t, "text")
		_, err := strconv.ParseFloat(text, 64)
		if _, ok := Number(text); ok != (err == nil) && text != "true" && text != "false" {
			t.Fatalf("%q: %v, but parsing says %v", text, ok, err)
		}
	})
	if n := testing.AllocsPerRun(100, func() { Number("rejected") }); n != 0 {
		t.Errorf("a plain word takes %v allocations", n)
	}
}
