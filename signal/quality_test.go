package signal

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

func TestQuality(t *testing.T) {
	numbers := &FeatureBaseline{Kind: Numeric, Missing: 10, N: 1000}
	words := &FeatureBaseline{Kind: Categorical, Missing: 11, N: 1000}
	column := func(kind Kind) *Distribution {
		return &Distribution{Target: TargetFeature, Feature: "f", Kind: kind, Baseline: "sha256:0123456789abcdef", Counts: []uint64{80}, OutOfRange: 10, Missing: 10, Invalid: 9, New: 1, N: 100}
	}
	for _, c := range []struct {
		name string
		f    *FeatureBaseline
		d    *Distribution
		want []string
	}{
		{"numeric, required", numbers, column(Numeric), []string{
			"feature.quality.ratio missing f true 0123456789ab 0.1/100", "feature.quality.ratio type f true 0123456789ab 0.1/90",
			"feature.quality.ratio out_of_range f true 0123456789ab 0.1235/81",
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

// A column is called constant only where its baseline was not.
func TestQualityOfConstantColumns(t *testing.T) {
	numbers := &FeatureBaseline{Kind: Numeric, Counts: []uint64{90}, N: 90, Min: 1, Max: 2}
	always := &FeatureBaseline{Kind: Numeric, Counts: []uint64{90}, N: 90, Min: 1, Max: 1}
	words := &FeatureBaseline{Kind: Categorical, Counts: []uint64{50, 40}, N: 90}
	for name, c := range map[string]struct {
		f    *FeatureBaseline
		d    *Distribution
		want string
	}{
		"one number":              {numbers, &Distribution{Kind: Numeric, Counts: []uint64{7}, N: 7, Min: 3, Max: 3}, "1/7"},
		"several numbers":         {numbers, &Distribution{Kind: Numeric, Counts: []uint64{7}, N: 7, Min: 3, Max: 4}, "0/7"},
		"as before":               {always, &Distribution{Kind: Numeric, Counts: []uint64{7}, N: 7, Min: 3, Max: 3}, ""},
		"too few":                 {numbers, &Distribution{Kind: Numeric, Counts: []uint64{1}, N: 1, Min: 3, Max: 3}, ""},
		"no number":               {numbers, &Distribution{Kind: Numeric, Counts: []uint64{0}, Missing: 9, N: 9, Min: math.NaN(), Max: math.NaN()}, ""},
		"no baseline":             {nil, &Distribution{Kind: Numeric, Counts: []uint64{7}, N: 7, Min: 3, Max: 3}, ""},
		"one category":            {words, &Distribution{Kind: Categorical, Counts: []uint64{0, 7}, N: 7}, "1/7"},
		"two categories":          {words, &Distribution{Kind: Categorical, Counts: []uint64{1, 6}, N: 7}, "0/7"},
		"one known and a new one": {words, &Distribution{Kind: Categorical, Counts: []uint64{0, 6}, New: 1, N: 7}, "0/7"},
		"new ones, who knows":     {words, &Distribution{Kind: Categorical, Counts: []uint64{0, 0}, New: 7, N: 7}, ""},
	} {
		c.d.Target = TargetFeature
		got := ""
		for _, q := range Quality(c.f, c.d, 0.95) {
			if q.Dimension(KeyViolation) == ViolationConstant {
				got = fmt.Sprintf("%v/%d", q.Estimate.Value, q.Estimate.Samples)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Ten requests of two rows each were profiled and five lost: ten rows.
func TestQualityBoundsWhatWasLost(t *testing.T) {
	d := &Distribution{
		Target: TargetFeature, Kind: Numeric, Counts: []uint64{16}, Missing: 4, N: 20, Min: 1, Max: 2,
		Capture: Capture{Seen: 15, Profiled: 10, Dropped: 3, Undecodable: 2},
	}
	q := Quality(&FeatureBaseline{Kind: Numeric}, d, 0.95)[0]
	want := []Sibling{{SuffixLeast, 4.0 / 30}, {SuffixGreatest, 14.0 / 30}}
	if !slices.Equal(q.Beside, want) {
		t.Errorf("got %v, want %v", q.Beside, want)
	}
	d.Capture = Capture{Seen: 40, Profiled: 10, SampledOut: 30}
	if q := Quality(&FeatureBaseline{Kind: Numeric}, d, 0.95)[0]; q.Beside != nil {
		t.Errorf("nothing was lost, and beside it stands %v", q.Beside)
	}
	for _, c := range []struct {
		dropped, profiled, sampledOut, unread uint64

		rows float64
		want uint64
	}{
		{1, 3, 0, 0, 10, 4},
		{3, 1, 0, 0, 0, 0},
		{5, 0, 0, 0, 10, 5},
		{math.MaxUint64, 1, 0, 0, math.MaxUint64, math.MaxInt64},
		{100, 10, 990, 0, 20, 2},
		{1, 0, 9, 0, 10, 2},
		{10, 10, 990, 990, 20, 20}, // all that were lost had been chosen
		{10, 10, 990, 500, 20, 1},
	} {
		d := &Distribution{Capture: Capture{Dropped: c.dropped, Profiled: c.profiled, SampledOut: c.sampledOut, Unread: c.unread}}
		if got := d.lostRows(c.rows); got != c.want {
			t.Errorf("%+v: %d lost", c, got)
		}
	}
}

// Of a sample of a hundredth, one request in a hundred lost moves a share by a
// hundredth, whatever the rate: bounds for all requests, from the counts of the
// sample.
func TestLossBoundsOfASample(t *testing.T) {
	whole := &Distribution{
		Target: TargetGroup, Groups: []GroupCount{{Group: "a", Favourable: 49_500, Total: 99_000}},
		Capture: Capture{Seen: 100_000, Profiled: 99_000, Dropped: 1000},
	}
	sample := &Distribution{
		Target: TargetGroup, Rate: 0.01, Groups: []GroupCount{{Group: "a", Favourable: 495, Total: 990}},
		Capture: Capture{Seen: 100_000, Profiled: 990, SampledOut: 98_010, Dropped: 1000},
	}
	want := SelectionRates(whole, FairnessOptions{Confidence: 0.95})[0].Beside
	got := SelectionRates(sample, FairnessOptions{Confidence: 0.95})[0].Beside
	for i := range want {
		near(t, want[i].Suffix, got[i].Value, want[i].Value, 1e-9)
	}
}

func TestDuplicates(t *testing.T) {
	d := &Distribution{Target: TargetRows, Feature: "(rows)", Kind: Sums, Counts: []uint64{40}, Missing: 2, N: 42, Distinct: new(measure.HyperLogLog)}
	for i := range uint64(10) {
		d.Distinct.Add(measure.RowHash(i * 0x9E3779B97F4A7C15))
	}
	if got := texts(Duplicates(d, 0.95)); !slices.Equal(got, []string{"feature.quality.ratio duplicate (rows)  0.75/40"}) &&
		!slices.Equal(got, []string{"feature.quality.ratio duplicate (rows)  0.7499/40"}) {
		t.Errorf("got %q", got)
	}
	for name, d := range map[string]*Distribution{
		"empty": {Target: TargetRows, Counts: []uint64{0}, Distinct: new(measure.HyperLogLog)}, "no sketch": {Target: TargetRows, Counts: []uint64{4}},
		"another target": {Target: TargetFeature, Counts: d.Counts, Distinct: d.Distinct},
	} {
		if got := Duplicates(d, 0.95); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
