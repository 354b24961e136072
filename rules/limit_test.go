package rules

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestLimits(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		limit        string
		good, bad    []float64
		lower, upper *float64
		excludes     bool
		allows       bool
	}{
		{"> 0.25", []float64{0.25, -1}, []float64{0.2500001}, f(0.26), f(0.4), true, false},
		{">= 1", []float64{0.999}, []float64{1, 2}, f(0.5), f(0.9), false, true},
		{"< 0.8", []float64{0.8, 1}, []float64{0.79}, f(0.7), f(0.79), true, false},
		{"<= 0", []float64{0.1}, []float64{0, -1}, f(0.1), nil, false, true},
		{"outside [-0.1, 0.1]", []float64{-0.1, 0, 0.1}, []float64{-0.11, 0.11}, f(-0.3), f(-0.11), true, false},
		{"outside [-0.1,0.1]", nil, nil, f(-0.3), f(-0.05), false, false},
		{"outside [ -1e-1 , 0.1 ]", nil, nil, f(-0.05), f(0.1), false, true},
		{"> 0.25", nil, nil, nil, f(0.4), false, false},
	} {
		l, err := ParseLimit(c.limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range c.good {
			if l.Breached(v) {
				t.Errorf("%s: %v breaches", c.limit, v)
			}
		}
		for _, v := range c.bad {
			if !l.Breached(v) {
				t.Errorf("%s: %v does not breach", c.limit, v)
			}
		}
		if got := l.Excludes(c.lower, c.upper); got != c.excludes {
			t.Errorf("%s excludes: %v", c.limit, got)
		}
		if got := l.Allows(c.lower, c.upper); got != c.allows {
			t.Errorf("%s allows: %v", c.limit, got)
		}
	}
	for _, bad := range []string{"", "0.25", "> x", "> NaN", "> Inf", "=> 1", "outside [1, 0]", "outside [0, 0]", "outside 0, 1", "> 1 > 2", "inside [0, 1]"} {
		if l, err := ParseLimit(bad); err == nil {
			t.Errorf("%q is read as %s", bad, l)
		}
	}
}

func limits() *rapid.Generator[Limit] {
	return rapid.Custom(func(t *rapid.T) Limit {
		a := rapid.Float64Range(-4, 4).Draw(t, "a")
		switch op := rapid.SampledFrom([]string{">", ">=", "<", "<=", outside}).Draw(t, "op"); op {
		case outside:
			return Limit{op: op, a: a, b: a + rapid.Float64Range(0.1, 4).Draw(t, "width")}
		default:
			return Limit{op: op, a: a}
		}
	})
}

// An interval agrees with the values in it, and text with what it stands for.
func TestLimitLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := limits().Draw(t, "limit")
		lower := rapid.Float64Range(-5, 5).Draw(t, "lower")
		upper := lower + rapid.Float64Range(0, 5).Draw(t, "width")
		inside := lower + rapid.Float64Range(0, 1).Draw(t, "share")*(upper-lower)
		if l.Excludes(&lower, &upper) && !l.Breached(inside) {
			t.Fatalf("%s excludes [%v, %v] but allows %v", l, lower, upper, inside)
		}
		if l.Allows(&lower, &upper) && l.Breached(inside) {
			t.Fatalf("%s allows [%v, %v] but not %v", l, lower, upper, inside)
		}
		again, err := ParseLimit(l.String())
		if err != nil || again != l {
			t.Fatalf("%s reads back as %v, %v", l, again, err)
		}
	})
}

func TestCoversLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		warn, fail := limits().Draw(t, "warn"), limits().Draw(t, "fail")
		if !warn.Covers(fail) {
			return
		}
		for _, v := range []float64{fail.a, fail.b, rapid.Float64Range(-10, 10).Draw(t, "v"), math.Nextafter(fail.a, -9), math.Nextafter(fail.a, 9)} {
			if fail.Breached(v) && !warn.Breached(v) {
				t.Fatalf("%s covers %s, but not at %v", warn, fail, v)
			}
		}
	})
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"> 0.25", "outside [-0.1, 0.1]", "<=0", "> 0x1p-2", "outside[0,1e308]", ">-0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLimit(s)
		if err != nil {
			return
		}
		again, err := ParseLimit(l.String())
		if err != nil || again != l {
			t.Fatalf("%q is %q, which reads back as %v, %v", s, l, again, err)
		}
	})
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"2 windows", "1 window", "30s", "7d", "0.5d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		span, err := ParseSpan(s)
		if err != nil {
			return
		}
		again, err := ParseSpan(span.String())
		if err != nil || again != span {
			t.Fatalf("%q is %q, which reads back as %v, %v", s, span, again, err)
		}
		if n := span.Evaluations(15e9); n < 1 {
			t.Fatalf("%q takes %d evaluations", s, n)
		}
	})
}

// A rule file either gives rules that hold together, or says where it is wrong.
func FuzzDecodePack(f *testing.F) {
	for _, name := range Shipped() {
		raw, err := packs.ReadFile("packs/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("pack: a\nversion: 1\nrules: [{id: X-1, for: 0 windows, fail: [1]}]"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, faults := decodePack("f.yaml", raw, nil)
		if len(faults) > 0 {
			return
		}
		for _, r := range found {
			if r.Fail.IsZero() || r.Monitors == "" || r.Responsible.Evaluate == "" || r.Method.Window <= 0 || r.Step() <= 0 {
				t.Fatalf("loaded without what clause 9.1 asks for: %+v", r.Rule)
			}
			if newEffective(r.Rule, nil).Digest == "" {
				t.Fatal("no digest")
			}
		}
	})
}
