package signal

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/shareddata"
)

func methods(scores []Score) string {
	var out []string
	for _, s := range scores {
		out = append(out, s.Method)
	}
	return strings.Join(out, " ")
}

func byMethod(t *testing.T, scores []Score, method string) Score {
	t.Helper()
	i := slices.IndexFunc(scores, func(s Score) bool { return s.Method == method })
	if i < 0 {
		t.Fatalf("no %s among %s", method, methods(scores))
	}
	return scores[i]
}

// The table of reference values for columns without a heavy value: what a window
// keeps is enough for them.
func TestDriftOfElec2Halves(t *testing.T) {
	const half = 22656
	for name, want := range map[string]struct{ psi, ks, wasserstein, tolerance float64 }{
		"nswprice":  {1.082136, 0.451227, 0.714594, 0.15},
		"nswdemand": {0.004290, 0.025821, 0.037128, 1e-6},
	} {
		values := shareddata.Numbers(t, "elec2.csv", name)
		f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: values[:half]}}, BuildOptions{}).Features[0]
		scores, err := f.Drift(windowOf(&f, values[half:]))
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" psi", byMethod(t, scores, DriftPSI).Estimate.Value, want.psi, 1e-6)
		ks := byMethod(t, scores, DriftKS)
		if !(ks.Estimate.Value <= want.ks+1e-6 && want.ks <= *ks.Bound) {
			t.Errorf("%s: KS %v is not between the grid's %v and its bound %v", name, want.ks, ks.Estimate.Value, *ks.Bound)
		}
		near(t, name+" wasserstein", byMethod(t, scores, DriftWasserstein).Estimate.Value, want.wasserstein, want.tolerance)
	}
}

func normalColumn(random *rand.Rand, rows int, mean float64) []float64 {
	out := make([]float64, rows)
	for i := range out {
		out[i] = mean + random.NormFloat64()
	}
	return out
}

func TestDriftGivesEveryMethodThatIsDefined(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	numbers := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: normalColumn(random, 5000, 0)}}, BuildOptions{}).Features[0]
	category := FeatureBaseline{Name: "c", Kind: Categorical, Categories: []string{"a", "b"}, Counts: []uint64{600, 300}, Missing: 50, Other: 50, N: 1000}
	missing := windowOf(&numbers, []float64{math.NaN(), math.NaN()})
	for name, c := range map[string]struct {
		feature *FeatureBaseline
		window  *Distribution
		want    string
	}{
		"numeric":      {&numbers, windowOf(&numbers, normalColumn(random, 500, 1)), "psi js hellinger tvd linf chi2 cramers_v ks wasserstein mean_shift variance_ratio"},
		"categorical":  {&category, &Distribution{Counts: []uint64{30, 40}, Missing: 5, Other: 5, New: 20, N: 100}, "psi js hellinger tvd linf chi2 cramers_v"},
		"two rows":     {&numbers, windowOf(&numbers, []float64{1, 2}), "psi js hellinger tvd linf ks wasserstein mean_shift variance_ratio"},
		"one row":      {&numbers, windowOf(&numbers, []float64{1}), "psi js hellinger tvd linf ks wasserstein"},
		"only missing": {&numbers, missing, "psi js hellinger tvd linf"},
		"empty":        {&numbers, windowOf(&numbers, nil), ""},
	} {
		scores, err := c.feature.Drift(c.window)
		if err != nil || methods(scores) != c.want {
			t.Errorf("%s: %s, %v; want %s", name, methods(scores), err, c.want)
		}
		for _, s := range scores {
			if s.Estimate.Convention == "" || s.Estimate.Samples == 0 {
				t.Errorf("%s: %+v lacks convention or samples", name, s)
			}
		}
	}
	if _, err := numbers.Drift(&Distribution{Counts: []uint64{1}}); err == nil {
		t.Error("one cell compared with 40")
	}
}

// Two windows counted by two agents and merged score as one.
func TestMergedWindowsDriftAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		column := rapid.SliceOfN(rapid.Float64Range(-10, 10), 60, 200)
		f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: column.Draw(t, "reference")}}, BuildOptions{}).Features[0]
		values := column.Draw(t, "values")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		whole, merged := windowOf(&f, values), windowOf(&f, values[:cut])
		if err := merged.Merge(windowOf(&f, values[cut:])); err != nil {
			t.Fatal(err)
		}
		a, errA := f.Drift(whole)
		b, errB := f.Drift(merged)
		if errA != nil || errB != nil || methods(a) != methods(b) {
			t.Fatalf("whole %s %v, merged %s %v", methods(a), errA, methods(b), errB)
		}
		for i := range a {
			if math.Abs(a[i].Estimate.Value-b[i].Estimate.Value) > 1e-6*(1+math.Abs(a[i].Estimate.Value)) {
				t.Fatalf("%s: whole %v, merged %v", a[i].Method, a[i].Estimate.Value, b[i].Estimate.Value)
			}
		}
	})
}

func TestExplainNamesTheCells(t *testing.T) {
	f := FeatureBaseline{
		Name: "income", Kind: Numeric, N: 1000,
		Grid: []float64{1000, math.Nextafter(2000, 0), 2000, 3000}, Deciles: []int{0, 1, 2, 3},
		Counts: []uint64{200, 200, 200, 200, 200},
	}
	want := []string{"up to 1000", "above 1000, below 2000", "exactly 2000", "above 2000, up to 3000", "above 3000", "(missing)"}
	if got := f.labels(); !slices.Equal(got, want) {
		t.Errorf("labels %q, want %q", got, want)
	}
	got, err := f.Explain(&Distribution{Counts: []uint64{20, 20, 20, 20, 110}, Missing: 10, N: 200})
	if want := `income: "above 3000" rose from 20% to 55% of rows, "up to 1000" fell from 20% to 10%, "above 1000, below 2000" fell from 20% to 10%.`; err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	category := FeatureBaseline{Name: "purpose", Kind: Categorical, Categories: []string{"car", "house"}, Counts: []uint64{50, 50}, N: 100}
	got, err = category.Explain(&Distribution{Counts: []uint64{40, 40}, New: 20, N: 100})
	if want := `purpose: "(new)" rose from 0% to 20% of rows, "car" fell from 50% to 40%, "house" fell from 50% to 40%.`; err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if _, err := category.Explain(&Distribution{Counts: []uint64{0, 0}}); err == nil {
		t.Error("an empty window explained")
	}
	whole := FeatureBaseline{Name: "x", Kind: Numeric, Counts: []uint64{3}, N: 3}
	if got := whole.labels(); !slices.Equal(got, []string{"any value", "(missing)"}) {
		t.Errorf("without edges: %q", got)
	}
}
