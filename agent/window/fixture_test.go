package window

import (
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// loans is a small baseline: income in four cells, purpose in two categories.
func loans() *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat,
		Model:  signal.ModelRef{Name: "loans"},
		Rows:   8,
		Features: []signal.FeatureBaseline{
			{
				Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: []float64{10, 20, 30}, Deciles: []int{0, 1, 2},
				Counts: []uint64{2, 2, 2, 2}, N: 8, Min: 0, Max: 40,
			},
			{
				Name: "purpose", Target: signal.TargetFeature, Kind: signal.Categorical, Categories: []string{"car", "home"},
				Counts: []uint64{4, 4}, N: 8,
			},
			{
				Name: "dependants", Target: signal.TargetFeature, Kind: signal.Categorical, Categories: []string{"0", "1", "2.5"},
				Counts: []uint64{4, 2, 0}, Other: 2, N: 8,
			},
			{
				Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"},
				Counts: []uint64{4, 4}, N: 8,
			},
		},
		Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male", Counts: []signal.GroupCount{{Group: "female"}, {Group: "male"}}}},
	}
}

// collected gathers what a profiler hands over.
type collected struct{ windows []*Closed }

func (c *collected) take(w *Closed) { c.windows = append(c.windows, w) }

func (c *collected) distribution(t *testing.T, window int, target signal.Target, name signal.FeatureName) *signal.Distribution {
	t.Helper()
	if window >= len(c.windows) {
		t.Fatalf("%d windows closed, want window %d", len(c.windows), window)
	}
	for _, d := range c.windows[window].Distributions {
		if d.Target == target && d.Feature == name {
			return d
		}
	}
	t.Fatalf("window %d has no distribution of %s %q", window, target, name)
	return nil
}

func options(t testing.TB, sink func(*Closed)) Options {
	return Options{
		System: "loan-approval", Instance: "agent-1", Model: signal.ModelRef{Name: "loans", Version: "1"},
		Baseline:  loans(),
		Outcome:   Outcome{Output: "approved", Values: []string{"1"}},
		Protected: []signal.FeatureName{"gender"},
		Length:    time.Minute,
		Sequences: sequences(t),
		Sink:      sink,
		Log:       slog.New(slog.DiscardHandler),
	}
}

func sequences(t testing.TB) *Sequences {
	t.Helper()
	s, err := OpenSequences(filepath.Join(t.TempDir(), "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func profiler(t testing.TB, o Options) *Profiler {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// applicants is an observation of six rows with one of everything.
func applicants() *signal.Observation {
	nan, inf := math.NaN(), math.Inf(1)
	return &signal.Observation{
		Model: signal.ModelRef{Name: "loans", Version: "1"}, Rows: 6,
		Columns: []signal.Column{
			{Name: "income", Target: signal.TargetFeature, Numbers: []float64{10, 10.5, 31, nan, inf, 1000}},
			{Name: "purpose", Target: signal.TargetFeature, Strings: []string{"car", "boat", "", "home", "home", "x"}, Missing: []bool{false, false, false, false, false, true}},
			{Name: "dependants", Target: signal.TargetFeature, Numbers: []float64{0, 1, 2.5, 7, nan, inf}},
			{Name: "gender", Target: signal.TargetFeature, Strings: []string{"male", "female", "female", "", "diverse", "male"}},
			{Name: "postcode", Target: signal.TargetFeature, Numbers: []float64{1, 2, 3, 4, 5, 6}},
			{Name: "approved", Target: signal.TargetPrediction, Numbers: []float64{1, 0, 1, 1, nan, 0}},
		},
	}
}
