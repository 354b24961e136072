package measure_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// plainDeciles are numpy's linear quantiles k/10 without repetitions.
func plainDeciles(sorted []float64) measure.Grid {
	var edges []float64
	for k := 1; k < 10; k++ {
		position := float64(len(sorted)-1) * float64(k) / 10
		i := int(position)
		t := position - float64(i)
		edges = append(edges, sorted[i]+(sorted[i+1]-sorted[i])*t)
	}
	return slices.Compact(edges)
}

func count(g measure.Grid, values []float64) []uint64 {
	counts := make([]uint64, len(g)+1)
	for _, x := range values {
		counts[g.Index(x)]++
	}
	return counts
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.10g, want %.10g within %g", what, got, want, tolerance)
	}
}

// The reference values add 1e-10 to each share where ours has a floor of 1e-4;
// no decile of these columns is so empty that the two differ.
func TestPSIOfElec2(t *testing.T) {
	const half = 22656
	for name, want := range map[string]float64{"nswprice": 1.082136, "nswdemand": 0.004290, "vicprice": 2.227337} {
		values := shareddata.Numbers(t, "elec2.csv", name)
		edges := plainDeciles(slices.Sorted(slices.Values(values[:half])))
		e, err := measure.PSI(count(edges, values[:half]), count(edges, values[half:]))
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, e.Value, want, 1e-6)
		if e.Samples != half || e.Convention != measure.ConventionPSI {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// compas counts the favourable rows of two races.
func compas(t *testing.T, favourable float64) (group, reference measure.Proportion) {
	score := shareddata.Numbers(t, "compas.csv", "score")
	for i, race := range shareddata.Texts(t, "compas.csv", "race") {
		p := &measure.Proportion{}
		switch race {
		case "African-American":
			p = &group
		case "Caucasian":
			p = &reference
		}
		p.Total++
		if score[i] == favourable {
			p.Favourable++
		}
	}
	return group, reference
}

func TestFairnessOfCompas(t *testing.T) {
	group, reference := compas(t, 1)
	difference, err := measure.ParityDifference(group, reference, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "SPD", difference.Value, 0.2402002, 5e-8)
	ratio, err := measure.DisparateImpact(group, reference, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ratio", ratio.Value, 1.690224, 5e-7)

	group, reference = compas(t, 0)
	ratio, err = measure.DisparateImpact(group, reference, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ratio of score 0", ratio.Value, 0.6315929, 5e-8)
	near(t, "its lower limit", *ratio.Lower, 0.60194, 5e-6)
	near(t, "its upper limit", *ratio.Upper, 0.66281, 5e-6)
}

// Limits of scipy.stats.binomtest(...).proportion_ci(0.95, "wilson").
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		favourable, total uint64
		lower, upper      float64
	}{
		{0, 50, 0, 0.07134759913335872},
		{50, 50, 0.9286524008666412, 1},
		{500, 1000, 0.4690696003681042, 0.5309303996318958},
		{1, 10, 0.017876213095072896, 0.4041500267952385},
		{7, 20, 0.1811918241010821, 0.5671457233147637},
	} {
		lower, upper, err := measure.Wilson(measure.Proportion{Favourable: c.favourable, Total: c.total}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "lower", lower, c.lower, 1e-14)
		near(t, "upper", upper, c.upper, 1e-14)
	}
}

// The interval in Newcombe's paper, table II, method 10: 56/70 against 48/80.
func TestNewcombe(t *testing.T) {
	e, err := measure.ParityDifference(measure.Proportion{Favourable: 56, Total: 70}, measure.Proportion{Favourable: 48, Total: 80}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value", e.Value, 0.2, 1e-15)
	near(t, "lower", *e.Lower, 0.0524, 5e-5)
	near(t, "upper", *e.Upper, 0.3339, 5e-5)
	if e.Samples != 150 || e.Convention != "statistical_parity_difference/newcombe@1" {
		t.Errorf("%+v", e)
	}
}

func TestDisparateImpactOfTheWorstCase(t *testing.T) {
	e, err := measure.DisparateImpact(measure.Proportion{Total: 50}, measure.Proportion{Favourable: 500, Total: 1000}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if e.Value != 0 || *e.Lower != 0 {
		t.Errorf("value %v, lower %v, want 0", e.Value, *e.Lower)
	}
	near(t, "upper", *e.Upper, 0.143, 5e-4)
}

func TestUndefined(t *testing.T) {
	some, none := measure.Proportion{Favourable: 1, Total: 2}, measure.Proportion{}
	impossible := measure.Proportion{Favourable: 3, Total: 2}
	huge := measure.Proportion{Favourable: 1, Total: math.MaxUint64}
	difference := func(g, r measure.Proportion, confidence float64) error {
		_, err := measure.ParityDifference(g, r, confidence)
		return err
	}
	impact := func(g, r measure.Proportion) error {
		_, err := measure.DisparateImpact(g, r, 0.95)
		return err
	}
	psi := func(r, c []uint64) error {
		_, err := measure.PSI(r, c)
		return err
	}
	critical := func(r, c []uint64) error {
		_, err := measure.PSICritical(r, c)
		return err
	}
	for what, err := range map[string]error{
		"difference, group without rows":       difference(none, some, 0.95),
		"difference, reference without rows":   difference(some, none, 0.95),
		"difference, more favourable than all": difference(impossible, some, 0.95),
		"difference, certain":                  difference(some, some, 1),
		"difference, confidence NaN":           difference(some, some, math.NaN()),
		"difference, too many rows":            difference(huge, some, 0.95),
		"ratio, reference without favourable":  impact(some, measure.Proportion{Total: 9}),
		"ratio, reference without rows":        impact(some, none),
		"ratio, group without rows":            impact(none, some),
		"psi, no cells":                        psi(nil, nil),
		"psi, empty window":                    psi([]uint64{1, 2}, []uint64{0, 0}),
		"psi, empty baseline":                  psi([]uint64{0, 0}, []uint64{1, 2}),
		"psi, different cells":                 psi([]uint64{1, 2}, []uint64{1, 2, 3}),
		"psi, overflow":                        psi([]uint64{math.MaxUint64, 1}, []uint64{1, 1}),
		"critical value, one cell":             critical([]uint64{50, 0}, []uint64{60, 0}),
		"critical value, rare cell":            critical([]uint64{50, 1}, []uint64{60, 1}),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: got %v, want undefined", what, err)
		}
	}
}

func TestPSIByHand(t *testing.T) {
	e, err := measure.PSI([]uint64{50, 50}, []uint64{30, 70})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "two cells", e.Value, -0.2*math.Log(0.6)+0.2*math.Log(1.4), 1e-15)
	e, err = measure.PSI([]uint64{100, 0}, []uint64{0, 100})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "disjoint, floored and not renormalised", e.Value, 2*(1-1e-4)*math.Log(1e4), 1e-12)
}

func TestPSICritical(t *testing.T) {
	reference, current := make([]uint64, 12), make([]uint64, 12)
	for i := range 10 {
		reference[i], current[i] = 1000, 100
	}
	got, err := measure.PSICritical(reference, current)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ten occupied cells", got, 16.918977604620448*(1.0/10000+1.0/1000), 1e-12)
}
