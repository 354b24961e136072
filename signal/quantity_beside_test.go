package signal

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

func TestEstimatedPerformance(t *testing.T) {
	c, err := measure.FitCalibrator([]float64{0.1, 0.2, 0.3, 0.4}, []bool{false, true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	var e measure.ExpectedPerformance
	for _, score := range []float64{0.1, 0.25, 0.4} {
		if err := e.Add(c, score, score > 0.2); err != nil {
			t.Fatal(err)
		}
	}
	d := &Distribution{Target: TargetPerformance, Feature: "approved", Kind: Sums, Counts: []uint64{3}, N: 3, Estimated: &e, Baseline: "sha256:0123456789abcdef"}
	want := []string{ // of 1.5 x 1.5 expected pairs 2 in order and 0.25 in one cell
		"performance.score accuracy estimated 0123456789ab 0.8333/3",
		"performance.score precision estimated 0123456789ab 0.75/3",
		"performance.score recall estimated 0123456789ab 1/3",
		"performance.score f1 estimated 0123456789ab 0.8571/3",
		"performance.score auc estimated 0123456789ab 0.9444/3",
	}
	if got := texts(EstimatedPerformance(d)); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	d.Estimated = &measure.ExpectedPerformance{Rows: 90, Outside: 10}
	if got := EstimatedPerformance(d); got != nil {
		t.Errorf("a tenth outside the support: %v", got)
	}
	if got := EstimatedPerformance(&Distribution{Target: TargetPerformance}); got != nil {
		t.Errorf("nothing counted: %v", got)
	}
}

func TestAdjustP(t *testing.T) {
	with := func(method, target string, p float64) Quantity {
		return Quantity{
			Metric: MetricDriftScore, Dimensions: []Dimension{{KeyDriftMethod, method}, {KeyDriftTarget, target}},
			Beside: []Sibling{{SuffixP, p}},
		}
	}
	drifts := []Quantity{
		with(DriftKS, "feature", 0.01),
		{Metric: MetricDriftScore, Dimensions: []Dimension{{KeyDriftMethod, DriftPSI}}},
		with(DriftKS, "feature", 0.04), with(DriftChiSquare, "feature", 0.04), with(DriftKS, "prediction", 0.03), with(DriftKS, "feature", 0.03),
	}
	AdjustP(drifts)
	AdjustP(drifts) // again gives the same
	want := []float64{0.03, math.NaN(), 0.04, 0.04, 0.03, 0.04}
	for i := range drifts {
		got, ok := drifts[i].Sibling(SuffixPAdjusted)
		if ok == math.IsNaN(want[i]) || ok && math.Abs(got-want[i]) > 1e-15 {
			t.Errorf("%d: %v, %v, want %v", i, got, ok, want[i])
		}
		if len(drifts[i].Beside) > 2 {
			t.Errorf("%d: %v", i, drifts[i].Beside)
		}
	}
	broken := []Quantity{with(DriftKS, "feature", math.NaN()), with(DriftKS, "feature", 0.5)}
	AdjustP(broken)
	if _, ok := broken[1].Sibling(SuffixPAdjusted); ok {
		t.Error("adjusted by something that is no p-value")
	}
}

// What explains a score stands beside it.
func TestDriftsHaveSiblings(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: normalColumn(random, 2000, 0)}}, BuildOptions{}).Features[0]
	d := windowOf(&f, normalColumn(random, 1000, 0.2))
	scores, err := f.Drift(d)
	if err != nil {
		t.Fatal(err)
	}
	drifts, err := f.Drifts(d)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for i, s := range scores {
		for _, of := range []struct {
			suffix string
			want   *float64
		}{{SuffixP, s.P}, {SuffixBound, s.Bound}, {SuffixCritical, s.Critical}, {SuffixVisible, s.Visible}} {
			got, ok := drifts[i].Sibling(of.suffix)
			if ok != (of.want != nil) || ok && got != *of.want {
				t.Errorf("%s%s: %v, %v", s.Method, of.suffix, got, ok)
			}
			if ok {
				found[of.suffix] += s.Method + " "
			}
		}
	}
	want := map[string]string{
		SuffixP: "chi2 cramers_v ks mean_shift variance_ratio ", SuffixBound: "ks ", SuffixCritical: "psi cramers_v ", SuffixVisible: "psi ",
	}
	if !maps.Equal(found, want) {
		t.Errorf("got %q", found)
	}
}

func TestSelectionRates(t *testing.T) {
	var in measure.Requests
	for i := range uint64(50) { // of four rows each, all alike: the design effect is near 4
		if err := in.Add(measure.Proportion{Favourable: 4 * (i % 2), Total: 4}); err != nil {
			t.Fatal(err)
		}
	}
	effect, err := in.DesignEffect()
	if err != nil {
		t.Fatal(err)
	}
	d := &Distribution{
		Target: TargetGroup, Feature: "gender", Held: 3, Capture: Capture{Profiled: 100, Dropped: 10},
		Groups: []GroupCount{{Group: "female", Favourable: 100, Total: 200, Requests: &in}, {Group: "male", Favourable: 100, Total: 200}, {Group: "rare", Favourable: 1, Total: 1}},
	}
	found := SelectionRates(d, FairnessOptions{Confidence: 0.95, MinShare: 0.02})
	want := []string{
		fmt.Sprintf("fairness.selection.rate gender female true 0.5/%d", int(200/effect)),
		"fairness.selection.rate gender male true 0.5/200", "fairness.selection.rate gender rare false 1/1",
		"fairness.held gender 3/401",
	}
	if got := texts(found); !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
	exact, err := measure.WeightedProportion(100, measure.Weights{Sum: 200, Squares: 200}, effect, 0.95)
	if err != nil || *found[0].Estimate.Lower != *exact.Lower || *found[0].Estimate.Upper != *exact.Upper {
		t.Errorf("%v to %v, want %v to %v", *found[0].Estimate.Lower, *found[0].Estimate.Upper, *exact.Lower, *exact.Upper)
	}
	// 10 of 110 requests, of 4.01 rows each, were lost: 41 rows.
	if got := found[1].Beside; !slices.Equal(got, []Sibling{{SuffixLeast, 100.0 / 241}, {SuffixGreatest, 141.0 / 241}}) {
		t.Errorf("bounds %v", got)
	}
	if got := SelectionRates(&Distribution{Target: TargetFeature, Groups: d.Groups}, FairnessOptions{Confidence: 0.95}); got != nil {
		t.Errorf("no table: %v", got)
	}
}

// Trigrams of one text depend on each other: no test speaks of them.
func TestTrigramsHaveNoTest(t *testing.T) {
	f := FeatureBaseline{Name: "q.trigrams", Target: TargetText, Kind: Categorical, Categories: []string{"0", "1"}, Counts: []uint64{6000, 3000}, N: 9000}
	d := &Distribution{Target: TargetText, Feature: f.Name, Kind: Categorical, Counts: []uint64{300, 400}, N: 700}
	found, err := f.Drifts(d)
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	for _, q := range found {
		if len(q.Beside) > 0 {
			t.Errorf("%s has %v beside it", q.Dimension(KeyDriftMethod), q.Beside)
		}
	}
}
