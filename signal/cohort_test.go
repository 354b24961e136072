package signal

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// decisionBaseline has a decision "approved", a score on four cells, and a
// protected attribute.
func decisionBaseline() *Baseline {
	return &Baseline{
		Features: []FeatureBaseline{
			{Name: "approved", Target: TargetPrediction, Kind: Categorical, Categories: []string{"0", "1"}},
			{Name: "p", Target: TargetPrediction, Kind: Numeric, Grid: []float64{0.25, 0.5, 0.75}},
		},
		Groups:  []GroupBaseline{{Attribute: "gender", Reference: "male"}},
		Outcome: &OutcomeBaseline{Output: "approved", Favourable: &Favourable{Values: []string{"1"}}, Score: "p"},
	}
}

func numberBaseline() *Baseline {
	return &Baseline{
		Features: []FeatureBaseline{{Name: "price", Target: TargetPrediction, Kind: Numeric}}, Outcome: &OutcomeBaseline{Output: "price"},
	}
}

func classBaseline() *Baseline {
	return &Baseline{
		Features: []FeatureBaseline{{Name: "kind", Target: TargetPrediction, Kind: Categorical}}, Outcome: &OutcomeBaseline{Output: "kind"},
	}
}

func newCohort(t interface{ Fatal(...any) }, b *Baseline) *Cohort {
	c, err := NewCohort(b, "sha256:0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// row is a prediction with its label; "" has none.
func row(value string, score float64, label string, groups ...Membership) *LabelledPrediction {
	p := &LabelledPrediction{Prediction: Prediction{Value: value, Score: score, Groups: groups}}
	if label != "" {
		p.Label = &Label{Value: label}
	}
	return p
}

func rows(of *Baseline) *rapid.Generator[[]*LabelledPrediction] {
	values := []string{"", "0", "1", "2.5", "blue"}
	if of.Outcome.Favourable == nil {
		values = append(values, "-7", "1e90", "red")
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *LabelledPrediction {
		score := float64(rapid.IntRange(-8, 80).Draw(t, "64ths")) / 64
		if rapid.IntRange(0, 9).Draw(t, "no score") == 0 {
			score = math.NaN()
		}
		p := row(rapid.SampledFrom(values).Draw(t, "value"), score, rapid.SampledFrom(values).Draw(t, "label"))
		if rapid.Bool().Draw(t, "gender") {
			p.Groups = append(p.Groups, Membership{"gender", rapid.SampledFrom([]string{"female", "male"}).Draw(t, "is")})
		}
		if rapid.IntRange(0, 4).Draw(t, "region") == 0 {
			p.Groups = append(p.Groups, Membership{"region", "north"})
		}
		return p
	}), 0, 60)
}

// A cohort of parts merged is the cohort of the whole, whatever was in the parts
// and wherever they were cut.
func TestCohortOfPartsIsTheWhole(t *testing.T) {
	for _, b := range []*Baseline{decisionBaseline(), numberBaseline(), classBaseline()} {
		rapid.Check(t, func(t *rapid.T) {
			all := rows(b).Draw(t, "rows")
			cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
			whole, first, second := newCohort(t, b), newCohort(t, b), newCohort(t, b)
			for i, p := range all {
				whole.Add(b, p)
				if i < cut {
					first.Add(b, p)
				} else {
					second.Add(b, p)
				}
			}
			later := cohortText(t, second)
			if err := first.Merge(second); err != nil {
				t.Fatal(err)
			}
			if got := cohortText(t, second); got != later {
				t.Fatalf("merging has changed the other part from\n%s\nto\n%s", later, got)
			}
			got, want := first.Quantities(b, FairnessOptions{Confidence: 0.95}), whole.Quantities(b, FairnessOptions{Confidence: 0.95})
			if !slices.Equal(texts(got), texts(want)) {
				t.Fatalf("parts\n%s\nwhole\n%s", strings.Join(texts(got), "\n"), strings.Join(texts(want), "\n"))
			}
			exactly(first, whole)
			if got, want := cohortText(t, first), cohortText(t, whole); got != want {
				t.Fatalf("parts\n%s\nwhole\n%s", got, want)
			}
		})
	}
}

// exactly leaves out the sums that differ by rounding with the order of adding.
func exactly(cohorts ...*Cohort) {
	for _, c := range cohorts {
		all := []*Outcomes{&c.All}
		for i := range c.Attributes {
			for j := range c.Attributes[i].Groups {
				all = append(all, &c.Attributes[i].Groups[j].Outcomes)
			}
		}
		for _, o := range all {
			o.Loss = measure.ProbabilityLoss{Rows: o.Loss.Rows}
			o.Residuals = measure.Residuals{Rows: o.Residuals.Rows}
		}
	}
}

func cohortText(t interface{ Fatal(...any) }, c *Cohort) string {
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is read from JSON is what was written, and says the same.
func TestCohortSurvivesJSON(t *testing.T) {
	for _, b := range []*Baseline{decisionBaseline(), numberBaseline(), classBaseline()} {
		rapid.Check(t, func(t *rapid.T) {
			c := newCohort(t, b)
			for _, p := range rows(b).Draw(t, "rows") {
				c.Add(b, p)
			}
			text := cohortText(t, c)
			var back Cohort
			if err := json.Unmarshal([]byte(text), &back); err != nil {
				t.Fatal(err)
			}
			if again := cohortText(t, &back); again != text {
				t.Fatalf("written %s\nread    %s", text, again)
			}
			o := FairnessOptions{Confidence: 0.95, MinShare: 0.02}
			if got, want := back.Quantities(b, o), c.Quantities(b, o); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

// Every number is what the measures say about the raw rows; the area under the
// curve and the calibration error know the scores by cell only.
func TestCohortAgreesWithRawRows(t *testing.T) {
	b := decisionBaseline()
	rapid.Check(t, func(t *rapid.T) {
		c := newCohort(t, b)
		var table measure.Confusion
		var loss measure.ProbabilityLoss
		var scores []float64
		var actual []bool
		for range rapid.IntRange(1, 100).Draw(t, "rows") {
			y, decided, score := rapid.Bool().Draw(t, "actual"), rapid.Bool().Draw(t, "decided"), rapid.Float64Range(0, 1).Draw(t, "score")
			c.Add(b, row(bit(decided), score, bit(y)))
			table.Add(decided, y)
			if err := loss.Add(score, y); err != nil {
				t.Fatal(err)
			}
			scores, actual = append(scores, score), append(actual, y)
		}
		cells, err := measure.DistinctScores(scores, actual)
		if err != nil {
			t.Fatal(err)
		}
		found := realised(c.Quantities(b, FairnessOptions{Confidence: 0.9}))
		for name, of := range map[string]func() (measure.Estimate, error){
			PerformanceAccuracy:    func() (measure.Estimate, error) { return measure.AccuracyScore(table, 0.9) },
			PerformancePrecision:   func() (measure.Estimate, error) { return measure.Precision(table, 0.9) },
			PerformanceRecall:      func() (measure.Estimate, error) { return measure.Recall(table, 0.9) },
			PerformanceSpecificity: func() (measure.Estimate, error) { return measure.Specificity(table, 0.9) },
			PerformanceF1:          func() (measure.Estimate, error) { return measure.F1(table, 0.9) },
			PerformanceMCC:         func() (measure.Estimate, error) { return measure.MCC(table) },
			PerformanceLogLoss:     func() (measure.Estimate, error) { return loss.LogLossScore(0.9) },
			PerformanceBrier:       func() (measure.Estimate, error) { return loss.Brier(0.9) },
		} {
			want, err := of()
			got, ok := found[name]
			if ok != (err == nil) || ok && !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %+v, %v, want %+v, %v", name, got, ok, want, err)
			}
		}
		exact, err := measure.AUC(cells, 0.9)
		area, ok := found[PerformanceAUC]
		if ok != (err == nil) || ok && (exact.Value < *area.Lower-1e-12 || exact.Value > *area.Upper+1e-12) {
			t.Fatalf("auc %+v, exactly %+v", area, exact)
		}
		corrected, raw := found[PerformanceECE], found[PerformanceECERaw]
		if raw.Samples != uint64(len(scores)) || corrected.Samples != raw.Samples || corrected.Value > raw.Value {
			t.Fatalf("calibration error %+v, uncorrected %+v", corrected, raw)
		}
	})
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// realised gives the performance over all rows by its metric.
func realised(found []Quantity) map[string]measure.Estimate {
	out := map[string]measure.Estimate{}
	for _, q := range found {
		if q.Metric == MetricPerformance && q.Dimension(KeyBasis) == BasisRealized && q.Dimension(KeyClass) == "" {
			out[q.Dimension(KeyPerformance)] = q.Estimate
		}
	}
	return out
}

// African-American against Caucasian, the score 1 taken as the outcome.
func TestCohortOfCompas(t *testing.T) {
	b := decisionBaseline()
	b.Groups = nil
	c := newCohort(t, b)
	score, label, race := shareddata.Texts(t, "compas.csv", "score"), shareddata.Texts(t, "compas.csv", "label_value"), shareddata.Texts(t, "compas.csv", "race")
	for i := range score {
		c.Add(b, row(score[i], math.NaN(), label[i], Membership{"race", race[i]}))
	}
	found := map[string]float64{}
	for _, q := range c.Quantities(b, FairnessOptions{Reference: "Caucasian", Confidence: 0.95, MinShare: 0.02}) {
		if q.Metric == MetricDisparity && q.Dimension(KeyGroup) == "African-American" {
			found[q.Dimension(KeyFairnessMetric)] = q.Estimate.Value
		}
	}
	for metric, want := range map[string]float64{
		FairnessEqualOpportunity: 0.1973730, FairnessFalseNegativeRate: -0.1973730, FairnessFalsePositiveRate: 0.2139250,
		FairnessAverageOdds: 0.2056490, FairnessEqualizedOdds: 0.2139250,
	} {
		near(t, metric, found[metric], want, 5e-7)
	}
	if len(found) != 9 {
		t.Errorf("%d measures: %v", len(found), found)
	}
}

// Rows come one after another: the steady state allocates nothing.
func TestCohortAddAllocatesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		b *Baseline
		p *LabelledPrediction
	}{
		"decision":   {decisionBaseline(), row("1", 0.4, "0", Membership{"gender", "female"}, Membership{"region", "north"})},
		"words":      {wordsBaseline(), row("approved", 0.4, "refused")},
		"number":     {numberBaseline(), row("12.5", math.NaN(), "13")},
		"class":      {classBaseline(), row("cat", math.NaN(), "dog")},
		"no label":   {decisionBaseline(), row("1", 0.4, "")},
		"no decison": {decisionBaseline(), row("", 0.4, "1")},
	} {
		cohort := newCohort(t, c.b)
		cohort.Add(c.b, c.p)
		if n := testing.AllocsPerRun(100, func() { cohort.Add(c.b, c.p) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func wordsBaseline() *Baseline {
	b := decisionBaseline()
	b.Outcome = &OutcomeBaseline{Output: "approved", Favourable: &Favourable{Values: []string{"approved", "granted"}}, Score: "elsewhere"}
	return b
}

func TestNewCohortNeedsAnOutcome(t *testing.T) {
	unknown := numberBaseline()
	unknown.Outcome.Output = "elsewhere"
	for name, b := range map[string]*Baseline{"no baseline": nil, "no outcome": {}, "an output that is not there": unknown} {
		if c, err := NewCohort(b, "sha256:1"); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	// Scores without a column of their own are counted in twentieths.
	if c := newCohort(t, wordsBaseline()); len(c.All.Scores) != 20 || c.Task != TaskDecision {
		t.Errorf("%d cells of %s", len(c.All.Scores), c.Task)
	}
}

func TestCohortMergeRefuses(t *testing.T) {
	a := newCohort(t, decisionBaseline())
	other, err := NewCohort(decisionBaseline(), "sha256:2")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]*Cohort{"baseline": other, "task": newCohort(t, numberBaseline()), "cells": newCohort(t, wordsBaseline())} {
		if err := a.Merge(o); err == nil {
			t.Errorf("another %s was merged", name)
		}
	}
}

// Too many groups and classes are folded together, and nothing is lost.
func TestCohortFoldsWhatIsTooMuch(t *testing.T) {
	b := decisionBaseline()
	decisions, classes := newCohort(t, b), newCohort(t, classBaseline())
	for i := range 3 * maxCohortGroups {
		name := strconv.Itoa(i)
		decisions.Add(b, row("1", 0.5, "1", Membership{FeatureName("id"), name}, Membership{FeatureName(name), "x"}))
		classes.Add(classBaseline(), row("k"+name, math.NaN(), "k"+strconv.Itoa(i+i%2)))
	}
	if n := len(decisions.Attributes); n != maxCohortAttributes {
		t.Errorf("%d attributes", n)
	}
	for _, a := range decisions.Attributes {
		var all uint64
		for _, g := range a.Groups {
			all += g.Predictions
		}
		if all != decisions.All.Predictions || len(a.Groups) > maxCohortGroups+1 {
			t.Errorf("%s: %d predictions in %d groups", a.Attribute, all, len(a.Groups))
		}
	}
	var all, right uint64
	for _, k := range classes.All.Classes {
		all, right = all+k.Predicted, right+k.Right
	}
	if all != 3*maxCohortClasses || right != all/2 || len(classes.All.Classes) > maxCohortClasses+1 {
		t.Errorf("%d rows, %d right, in %d classes", all, right, len(classes.All.Classes))
	}
}

// However many groups come first, the unknown and the baseline's keep their names.
func TestCohortKeepsTheBaselinesGroups(t *testing.T) {
	b := decisionBaseline()
	b.Groups[0].Counts = []GroupCount{{Group: "female", Total: 1}}
	c := newCohort(t, b)
	for i := range 3 * maxCohortGroups {
		c.Add(b, row("1", 0.5, "1", Membership{"gender", strconv.Itoa(i)}))
	}
	for _, name := range []string{"female", "male", GroupUnknown} {
		c.Add(b, row("1", 0.5, "1", Membership{"gender", name}))
		if _, found := c.Attributes[0].find(name); !found {
			t.Errorf("%s is folded together with others", name)
		}
	}
}

func BenchmarkCohortAdd(b *testing.B) {
	base := decisionBaseline()
	c := newCohort(b, base)
	var all []*LabelledPrediction
	for i := range 64 {
		all = append(all, row(bit(i%2 == 0), float64(i)/64, bit(i%3 == 0), Membership{"gender", []string{"female", "male"}[i%2]}, Membership{"region", fmt.Sprint(i % 8)}))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Add(base, all[i%64])
		i++
	}
}
