package measure_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// band allows the values from low to high.
type band struct{ low, high float64 }

func (b band) Breached(v float64) bool { return v < b.low || v > b.high }

func (b band) Excludes(lower, upper *float64) bool {
	return lower != nil && *lower > b.high || upper != nil && *upper < b.low
}

func (b band) Allows(lower, upper *float64) bool {
	return (math.IsInf(b.low, 0) || lower != nil && *lower >= b.low) && (math.IsInf(b.high, 0) || upper != nil && *upper <= b.high)
}

var (
	inf      = math.Inf(1)
	anything = band{-inf, inf}
)

func TestDecide(t *testing.T) {
	point := measure.Requirement{Fail: band{-inf, 0.25}, Warn: band{-inf, 0.1}, MinSamples: 100}
	confident := measure.Requirement{Fail: band{-0.1, 0.1}, Warn: anything, Confident: true, MinSamples: 100, Margin: 0.1}
	warning := confident
	warning.Warn = band{-0.02, 0.02}
	for _, c := range []struct {
		name                string
		by                  measure.Requirement
		value, lower, upper float64 // inf: no limit
		samples             uint64
		want                measure.Ground
	}{
		{"below", point, 0.05, inf, inf, 1000, measure.GroundAllowed},
		{"at the warning", point, 0.1, inf, inf, 1000, measure.GroundAllowed},
		{"warns", point, 0.2, inf, inf, 1000, measure.GroundWarned},
		{"fails", point, 0.26, inf, inf, 100, measure.GroundBreached},
		{"few samples", point, 0.9, inf, inf, 99, measure.GroundFewSamples},
		{"not a number", point, math.NaN(), inf, inf, 1000, measure.GroundNotFinite},
		{"infinite", confident, -inf, inf, inf, 1000, measure.GroundNotFinite},
		{"interval excludes the band", confident, -0.3, -0.4, -0.2, 1000, measure.GroundBreached},
		{"few samples never hide a fail", confident, 0.9, 0.7, 0.95, 3, measure.GroundBreached},
		{"few samples hide a pass", confident, 0, -0.05, 0.05, 3, measure.GroundFewSamples},
		{"interval in the band", confident, 0.01, -0.09, 0.1, 1000, measure.GroundAllowed},
		{"interval in the band, warned", warning, 0.05, -0.01, 0.1, 1000, measure.GroundWarned},
		{"value out, interval in part", confident, 0.12, 0.09, 0.15, 1000, measure.GroundInconclusive},
		{"value in, interval narrow", confident, 0.05, -0.04, 0.14, 1000, measure.GroundNotShown},
		{"value in, interval narrow, warned", warning, 0.05, -0.04, 0.14, 1000, measure.GroundWarned},
		{"value in, interval wide", confident, 0.05, -0.2, 0.3, 1000, measure.GroundUnderpowered},
		{"value in, no upper limit", confident, 0.05, -0.04, inf, 1000, measure.GroundUnderpowered},
		{"only a lower limit, beyond", confident, 0.3, 0.2, inf, 1000, measure.GroundBreached},
		{"no interval", confident, 0.3, inf, inf, 1000, measure.GroundInconclusive},
	} {
		e := &measure.Estimate{Value: c.value, Samples: c.samples}
		if c.lower != inf {
			e.Lower = &c.lower
		}
		if c.upper != inf {
			e.Upper = &c.upper
		}
		if got := measure.Decide(e, c.by); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := measure.Decide(nil, point); got != measure.GroundAbsent {
		t.Errorf("nothing: %s", got)
	}
}

// What is proved stays proved: more samples and a narrower interval around the
// same value never turn a breach into anything else, and a breach of the value
// never passes.
func TestDecideLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		by := measure.Requirement{
			Fail: rapid.SampledFrom([]band{{-inf, 0.2}, {0.8, inf}, {-0.1, 0.1}}).Draw(t, "limit"), Warn: anything, Confident: true,
			MinSamples: rapid.Uint64Range(0, 50).Draw(t, "min"), Margin: rapid.Float64Range(0, 1).Draw(t, "margin"),
		}
		value := rapid.Float64Range(-2, 2).Draw(t, "value")
		lower, upper := value-rapid.Float64Range(0, 1).Draw(t, "below"), value+rapid.Float64Range(0, 1).Draw(t, "above")
		e := &measure.Estimate{Value: value, Lower: &lower, Upper: &upper, Samples: rapid.Uint64Range(0, 100).Draw(t, "n")}
		got := measure.Decide(e, by)
		certain := measure.Decide(&measure.Estimate{Value: value, Lower: &value, Upper: &value, Samples: e.Samples}, by)
		if got == measure.GroundBreached && certain != got {
			t.Fatalf("[%v, %v] fails, %v alone is %s", lower, upper, value, certain)
		}
		if by.Fail.Breached(value) && (got == measure.GroundAllowed || got == measure.GroundNotShown) {
			t.Fatalf("%v is not allowed and %s", value, got)
		}
		if got == measure.GroundUnderpowered && measure.SmallestVisible(e) <= by.Margin {
			t.Fatalf("[%v, %v] is underpowered for %v", lower, upper, by.Margin)
		}
	})
}
