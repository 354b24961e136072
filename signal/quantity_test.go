package signal

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// texts writes quantities shortly: metric, values of the labels, value.
func texts(found []Quantity) []string {
	var out []string
	for _, q := range found {
		text := strings.TrimPrefix(q.Metric, "evenkeel.")
		for _, l := range q.Dimensions {
			text += " " + l.Value
		}
		out = append(out, fmt.Sprintf("%s %.4g/%d", text, q.Estimate.Value, q.Estimate.Samples))
	}
	return out
}

func psiOf(target Target, baseline string, value float64, rows uint64) Quantity {
	return Quantity{
		Metric:     MetricDriftScore,
		Dimensions: []Dimension{{KeyDriftMethod, DriftPSI}, {KeyDriftTarget, string(target)}, {KeyBaselineID, baseline}},
		Estimate:   measure.Estimate{Value: value, Samples: rows},
	}
}

func TestDriftShares(t *testing.T) {
	other := psiOf(TargetFeature, "b", 9, 1)
	other.Dimensions[0].Value = DriftJS
	got := texts(DriftShares([]Quantity{
		psiOf(TargetFeature, "b", 0.25, 900), psiOf(TargetFeature, "a", 0.26, 1000), psiOf(TargetFeature, "a", 0.1, 400),
		psiOf(TargetFeature, "a", 0, 500), psiOf(TargetPrediction, "a", 3, 2), other,
	}))
	want := []string{"drift.feature.share b 0/900", "drift.feature.share a 0.3333/400"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := DriftShares([]Quantity{psiOf(TargetPrediction, "a", 3, 2)}); got != nil {
		t.Errorf("without features: %v", got)
	}
}

// checkParityP wants p-values beside the parity differences of the two groups that
// are judged and not the reference, and nowhere else.
func checkParityP(t *testing.T, found []Quantity) {
	t.Helper()
	female := measure.Proportion{Favourable: 60, Total: 200}
	unknown, err := measure.ProportionsTest(measure.Proportion{Favourable: 300, Total: 600}, female)
	if err != nil {
		t.Fatal(err)
	}
	male, err := measure.ProportionsTest(measure.Proportion{Favourable: 100, Total: 200}, female)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int][]Sibling{
		0: {{SuffixP, unknown}, {SuffixPAdjusted, 2 * unknown}},
		2: {{SuffixP, male}, {SuffixPAdjusted, male}},
	}
	for i, q := range found {
		if !slices.Equal(q.Beside, want[i]) {
			t.Errorf("beside %v: %v, want %v", q.Dimensions, q.Beside, want[i])
		}
	}
}

func TestGroupDisparities(t *testing.T) {
	d := &Distribution{Target: TargetGroup, Feature: "gender", Groups: []GroupCount{
		{Group: GroupUnknown, Favourable: 300, Total: 600}, {Group: "female", Favourable: 60, Total: 200}, {Group: "male", Favourable: 100, Total: 200}, {Group: "rare", Favourable: 1, Total: 2},
	}}
	o := FairnessOptions{Confidence: 0.95, MinShare: 0.02}
	want := []string{
		"fairness.disparity statistical_parity_difference gender (unknown) female true 0.2/800",
		"fairness.disparity disparate_impact gender (unknown) female true 1.667/800",
		"fairness.disparity statistical_parity_difference gender male female true 0.2/400",
		"fairness.disparity disparate_impact gender male female true 1.667/400",
		"fairness.disparity statistical_parity_difference gender rare female false 0.2/202",
		"fairness.disparity disparate_impact gender rare female false 1.667/202",
		"fairness.disparity impact_ratio_min_max gender true 0.6/1000",
		"fairness.coverage gender 0.4012/1002",
	}
	checkParityP(t, GroupDisparities(nil, d, o))
	if got := texts(GroupDisparities(nil, d, o)); !slices.Equal(got, want) { // the largest known group is the reference
		t.Errorf("got %q", strings.Join(got, "\n"))
	}
	b := &Baseline{Groups: []GroupBaseline{{Attribute: "gender", Reference: "male"}}}
	reference := func(b *Baseline, declared string) string {
		o := o
		o.Reference = declared
		found := GroupDisparities(b, d, o)
		return found[0].Dimension(KeyReferenceGroup)
	}
	if reference(b, "") != "male" || reference(b, "rare") != "rare" {
		t.Errorf("reference %q of the baseline, %q declared", reference(b, ""), reference(b, "rare"))
	}
	if got := GroupDisparities(b, &Distribution{Feature: "gender"}, o); got != nil {
		t.Errorf("nobody: %v", got)
	}
}

// Whatever was counted, quantities are finite, within their interval, and no two
// of a window would become the same series.
func TestQuantitiesAreSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Uint64Range(0, 1000)
		f := &FeatureBaseline{Name: "f", Kind: Categorical, Categories: []string{"a", "b"}, Counts: []uint64{count.Draw(t, "a"), count.Draw(t, "b")}}
		d := &Distribution{
			Target: TargetFeature, Feature: "f", Kind: Categorical, Counts: []uint64{count.Draw(t, "c"), count.Draw(t, "d")},
			Missing: count.Draw(t, "missing"), New: count.Draw(t, "new"), Invalid: count.Draw(t, "invalid"), Min: math.NaN(), Max: math.NaN(),
		}
		d.N = total(d.Counts) + d.Missing + d.New + d.Invalid
		f.N = total(f.Counts)
		table := &Distribution{Target: TargetGroup, Feature: "f"}
		for _, name := range []string{GroupUnknown, "x", "y", "z"} {
			n := count.Draw(t, "group")
			table.Groups = append(table.Groups, GroupCount{Group: name, Favourable: rapid.Uint64Range(0, n).Draw(t, "favourable"), Total: n})
		}
		found, err := f.Drifts(d)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, DriftShares(found)...)
		found = append(found, Quality(f, d, 0.95)...)
		found = append(found, GroupDisparities(nil, table, FairnessOptions{Confidence: 0.95, MinShare: 0.02})...)
		found = append(found, SelectionRates(table, FairnessOptions{Confidence: 0.95, MinShare: 0.02})...)
		seen := map[string]bool{}
		for _, q := range found {
			series := fmt.Sprint(q.Metric, q.Dimensions)
			e := q.Estimate
			if seen[series] {
				t.Fatalf("%s is there twice", series)
			}
			seen[series] = true
			if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) || e.Lower != nil && *e.Lower > e.Value || e.Upper != nil && *e.Upper < e.Value {
				t.Fatalf("%s: %+v", series, e)
			}
		}
	})
}
