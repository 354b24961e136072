package config

import (
	"math"
	"strings"
	"testing"
)

func sampled(change func(*Config)) error {
	c := Default()
	c.System, c.Models = "loans", []Model{{Name: "m", Outcome: Outcome{Output: "y"}}}
	change(c)
	return c.Validate("agent.yaml")
}

func TestSamplingIsChecked(t *testing.T) {
	rate := func(x float64) *float64 { return &x }
	for _, c := range []struct {
		change func(*Config)
		want   string // empty: no fault
	}{
		{func(c *Config) { c.Sample.MaxCPU = 0.1 }, ""},
		{func(c *Config) { c.Sample.MaxCPU = -1 }, "sample.max_cpu: -1 is no number of cores"},
		{func(c *Config) { c.Sample.MaxCPU = math.NaN() }, "sample.max_cpu: NaN is no number of cores"},
		{func(c *Config) { c.Sample.MaxCPU = math.Inf(1) }, "sample.max_cpu: +Inf is no number of cores"},
		{func(c *Config) { c.Models[0].Predictions = Predictions{Send: true, Rate: rate(1)} }, ""},
		{func(c *Config) { c.Models[0].Predictions = Predictions{Send: true, Rate: rate(0)} }, "models[0].predictions.rate: 0 is not above 0"},
		{func(c *Config) { c.Models[0].Predictions = Predictions{Send: true, Rate: rate(1.5)} }, "models[0].predictions.rate: 1.5 is not above 0"},
		{func(c *Config) { c.Models[0].Predictions.Rate = rate(0.5) }, "models[0].predictions.rate: has no effect without send"},
	} {
		err := sampled(c.change)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// The share of predictions is the profile's unless something else is said, and
// always where labels are joined in the agent.
func TestPredictionShare(t *testing.T) {
	half, tenth := 0.5, 0.1
	for _, c := range []struct {
		model Model
		want  float64
	}{
		{Model{}, 0},
		{Model{Sample: Sample{Rate: &half}}, 0},
		{Model{Predictions: Predictions{Send: true}}, 1},
		{Model{Predictions: Predictions{Send: true}, Sample: Sample{Rate: &half}}, 0.5},
		{Model{Predictions: Predictions{Send: true, Rate: &tenth}, Sample: Sample{Rate: &half}}, 0.1},
		{Model{Labels: Labels{Join: true}, Sample: Sample{Rate: &half}}, 0.5},
	} {
		if got := c.model.PredictionShare(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.model, got, c.want)
		}
	}
}
