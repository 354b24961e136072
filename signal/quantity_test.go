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
		for _, l := range q.Labels {
			text += " " + l.Value
		}
		out = append(out, fmt.Sprintf("%s %.4g/%d", text, q.Estimate.Value, q.Estimate.Samples))
	}
	return out
}

func psiOf(target Target, baseline string, value float64, rows uint64) Quantity {
	return Quantity{
		MetricDriftScore,
		[]Label{{KeyDriftMethod, DriftPSI}, {KeyDriftTarget, string(target)}, {KeyBaselineID, baseline}},
		measure.Estimate{Value: value, Samples: rows},
	}
}

func TestDriftShares(t *testing.T) {
	other := psiOf(TargetFeature, "b", 9, 1)
	other.Labels[0].Value = DriftJS
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

func TestQuality(t *testing.T) {
	numbers := &FeatureBaseline{Kind: Numeric, Missing: 10, N: 1000}
	words := &FeatureBaseline{Kind: Categorical, Missing: 11, N: 1000}
	column := func(kind Kind) *Distribution {
		return &Distribution{Target: TargetFeature, Feature: "f", Kind: kind, Baseline: "sha256:0123456789abcdef", Counts: []uint64{80}, Missing: 10, Invalid: 9, New: 1, N: 100}
	}
	for _, c := range []struct {
		name string
		f    *FeatureBaseline
		d    *Distribution
		want []string
	}{
		{"numeric, required", numbers, column(Numeric), []string{
			"feature.quality.ratio missing f true 0123456789ab 0.1/100", "feature.quality.ratio type f true 0123456789ab 0.1/90",
		}},
		{"categorical, not required", words, column(Categorical), []string{
			"feature.quality.ratio missing f false 0123456789ab 0.1/100", "feature.quality.ratio type f false 0123456789ab 0.1/90",
			"feature.quality.ratio new_category f false 0123456789ab 0.01235/81",
		}},
		{"no baseline", nil, column(Categorical), []string{
			"feature.quality.ratio missing f false 0123456789ab 0.1/100", "feature.quality.ratio type f false 0123456789ab 0.1/90",
		}},
		{"empty", numbers, &Distribution{Target: TargetFeature, Kind: Numeric}, nil},
		{"all missing", numbers, &Distribution{Target: TargetFeature, Feature: "f", Kind: Numeric, Missing: 5, N: 5}, []string{"feature.quality.ratio missing f true  1/5"}},
		{"a prediction", numbers, &Distribution{Target: TargetPrediction, Kind: Numeric, Missing: 5, N: 5}, nil},
	} {
		if got := texts(Quality(c.f, c.d, 0.95)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestGroupDisparities(t *testing.T) {
	d := &Distribution{Target: TargetGroup, Feature: "gender", Groups: []GroupCount{
		{GroupUnknown, 300, 600}, {"female", 60, 200}, {"male", 100, 200}, {"rare", 1, 2},
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
	if got := texts(GroupDisparities(nil, d, o)); !slices.Equal(got, want) { // the largest known group is the reference
		t.Errorf("got %q", strings.Join(got, "\n"))
	}
	b := &Baseline{Groups: []GroupBaseline{{Attribute: "gender", Reference: "male"}}}
	reference := func(b *Baseline, declared string) string {
		o := o
		o.Reference = declared
		found := GroupDisparities(b, d, o)
		return found[0].Label(KeyReferenceGroup)
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
			table.Groups = append(table.Groups, GroupCount{name, rapid.Uint64Range(0, n).Draw(t, "favourable"), n})
		}
		found, err := f.Drifts(d)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, DriftShares(found)...)
		found = append(found, Quality(f, d, 0.95)...)
		found = append(found, GroupDisparities(nil, table, FairnessOptions{Confidence: 0.95, MinShare: 0.02})...)
		seen := map[string]bool{}
		for _, q := range found {
			series := fmt.Sprint(q.Metric, q.Labels)
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
