package signal

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// blended draws windows of one column that kept their rows at several rates.
func blended(cells int, rates ...float64) *rapid.Generator[[]*Distribution] {
	return rapid.Custom(func(t *rapid.T) []*Distribution {
		parts := rapid.SliceOfN(distributions(cells), 1, 5).Draw(t, "parts")
		for _, d := range parts {
			alike(d).Rate = rapid.SampledFrom(rates).Draw(t, "rate")
			d.Groups = groupTables().Draw(t, "groups")
			if d.Embedded == nil {
				d.Embedded = make([]float64, 4)
			}
		}
		return parts
	})
}

// At one rate to blend is to merge, and the parts stay as they are.
func TestBlendOfOneRateIsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := blended(4, rapid.SampledFrom([]float64{0.01, 0.5, 1}).Draw(t, "the rate")).Draw(t, "parts")
		var before []*Distribution
		want := parts[0].Clone()
		for i, d := range parts {
			before = append(before, d.Clone())
			if i > 0 {
				if err := want.Merge(d); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err := Blend(parts)
		if err != nil || !equal(got, want) {
			t.Fatalf("blended %+v, %v\nmerged  %+v", got, err, want)
		}
		if !slices.EqualFunc(parts, before, equal) {
			t.Fatal("the parts have changed")
		}
	})
}

// Whatever the rates: cells add up to the effective rows, and every share is the
// weighted one within a row; so is every group's favourable share, whose interval
// is then measure.WeightedProportion's.
func TestBlendWeighsRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := blended(3, 0.1, 0.25, 1).Draw(t, "parts")
		d, err := Blend(parts)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.check(); err != nil {
			t.Fatalf("the blended cells do not add up: %v", err)
		}
		var all measure.Weights
		var missing, sum, values float64
		for _, p := range parts {
			w := 1 / p.Rate
			n := float64(p.N)
			all.Merge(measure.Weights{Sum: w * n, Squares: w * w * n})
			missing += w * float64(p.Missing)
			values += w * float64(total(p.Counts))
			sum += w * p.Sum
		}
		weighsAs(t, "missing", measure.Proportion{Favourable: d.Missing, Total: d.N}, missing, all)
		if got := total(d.Counts); values > 0 && got > 0 {
			if mean := sum / values; math.Abs(d.Sum/float64(got)-mean) > 1e-9*max(1, math.Abs(mean)) {
				t.Fatalf("the mean is %v, weighted %v", d.Sum/float64(got), mean)
			}
		}
		for _, g := range d.Groups {
			var of measure.Weights
			var favourable float64
			for _, p := range parts {
				for _, x := range p.Groups {
					if x.Group == g.Group {
						w := 1 / p.Rate
						of.Merge(measure.Weights{Sum: w * float64(x.Total), Squares: w * w * float64(x.Total)})
						favourable += w * float64(x.Favourable)
					}
				}
			}
			weighsAs(t, g.Group, measure.Proportion{Favourable: g.Favourable, Total: g.Total}, favourable, of)
		}
	})
}

// weighsAs holds a proportion of effective rows against the weighted one.
func weighsAs(t *rapid.T, what string, got measure.Proportion, weight float64, all measure.Weights) {
	want, err := measure.WeightedProportion(weight, all, 1, 0.95)
	if err != nil {
		if got.Total > 0 {
			t.Fatalf("%s: %+v, and there are no rows", what, got)
		}
		return
	}
	if n := float64(want.Samples); math.Abs(float64(got.Total)-n) > 1 {
		t.Fatalf("%s: %d effective rows, want %v", what, got.Total, n)
	}
	if got.Total == 0 {
		return
	}
	if share := float64(got.Favourable) / float64(got.Total); math.Abs(share-want.Value) > 1/float64(got.Total) {
		t.Fatalf("%s: a share of %v in %d, want %v", what, share, got.Total, want.Value)
	}
	lower, upper, err := measure.Wilson(got, 0.95)
	if err != nil || got.Total < 1000 {
		return
	}
	if math.Abs(lower-*want.Lower) > 2e-3 || math.Abs(upper-*want.Upper) > 2e-3 {
		t.Fatalf("%s: %v to %v, want %v to %v", what, lower, upper, *want.Lower, *want.Upper)
	}
}

// A table's rows are those of its groups and those without an outcome.
func TestBlendOfTables(t *testing.T) {
	part := func(rate float64, missing, a, b uint64) *Distribution {
		return &Distribution{Target: TargetGroup, Rate: rate, Missing: missing, N: missing + a + b, Groups: []GroupCount{{Group: "a", Total: a}, {Group: "b", Total: b}}}
	}
	d, err := Blend([]*Distribution{part(1, 100, 10, 0), part(0.5, 50, 90, 7)})
	if err != nil {
		t.Fatal(err)
	}
	// 200^2/(100+200) = 133, 190^2/(10+360) = 97, and 7 of one rate.
	if d.Missing != 133 || d.Groups[0].Total != 97 || d.Groups[1].Total != 7 || d.N != 133+97+7 {
		t.Errorf("%d rows: %d missing and %+v", d.N, d.Missing, d.Groups)
	}
}

// 1,000 rows of a known group at a rate of 1 and 100 of an unknown one at a tenth
// are half and half of what there was: the share of known rows, who is judged, and
// how many rows were lost go by weight, not by effective rows.
func TestSharesOfABlendedTable(t *testing.T) {
	d, err := Blend([]*Distribution{
		{Target: TargetGroup, Groups: []GroupCount{{Group: "a", Favourable: 500, Total: 1000}}, Capture: Capture{Profiled: 1000, Dropped: 100}},
		{Target: TargetGroup, Rate: 0.1, Groups: []GroupCount{{Group: GroupUnknown, Favourable: 50, Total: 100}}, Capture: Capture{Profiled: 100, SampledOut: 900}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := FairnessOptions{Confidence: 0.95, MinShare: 0.45, Reference: "a"}
	for _, q := range append(GroupDisparities(nil, d, o), SelectionRates(d, o)...) {
		switch e := q.Estimate; {
		case q.Metric == MetricFairnessCoverage:
			near(t, "coverage", e.Value, 0.5, 1e-12)
			if e.Samples != 2000*2000/(1000+10_000) {
				t.Errorf("coverage of %d effective rows", e.Samples)
			}
		case q.Dimension(KeyGroupJudged) == "false":
			t.Errorf("not judged: %+v", q)
		case q.Dimension(KeyGroup) == GroupUnknown && q.Metric == MetricSelectionRate:
			// 100 of 2,100 requests were lost, of one row each: a tenth of them for this sample.
			least, _ := q.Sibling(SuffixLeast)
			greatest, _ := q.Sibling(SuffixGreatest)
			near(t, "least", least, 500.0/1100, 1e-12)
			near(t, "greatest", greatest, 600.0/1100, 1e-12)
		}
	}
}

// Every cell and everything up to it have their share within a row, so that
// rounding moves no rows to one side.
func TestApportionLeansToNoSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 1, 1, 2, 10, 0.3}), 1, 44).Draw(t, "weights")
		n := rapid.Uint64Range(0, 200).Draw(t, "rows")
		var sum, given float64
		all := addFloats(weights)
		for i, x := range apportion(weights, n) {
			sum += weights[i]
			given += float64(x)
			if all == 0 && x != 0 || all > 0 && math.Abs(given-float64(n)*sum/all) > 0.5+1e-9 {
				t.Fatalf("up to %d: %v of %d rows by a weight of %v of %v", i, given, n, sum, all)
			}
		}
	})
}

// Least and greatest value stay in cells that hold rows, so that small windows
// keep their Wasserstein distance.
func TestBlendedColumnsKeepTheirDistance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: normalColumn(random, 5000, 0)}}, BuildOptions{}).Features[0]
	for range 200 {
		a, b := windowOf(&f, normalColumn(random, 20, 0)), windowOf(&f, normalColumn(random, 20, 0))
		a.Rate, b.Rate = 1, 0.3
		d, err := Blend([]*Distribution{a, b})
		if err != nil {
			t.Fatal(err)
		}
		scores, err := f.Drift(d)
		if err != nil {
			t.Fatal(err)
		}
		byMethod(t, scores, DriftWasserstein)
	}
}

// By hand: 100 rows at a rate of 1 and 100 at a tenth weigh 100 and 1000, and are
// as good as 1100^2 / (100 + 10000) = 119.8 equal rows.
func TestBlendByHand(t *testing.T) {
	part := func(rate float64, low, high uint64) *Distribution {
		return &Distribution{
			Target: TargetFeature, Kind: Numeric, Counts: []uint64{low, high}, N: low + high, Rate: rate,
			Sum: float64(high), SumSquares: float64(high), Min: 0, Max: 1, OutOfRange: high, Capture: Capture{Seen: 5, Profiled: 3},
		}
	}
	d, err := Blend([]*Distribution{part(1, 100, 0), part(0.1, 0, 60), part(0.1, 0, 40)})
	if err != nil {
		t.Fatal(err)
	}
	if d.N != 119 || !slices.Equal(d.Counts, []uint64{11, 108}) || d.OutOfRange != 108 {
		t.Errorf("%d rows in %v, %d of them out of range", d.N, d.Counts, d.OutOfRange)
	}
	near(t, "mean", d.Sum/119, 1000.0/1100, 1e-12)
	near(t, "rate", d.Rate, 200.0/1100, 1e-12)
	if d.Capture != (Capture{Seen: 15, Profiled: 9}) {
		t.Errorf("capture %+v", d.Capture)
	}
}

// Requests of four equal rows have a design effect of four, also where half of
// them were kept at another rate.
func TestBlendKeepsTheDesignEffect(t *testing.T) {
	part := func(rate float64) *Distribution {
		var r measure.Requests
		for i := range uint64(400) {
			if err := r.Add(measure.Proportion{Favourable: 4 * (i % 2), Total: 4}); err != nil {
				t.Fatal(err)
			}
		}
		return &Distribution{Target: TargetGroup, Rate: rate, Groups: []GroupCount{{Group: "a", Favourable: 800, Total: 1600, Requests: &r}}}
	}
	d, err := Blend([]*Distribution{part(1), part(0.1)})
	if err != nil {
		t.Fatal(err)
	}
	effect, err := d.Groups[0].Requests.DesignEffect()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "design effect", effect, 4, 0.02)
	if n := d.Groups[0].Total; n != 1600*11*11/(1+100) {
		t.Errorf("%d effective rows", n)
	}
}

// A sketch has seen the rows that it has seen.
func TestBlendOfRowsAddsThem(t *testing.T) {
	part := func(rate float64, rows ...uint64) *Distribution {
		d := &Distribution{Target: TargetRows, Kind: Sums, Counts: []uint64{uint64(len(rows))}, N: uint64(len(rows)), Rate: rate, Distinct: new(measure.HyperLogLog)}
		for _, r := range rows {
			d.Distinct.Add(measure.RowHash(r * 0x9E3779B97F4A7C15))
		}
		return d
	}
	d, err := Blend([]*Distribution{part(1, 1, 2, 3), part(0.1, 3, 4)})
	if err != nil || d.N != 5 || d.Counts[0] != 5 {
		t.Fatalf("%+v, %v", d, err)
	}
	found := Duplicates(d, 0.95)
	if len(found) != 1 {
		t.Fatal("no share of duplicates")
	}
	near(t, "repeated", found[0].Estimate.Value, 0.2, 1e-3)
}

func TestBlendOfEstimates(t *testing.T) {
	part := func(rate float64, rows uint64, right, wrong float64) *Distribution {
		return &Distribution{Target: TargetPerformance, Kind: Sums, Counts: []uint64{rows}, N: rows, Rate: rate, Estimated: &measure.ExpectedPerformance{
			Rows: rows, TruePositive: right, FalsePositive: wrong, Positives: []float64{right}, Negatives: []float64{wrong},
		}}
	}
	d, err := Blend([]*Distribution{part(1, 1000, 900, 100), part(0.1, 100, 50, 50)})
	if err != nil {
		t.Fatal(err)
	}
	found := EstimatedPerformance(d)
	near(t, found[0].Dimension(KeyPerformance), found[0].Estimate.Value, 1400.0/2000, 1e-12)
	if got := found[0].Estimate.Samples; got != 2000*2000/(1000+10000) {
		t.Errorf("%d rows", got)
	}
	if err := d.checkCells(); err != nil {
		t.Error(err)
	}
}

func TestBlendRefuses(t *testing.T) {
	if _, err := Blend(nil); err == nil {
		t.Error("nothing was blended")
	}
	a := &Distribution{Target: TargetFeature, Feature: "a", Counts: []uint64{1}, N: 1}
	for name, b := range map[string]*Distribution{
		"another column":         {Target: TargetFeature, Feature: "b", Counts: []uint64{1}, N: 1},
		"another column by rate": {Target: TargetFeature, Feature: "b", Counts: []uint64{1}, N: 1, Rate: 0.5},
		"other cells":            {Target: TargetFeature, Feature: "a", Counts: []uint64{1, 0}, N: 1, Rate: 0.5},
	} {
		if d, err := Blend([]*Distribution{a, b}); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
	one := &Distribution{Estimated: &measure.ExpectedPerformance{Positives: []float64{1}, Negatives: []float64{1}}}
	two := &Distribution{Rate: 0.5, Estimated: &measure.ExpectedPerformance{Positives: []float64{1, 2}, Negatives: []float64{1, 2}}}
	if d, err := Blend([]*Distribution{one, two}); err == nil {
		t.Errorf("other calibrators: %+v", d)
	}
}

// A rate or a count that nobody can mean gives no rows at the worst, and cells
// that add up.
func TestBlendOfAbsurdWindows(t *testing.T) {
	part := func(rate float64, n uint64) *Distribution {
		return &Distribution{
			Model: ModelRef{Name: "m"}, Window: WindowID{"i", 1}, End: time.Unix(1, 0), Target: TargetFeature, Kind: Numeric,
			Counts: []uint64{n, n / 3}, N: n + n/3, Rate: rate, Sum: 1e300, SumSquares: 1e300,
			Groups: []GroupCount{{Group: "a", Favourable: n / 2, Total: n}},
		}
	}
	for _, rate := range []float64{5e-324, 1e-300, 1e-160, 1e-9} {
		for _, n := range []uint64{0, 1, 7, 1 << 53, 1 << 60} {
			d, err := Blend([]*Distribution{part(1, n), part(rate, 5), part(0.5, 0)})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.checkCells(); err != nil {
				t.Errorf("rate %v, %d rows: %v", rate, n, err)
			}
			if g := d.Groups[0]; g.Favourable > g.Total {
				t.Errorf("rate %v, %d rows: %+v", rate, n, g)
			}
		}
	}
}
