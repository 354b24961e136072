package signal

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// windowOf counts values into the feature's cells, as a window does.
func windowOf(f *FeatureBaseline, values []float64) *Distribution {
	d := &Distribution{
		Target: f.Target, Feature: f.Name, Kind: f.Kind, Bounds: "sha256:1",
		Start: time.Unix(0, 0).UTC(), End: time.Unix(60, 0).UTC(),
		Counts: make([]uint64, len(f.Counts)), N: uint64(len(values)), Min: math.NaN(), Max: math.NaN(),
	}
	grid := measure.Grid(f.Grid)
	var m measure.Moments
	for _, x := range values {
		if math.IsNaN(x) {
			d.Missing++
			continue
		}
		d.Counts[grid.Index(x)]++
		m.Add(x)
	}
	if m.N > 0 {
		d.Sum, d.SumSquares, d.Min, d.Max = m.Sum, m.SumSquares, m.Min, m.Max
	}
	return d
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.9g, want %.9g within %g", what, got, want, tolerance)
	}
}

// Folding keeps every count, and in the cells that the deciles bound.
func TestCellsFoldTheGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-10, 10), 1, 300).Draw(t, "values")
		f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: values}}, BuildOptions{}).Features[0]
		var deciles measure.Grid
		for _, i := range f.Deciles {
			deciles = append(deciles, f.Grid[i])
		}
		want := make([]uint64, len(deciles)+1)
		for _, x := range values {
			want[deciles.Index(x)]++
		}
		if got := f.cells(f.Counts); !slices.Equal(got, want) {
			t.Fatalf("folded %v, counted %v", got, want)
		}
	})
}

func TestPSICountsMissingOtherAndNew(t *testing.T) {
	f := &FeatureBaseline{Name: "c", Kind: Categorical, Categories: []string{"a", "b"}, Counts: []uint64{60, 30}, Missing: 5, Other: 5, N: 100}
	same := &Distribution{Kind: Categorical, Counts: []uint64{60, 30}, Missing: 5, Other: 5, N: 100}
	e, err := f.PSI(same)
	if err != nil || e.Value != 0 || e.Convention != measure.ConventionPSICategories {
		t.Errorf("the same again: %+v, %v", e, err)
	}
	for name, d := range map[string]*Distribution{
		"missing": {Counts: []uint64{40, 30}, Missing: 25, Other: 5},
		"other":   {Counts: []uint64{40, 30}, Missing: 5, Other: 25},
		"new":     {Counts: []uint64{40, 30}, Missing: 5, Other: 5, New: 20},
	} {
		if e, err := f.PSI(d); err != nil || !(e.Value > 0.05) {
			t.Errorf("a fifth became %s: %+v, %v", name, e, err)
		}
	}
	if _, err := f.PSI(&Distribution{Counts: []uint64{1}}); err == nil {
		t.Error("one cell compared with two")
	}
}

func TestDisparities(t *testing.T) {
	groups := []GroupCount{{Group: "(unknown)", Favourable: 0, Total: 10}, {Group: "female", Favourable: 300, Total: 1000}, {Group: "male", Favourable: 500, Total: 1000}, {Group: "other", Favourable: 5, Total: 90}}
	got := Disparities(groups, FairnessOptions{Reference: "male", Confidence: 0.95, MinShare: 0.02})
	if len(got) != 6 {
		t.Fatalf("%d disparities, want two for each of three groups: %+v", len(got), got)
	}
	for _, d := range got {
		if want := d.Group != "(unknown)"; d.Judged != want || d.Reference != "male" {
			t.Errorf("%+v: judged %v, want %v", d, d.Judged, want)
		}
	}
	// Two groups are judged: each interval has 97.5% confidence.
	want, err := measure.ParityDifference(measure.Proportion{Favourable: 300, Total: 1000}, measure.Proportion{Favourable: 500, Total: 1000}, 0.975)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got {
		if d.Group == "female" && d.Metric == FairnessParityDifference {
			near(t, "value", d.Estimate.Value, -0.2, 1e-15)
			near(t, "lower", *d.Estimate.Lower, *want.Lower, 1e-12)
		}
	}
	if none := Disparities(groups, FairnessOptions{Reference: "absent", Confidence: 0.95}); len(none) != 0 {
		t.Errorf("without a reference group: %+v", none)
	}
	noRatio := Disparities([]GroupCount{{Group: "a", Favourable: 1, Total: 9}, {Group: "b", Favourable: 0, Total: 9}}, FairnessOptions{Reference: "b", Confidence: 0.95})
	if len(noRatio) != 1 || noRatio[0].Metric != FairnessParityDifference {
		t.Errorf("a reference group without favourable outcomes: %+v", noRatio)
	}
}

// The baseline of the first half against the second half, counted by the grid.
func TestPSIOfElec2Halves(t *testing.T) {
	const half = 22656
	for name, want := range map[string]float64{"nswprice": 1.082136, "nswdemand": 0.004290} {
		values := shareddata.Numbers(t, "elec2.csv", name)
		f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: values[:half]}}, BuildOptions{}).Features[0]
		e, err := f.PSI(windowOf(&f, values[half:]))
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, e.Value, want, 1e-6)
	}
}

func TestDisparitiesOfCompas(t *testing.T) {
	score := Column{Name: "score", Target: TargetPrediction, Strings: shareddata.Texts(t, "compas.csv", "score")}
	race := ProtectedColumn{Column: Column{Name: "race", Strings: shareddata.Texts(t, "compas.csv", "race")}, Reference: "Caucasian"}
	for favourable, want := range map[string]map[string]float64{
		"1": {FairnessParityDifference: 0.2402002, FairnessDisparateImpact: 1.690224},
		"0": {FairnessParityDifference: -0.2402002, FairnessDisparateImpact: 0.6315929},
	} {
		b := mustBuild(t, []Column{score}, BuildOptions{
			Outcome: &score, Favourable: Favourable{Values: []string{favourable}}, Protected: []ProtectedColumn{race},
		})
		found := 0
		for _, d := range Disparities(b.Group("race").Counts, FairnessOptions{Reference: "Caucasian", Confidence: 0.95}) {
			if d.Group == "African-American" {
				near(t, d.Metric, d.Estimate.Value, want[d.Metric], 5e-7)
				found++
			}
		}
		if found != 2 {
			t.Errorf("favourable %s: %d disparities, want 2", favourable, found)
		}
	}
}
