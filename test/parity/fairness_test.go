//go:build parity

package parity

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// outcomes are the rows of one fairness case, as fairness.py reads them.
type outcomes struct {
	name      string
	Predicted []int    `json:"predicted"`
	Actual    []int    `json:"actual"`
	Group     []string `json:"group"`
	Of        string   `json:"of"`
	Against   string   `json:"against"`
}

func (o *outcomes) add(group string, predicted, actual bool) {
	number := map[bool]int{true: 1}
	o.Group = append(o.Group, group)
	o.Predicted = append(o.Predicted, number[predicted])
	o.Actual = append(o.Actual, number[actual])
}

// confusion counts the rows of a group.
func (o *outcomes) confusion(group string) measure.Confusion {
	var c measure.Confusion
	for i, g := range o.Group {
		if g == group {
			c.Add(o.Predicted[i] == 1, o.Actual[i] == 1)
		}
	}
	return c
}

// generatedOutcomes are three groups of different size and rates.
func generatedOutcomes() *outcomes {
	random := rand.New(rand.NewPCG(1, 41))
	o := &outcomes{name: "generated, 3 groups", Of: "b", Against: "a"}
	for _, g := range []struct {
		name           string
		rows           int
		base, tpr, fpr float64
	}{{"a", 5000, 0.5, 0.8, 0.2}, {"b", 1200, 0.4, 0.6, 0.25}, {"c", 300, 0.3, 0.5, 0.1}} {
		for range g.rows {
			actual, chance := random.Float64() < g.base, g.fpr
			if actual {
				chance = g.tpr
			}
			o.add(g.name, random.Float64() < chance, actual)
		}
	}
	return o
}

// compasOutcomes take the score 1 as the outcome.
func compasOutcomes(t *testing.T) *outcomes {
	o := &outcomes{name: "COMPAS, race", Of: "African-American", Against: "Caucasian"}
	score, label := shareddata.Numbers(t, "compas.csv", "score"), shareddata.Numbers(t, "compas.csv", "label_value")
	for i, race := range shareddata.Texts(t, "compas.csv", "race") {
		o.add(race, score[i] == 1, label[i] == 1)
	}
	return o
}

// The differences of convention: aif360's differences have our sign; its
// equalized_odds_difference is the largest absolute one, as ours. fairlearn's
// are the greatest less the least over the groups, without a sign, so they are
// compared with our absolute value, and its average of both is of absolute
// differences.
func TestFairness(t *testing.T) {
	cases := []*outcomes{generatedOutcomes()}
	t.Run("COMPAS", func(t *testing.T) { cases = append(cases, compasOutcomes(t)) })
	var theirs struct {
		Cases []struct{ Aif360, Fairlearn map[string]float64 }
		Holm  []float64
		// by pair of proportions
		Proportions []struct {
			Newcombe, Wilson [2]float64
			Ztest            float64
		}
	}
	proportions := [][4]uint64{{56, 70, 48, 80}, {9, 10, 3, 10}, {0, 50, 500, 1000}, {10, 10, 0, 20}, {4000, 9000, 100, 300}}
	pvalues := []float64{0.04, 0.001, 0.03, 0.2, 0.9, 0.011}
	reference(t, "fairness.py", map[string]any{"cases": cases, "proportions": proportions, "pvalues": pvalues}, &theirs)

	for i, o := range cases {
		compareDisparities(t, o, theirs.Cases[i].Aif360, theirs.Cases[i].Fairlearn)
	}
	for i, p := range proportions {
		compareIntervals(t, p, theirs.Proportions[i].Newcombe, theirs.Proportions[i].Wilson, theirs.Proportions[i].Ztest)
	}
	adjusted, err := measure.Holm(pvalues)
	if err != nil {
		t.Fatal(err)
	}
	for i := range adjusted {
		agree(t, "holm", "six p-values", adjusted[i], theirs.Holm[i], 1e-14, "statsmodels", "")
	}
}

func compareDisparities(t *testing.T, o *outcomes, aif360, fairlearn map[string]float64) {
	group, reference := o.confusion(o.Of), o.confusion(o.Against)
	for _, m := range measure.DisparityMeasures() {
		e, err := m.Of(group, reference, 0.95)
		if err != nil {
			t.Errorf("%s of %s: %v", m.Name, o.name, err)
			continue
		}
		agree(t, m.Name, o.name, e.Value, aif360[m.Name], 1e-12, "aif360", "")
		value, ok := fairlearn[m.Name]
		switch {
		case !ok:
		case m.Name == "average_odds_difference":
			tpr, errT := measure.EqualOpportunityDifference(group, reference, 0.95)
			fpr, errF := measure.FalsePositiveRateDifference(group, reference, 0.95)
			if errT != nil || errF != nil {
				t.Fatal(errT, errF)
			}
			row(t, m.Name, o.name, e.Value, value, "fairlearn", "fairlearn averages absolute differences; the test does so too")
			if mean := (math.Abs(tpr.Value) + math.Abs(fpr.Value)) / 2; math.Abs(mean-value) > 1e-12 {
				t.Errorf("mean of the absolute differences: ours %v, fairlearn %v", mean, value)
			}
		default:
			agree(t, m.Name, o.name, math.Abs(e.Value), value, 1e-12, "fairlearn", "fairlearn has no sign: our absolute value")
		}
	}
	var selections []measure.Proportion
	seen := map[string]bool{}
	for _, g := range o.Group {
		if !seen[g] {
			seen[g] = true
			selections = append(selections, o.confusion(g).Selection())
		}
	}
	e, err := measure.ImpactRatio(selections, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "impact_ratio_min_max", o.name, e.Value, fairlearn["impact_ratio_min_max"], 1e-12, "fairlearn", "")
}

func compareIntervals(t *testing.T, p [4]uint64, newcombe, wilson [2]float64, ztest float64) {
	group, reference := measure.Proportion{Favourable: p[0], Total: p[1]}, measure.Proportion{Favourable: p[2], Total: p[3]}
	sample := digits(float64(p[0])) + "/" + digits(float64(p[1])) + " against " + digits(float64(p[2])) + "/" + digits(float64(p[3]))
	e, err := measure.ParityDifference(group, reference, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "newcombe, lower", sample, *e.Lower, newcombe[0], 1e-12, "statsmodels", "")
	agree(t, "newcombe, upper", sample, *e.Upper, newcombe[1], 1e-12, "statsmodels", "")
	lower, upper, err := measure.Wilson(group, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "wilson, lower", sample, lower, wilson[0], 1e-12, "scipy", "")
	agree(t, "wilson, upper", sample, upper, wilson[1], 1e-12, "scipy", "")
	pvalue, err := measure.ProportionsTest(group, reference)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "test of two proportions, p", sample, pvalue, ztest, 1e-12, "statsmodels", "")
}
