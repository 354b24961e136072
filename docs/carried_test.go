package docs_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// carriedBy gives for each convention the metrics that carry it and the values of
// the attribute that tells them apart, as the page writes them: from windows that
// are like the baseline itself, and from cohorts.
func carriedBy(t *testing.T) map[string]map[string]bool {
	t.Helper()
	out := map[string]map[string]bool{}
	found := slices.Concat(ofColumns(t), ofGroups(), ofWholeRows(t), ofJointSets(t), ofCohorts(t), ofKnownCases(), ofEvaluations())
	for i := range found {
		q := &found[i]
		words := []string{strings.TrimPrefix(q.Metric, "evenkeel.")}
		for _, key := range []string{signal.KeyDriftMethod, signal.KeyFairnessMetric, signal.KeyPerformance, signal.KeyViolation} {
			if v := q.Dimension(key); v != "" {
				words = append(words, v)
			}
		}
		if out[q.Estimate.Convention] == nil {
			out[q.Estimate.Convention] = map[string]bool{}
		}
		for _, w := range words {
			out[q.Estimate.Convention][w] = true
		}
	}
	return out
}

// ofColumns gives what windows say about columns.
func ofColumns(t *testing.T) []signal.Quantity {
	t.Helper()
	region := signal.Column{Name: "region", Target: signal.TargetFeature, Strings: slices.Repeat([]string{"north", "south", "north", "east"}, 25)}
	income := signal.Column{Name: "income", Target: signal.TargetFeature}
	for i := range 100 {
		income.Numbers = append(income.Numbers, float64(i))
	}
	b, err := signal.BuildBaseline([]signal.Column{income, region}, signal.BuildOptions{Model: signal.ModelRef{Name: "m"}})
	if err != nil {
		t.Fatal(err)
	}
	var found []signal.Quantity
	for i := range b.Features {
		f := &b.Features[i]
		d := &signal.Distribution{
			Target: f.Target, Feature: f.Name, Kind: f.Kind, Counts: f.Counts, N: f.N,
			Sum: f.Sum, SumSquares: f.SumSquares, Min: f.Min, Max: f.Max,
		}
		drifts, err := f.Drifts(d)
		if err != nil {
			t.Fatal(err)
		}
		evidence, err := f.Evidence(measure.DriftEvidence{}, d)
		if err != nil {
			t.Fatal(err)
		}
		found = slices.Concat(found, drifts, signal.Quality(f, d, 0.95), signal.Evidences(evidence, d, len(b.Features)))
	}
	return append(found, signal.DriftShares(found)...)
}

func ofGroups() []signal.Quantity {
	d := &signal.Distribution{Target: signal.TargetGroup, Feature: "region", Groups: []signal.GroupCount{
		{Group: "north", Favourable: 30, Total: 60}, {Group: "south", Favourable: 20, Total: 40},
	}}
	o := signal.FairnessOptions{Confidence: 0.95}
	return append(signal.GroupDisparities(nil, d, o), signal.SelectionRates(d, o)...)
}

// ofWholeRows gives what is counted of rows, not of columns.
func ofWholeRows(t *testing.T) []signal.Quantity {
	t.Helper()
	rows := &signal.Distribution{Target: signal.TargetRows, Kind: signal.Sums, Counts: []uint64{9}, N: 9, Distinct: new(measure.HyperLogLog)}
	rows.Distinct.Add(1)
	c, err := measure.FitCalibrator([]float64{0.1, 0.2, 0.3, 0.4}, []bool{false, true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	var e measure.ExpectedPerformance
	for _, score := range c.Scores {
		if err := e.Add(c, score, score > 0.2); err != nil {
			t.Fatal(err)
		}
	}
	promised := &signal.Distribution{Target: signal.TargetPerformance, Kind: signal.Sums, Counts: []uint64{e.Rows}, N: e.Rows, Estimated: &e}
	return append(signal.Duplicates(rows, 0.95), signal.EstimatedPerformance(promised)...)
}

// ofJointSets gives what a window says about columns that are watched together.
func ofJointSets(t *testing.T) []signal.Quantity {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	columns := []signal.Column{{Name: "a", Target: signal.TargetFeature}, {Name: "b", Target: signal.TargetFeature}}
	for range 2000 {
		x := random.NormFloat64()
		columns[0].Numbers = append(columns[0].Numbers, x)
		columns[1].Numbers = append(columns[1].Numbers, x+random.NormFloat64())
	}
	b, err := signal.BuildBaseline(columns, signal.BuildOptions{
		Model: signal.ModelRef{Name: "m"}, Windows: 20,
		Joint: []signal.JointColumns{{Name: "both", Target: signal.TargetMultivariate, Columns: columns, Axes: 4, Frequencies: 8}},
	})
	if err != nil {
		t.Fatal(err)
	}
	j := &b.Joint[0]
	bounds, err := j.KernelBounds()
	if err != nil {
		t.Fatal(err)
	}
	parts := []*signal.Distribution{{
		Target: j.Target, Feature: j.Name, Kind: signal.Sums, Bounds: bounds, Counts: []uint64{j.Kernel.Rows}, N: j.Kernel.Rows, Embedded: j.Kernel.Sums,
	}}
	for k := range j.Slices() {
		f := b.Feature(j.Target, j.Slice(k))
		bounds, err := f.Bounds()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, &signal.Distribution{
			Target: f.Target, Feature: f.Name, Kind: f.Kind, Bounds: bounds, Counts: f.Counts, N: f.N,
			Sum: f.Sum, SumSquares: f.SumSquares, Min: f.Min, Max: f.Max,
		})
	}
	return b.JointDrifts(parts)
}

// ofCohorts gives what is known once labels are: of a decision by group, of a
// number, of classes.
func ofCohorts(t *testing.T) []signal.Quantity {
	t.Helper()
	var found []signal.Quantity
	for _, b := range []*signal.Baseline{
		{Outcome: &signal.OutcomeBaseline{Output: "y", Score: "p", Favourable: &signal.Favourable{Values: []string{"1"}}}},
		{Outcome: &signal.OutcomeBaseline{Output: "y"}, Features: []signal.FeatureBaseline{{Name: "y", Target: signal.TargetPrediction, Kind: signal.Numeric}}},
		{Outcome: &signal.OutcomeBaseline{Output: "y"}, Features: []signal.FeatureBaseline{{Name: "y", Target: signal.TargetPrediction, Kind: signal.Categorical}}},
	} {
		c, err := signal.NewCohort(b, "sha256:1")
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 400 {
			p := &signal.LabelledPrediction{Prediction: signal.Prediction{
				Value: string('0' + byte(random.IntN(2))), Score: math.Abs(random.Float64()),
				Groups: []signal.Membership{{Attribute: "region", Group: []string{"north", "south"}[i%2]}},
			}, Label: &signal.Label{Value: string('0' + byte(random.IntN(2)))}}
			c.Add(b, p)
		}
		found = append(found, c.Quantities(b, signal.FairnessOptions{Confidence: 0.95})...)
	}
	return found
}

// Everything that a rule can be asked of is there.
func TestCarriedByIsComplete(t *testing.T) {
	metrics := map[string]bool{}
	for _, words := range carriedBy(t) {
		maps.Copy(metrics, words)
	}
	for _, m := range measure.DisparityMeasures() {
		if !metrics[m.Name] {
			t.Errorf("no signal carries %s", m.Name)
		}
	}
}

// ofKnownCases gives what an agent says about cases that it asks itself.
func ofKnownCases() []signal.Quantity {
	q, _ := signal.ProbeScore(9, 10, 0.95)
	return []signal.Quantity{q}
}
