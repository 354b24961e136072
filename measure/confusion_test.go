package measure_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// confusions draws counts, at times with empty cells.
func confusions(t *rapid.T, name string) measure.Confusion {
	cell := rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, 100_000))
	return measure.Confusion{
		TruePositive:  cell.Draw(t, name+" tp"),
		FalsePositive: cell.Draw(t, name+" fp"),
		TrueNegative:  cell.Draw(t, name+" tn"),
		FalseNegative: cell.Draw(t, name+" fn"),
	}
}

// The values of the design for African-American against Caucasian, the score 1
// taken as the outcome.
func TestDisparitiesOfCompas(t *testing.T) {
	score, actual := shareddata.Numbers(t, "compas.csv", "score"), shareddata.Numbers(t, "compas.csv", "label_value")
	groups := map[string]*measure.Confusion{"African-American": {}, "Caucasian": {}}
	for i, race := range shareddata.Texts(t, "compas.csv", "race") {
		if g := groups[race]; g != nil {
			g.Add(score[i] == 1, actual[i] == 1)
		}
	}
	want := map[string]float64{
		"statistical_parity_difference": 0.2402002,
		"disparate_impact":              1.690224,
		"equal_opportunity_difference":  0.1973730,
		"fpr_difference":                0.2139250,
		"average_odds_difference":       0.2056490,
		"equalized_odds":                0.2139250,
		"fnr_difference":                -0.1973730,
	}
	for _, m := range measure.DisparityMeasures() {
		e, err := m.Of(*groups["African-American"], *groups["Caucasian"], 0.95)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if value, ok := want[m.Name]; ok {
			near(t, m.Name, e.Value, value, 5e-7)
			delete(want, m.Name)
		}
	}
	for name := range want {
		t.Errorf("%s is not among the measures", name)
	}
}

// 40 of 50 positives and 10 of 100 negatives predicted positive against 30 of
// 60 and 30 of 90.
var (
	handGroup     = measure.Confusion{TruePositive: 40, FalseNegative: 10, FalsePositive: 10, TrueNegative: 90}
	handReference = measure.Confusion{TruePositive: 30, FalseNegative: 30, FalsePositive: 30, TrueNegative: 60}
)

func TestDisparitiesByHand(t *testing.T) {
	want := map[string]float64{
		"statistical_parity_difference": 50.0/150 - 60.0/150,
		"disparate_impact":              50.0 / 60,
		"equal_opportunity_difference":  0.8 - 0.5,
		"average_odds_difference":       (0.3 + 0.1 - 1.0/3) / 2,
		"equalized_odds":                0.3,
		"predictive_parity_difference":  0.8 - 0.5,
		"fnr_difference":                0.2 - 0.5,
		"fpr_difference":                0.1 - 1.0/3,
		"for_difference":                0.1 - 1.0/3,
		"fdr_difference":                0.2 - 0.5,
		"accuracy_difference":           130.0/150 - 90.0/150,
	}
	for _, m := range measure.DisparityMeasures() {
		e, err := m.Of(handGroup, handReference, 0.95)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		near(t, m.Name, e.Value, want[m.Name], 1e-15)
		delete(want, m.Name)
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v", want)
	}
}

// Every measure keeps its value within its interval and its range, is undefined
// rather than infinite, and turns round with the groups.
func TestDisparityLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, r := confusions(t, "group"), confusions(t, "reference")
		confidence := rapid.Float64Range(0.5, 0.9999).Draw(t, "confidence")
		for _, m := range measure.DisparityMeasures() {
			e, err := m.Of(g, r, confidence)
			if err != nil {
				if !errors.Is(err, measure.ErrUndefined) {
					t.Fatalf("%s: %v", m.Name, err)
				}
				continue
			}
			if m.Name == "disparate_impact" {
				continue // its laws are TestDisparateImpactLaws
			}
			if !(-1 <= *e.Lower && *e.Lower <= e.Value && e.Value <= *e.Upper && *e.Upper <= 1) {
				t.Fatalf("%s: %v not in [%v, %v] or that not in [-1, 1]", m.Name, e.Value, *e.Lower, *e.Upper)
			}
			back, err := m.Of(r, g, confidence)
			if err != nil {
				t.Fatalf("%s: defined one way only: %v", m.Name, err)
			}
			if m.Name == "equalized_odds" {
				if !close(back.Value, e.Value) || !close(*back.Lower, *e.Lower) || !close(*back.Upper, *e.Upper) {
					t.Fatalf("%s: %+v one way, %+v the other", m.Name, e, back)
				}
			} else if !close(back.Value, -e.Value) || !close(*back.Lower, -*e.Upper) || !close(*back.Upper, -*e.Lower) {
				t.Fatalf("%s: %+v one way, %+v the other", m.Name, e, back)
			}
		}
	})
}

func TestMergedConfusionsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.IntRange(0, 3)).Draw(t, "rows")
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		var whole, first, second measure.Confusion
		for i, r := range rows {
			whole.Add(r&1 == 1, r&2 == 2)
			if i < cut {
				first.Add(r&1 == 1, r&2 == 2)
			} else {
				second.Add(r&1 == 1, r&2 == 2)
			}
		}
		if err := first.Merge(second); err != nil || first != whole {
			t.Fatalf("merged %+v, whole %+v, %v", first, whole, err)
		}
		if p := whole.Accuracy(); p.Total != uint64(len(rows)) {
			t.Fatalf("%d rows, counted %d", len(rows), p.Total)
		}
	})
}

func TestConfusionsBeyond64BitsAreRefused(t *testing.T) {
	c := measure.Confusion{TruePositive: math.MaxUint64, FalsePositive: 1}
	before := c
	if err := c.Merge(measure.Confusion{TruePositive: 1, TrueNegative: 5}); !errors.Is(err, measure.ErrUndefined) || c != before {
		t.Errorf("merged to %+v, %v", c, err)
	}
	for name, p := range map[string]measure.Proportion{
		"selection": c.Selection(), "accuracy": c.Accuracy(), "ppv": c.PositivePredictiveValue(),
	} {
		if p != (measure.Proportion{}) {
			t.Errorf("%s is %+v", name, p)
		}
	}
}

// A group without the rows that a rate is of leaves the rate undefined.
func TestDisparitiesAreUndefinedWithoutTheirRows(t *testing.T) {
	noPositives := measure.Confusion{FalsePositive: 10, TrueNegative: 10}
	noNegatives := measure.Confusion{TruePositive: 10, FalseNegative: 10}
	neverSelected := measure.Confusion{TrueNegative: 10, FalseNegative: 10}
	alwaysSelected := measure.Confusion{TruePositive: 10, FalsePositive: 10}
	undefined := map[string][]measure.Confusion{
		"equal_opportunity_difference": {noPositives, {}},
		"average_odds_difference":      {noPositives, noNegatives, {}},
		"equalized_odds":               {noPositives, noNegatives, {}},
		"predictive_parity_difference": {neverSelected, {}},
		"fdr_difference":               {neverSelected, {}},
		"fnr_difference":               {noPositives, {}},
		"fpr_difference":               {noNegatives, {}},
		"for_difference":               {alwaysSelected, {}},
		"accuracy_difference":          {{}},
	}
	for _, m := range measure.DisparityMeasures() {
		for _, c := range undefined[m.Name] {
			if _, err := m.Of(c, handReference, 0.95); !errors.Is(err, measure.ErrUndefined) {
				t.Errorf("%s of %+v: %v", m.Name, c, err)
			}
			if _, err := m.Of(handReference, c, 0.95); !errors.Is(err, measure.ErrUndefined) {
				t.Errorf("%s against %+v: %v", m.Name, c, err)
			}
		}
	}
}

func FuzzConfusion(f *testing.F) {
	f.Add(uint64(0), uint64(0), uint64(0), uint64(0), uint64(1), uint64(1), uint64(1), uint64(1), 0.95)
	f.Add(uint64(math.MaxUint64), uint64(1), uint64(0), uint64(3), uint64(1), uint64(math.MaxUint64), uint64(1), uint64(1), 0.5)
	f.Add(uint64(1), uint64(0), uint64(1), uint64(0), uint64(1), uint64(0), uint64(1<<63), uint64(0), math.NaN())
	f.Fuzz(func(t *testing.T, tp, fp, tn, fn, tp2, fp2, tn2, fn2 uint64, confidence float64) {
		c, r := measure.Confusion{tp, fp, tn, fn}, measure.Confusion{tp2, fp2, tn2, fn2}
		for _, m := range measure.DisparityMeasures() {
			e, err := m.Of(c, r, confidence)
			sound(t, m.Name, e, err)
		}
		for name, score := range map[string]func(measure.Confusion, float64) (measure.Estimate, error){
			"accuracy": measure.AccuracyScore, "precision": measure.Precision, "recall": measure.Recall,
			"specificity": measure.Specificity, "f1": measure.F1,
		} {
			e, err := score(c, confidence)
			sound(t, name, e, err)
		}
		e, err := measure.MCC(c)
		sound(t, "mcc", e, err)
		e, err = measure.ImpactRatio([]measure.Proportion{c.Selection(), r.Selection(), c.Accuracy()}, confidence)
		sound(t, "impact ratio", e, err)
	})
}
