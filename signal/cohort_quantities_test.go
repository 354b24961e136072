package signal

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

func said(c *Cohort, b *Baseline, metric string) []string {
	var out []string
	for _, text := range texts(c.Quantities(b, FairnessOptions{Confidence: 0.95, MinShare: 0.1})) {
		if strings.HasPrefix(text, metric) {
			out = append(out, strings.TrimPrefix(text, metric+" "))
		}
	}
	return out
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Only the granted turn out at all, and a group appears late: both become
// visible.
func TestCohortShowsSelectiveLabels(t *testing.T) {
	b := decisionBaseline()
	c := newCohort(t, b)
	for range 4 {
		c.Add(b, row("1", 0.9, "1"))
		c.Add(b, row("0", 0.1, "", Membership{"gender", "female"}))
	}
	c.Add(b, row("", math.NaN(), "1", Membership{"gender", "male"})) // an answer without a decision
	expect(t, "coverage", said(c, b, "label.coverage"), []string{
		"0123456789ab 0.5556/9", "0123456789ab favourable 1/4", "0123456789ab unfavourable 0/4",
		"0123456789ab gender (unknown) 1/4", "0123456789ab gender female 0/4", "0123456789ab gender male 1/1",
	})
	if a := c.All; a.Unusable != 1 || a.Confusion.Accuracy().Total != 4 || a.Favourable+a.Unfavourable != 8 {
		t.Errorf("%+v", a)
	}
}

// The table of one attribute: every measure against the baseline's reference
// group, a group too small to be judged, and what is undefined left out.
func TestCohortComparesGroups(t *testing.T) {
	b := decisionBaseline()
	c := newCohort(t, b)
	add := func(n int, group, value, label string, score float64) {
		for range n {
			c.Add(b, row(value, score, label, Membership{"gender", group}))
		}
	}
	add(40, "male", "1", "1", 0.8)
	add(10, "male", "0", "1", 0.4)
	add(10, "male", "1", "0", 0.6)
	add(40, "male", "0", "0", 0.2)
	add(30, "female", "1", "1", 0.8)
	add(20, "female", "0", "1", 0.4)
	add(5, "female", "1", "0", 0.6)
	add(45, "female", "0", "0", 0.2)
	add(1, "rare", "0", "0", 0.2)
	expect(t, "disparities", said(c, b, "fairness.disparity"), []string{
		"equal_opportunity_difference gender female male true -0.2/100",
		"average_odds_difference gender female male true -0.15/200",
		"equalized_odds gender female male true 0.2/200",
		"predictive_parity_difference gender female male true 0.05714/85",
		"fnr_difference gender female male true 0.2/100",
		"fpr_difference gender female male true -0.1/100",
		"fpr_difference gender rare male false -0.2/51",
		"for_difference gender female male true 0.1077/115",
		"for_difference gender rare male false -0.2/51",
		"fdr_difference gender female male true -0.05714/85",
		"accuracy_difference gender female male true -0.05/200",
		"accuracy_difference gender rare male false 0.2/101",
		"calibration_error gender female true 0.2354/100",
		"calibration_error gender male true 0.2148/100",
		"calibration_error gender rare false 0/1",
	})
	// One group is compared and two are judged: the calibration's interval is
	// simultaneous, the difference's needs no correction.
	var table [2]measure.Confusion
	table[0] = measure.Confusion{TruePositive: 30, FalseNegative: 20, FalsePositive: 5, TrueNegative: 45}
	table[1] = measure.Confusion{TruePositive: 40, FalseNegative: 10, FalsePositive: 10, TrueNegative: 40}
	want, err := measure.EqualOpportunityDifference(table[0], table[1], 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range c.Quantities(nil, FairnessOptions{Reference: "male", Confidence: 0.95, MinShare: 0.1}) {
		if q.Dimension(KeyFairnessMetric) == FairnessEqualOpportunity && q.Dimension(KeyGroup) == "female" && *q.Estimate.Lower != *want.Lower {
			t.Errorf("lower limit %v, want %v", *q.Estimate.Lower, *want.Lower)
		}
	}
	// Without a baseline the largest group is the reference, of equals the first.
	for _, q := range c.Quantities(nil, FairnessOptions{Confidence: 0.95}) {
		if r := q.Dimension(KeyReferenceGroup); r != "" && r != "female" {
			t.Errorf("the reference group is %q", r)
		}
	}
	for _, q := range c.Quantities(b, FairnessOptions{Reference: "absent", Confidence: 0.95}) {
		if q.Dimension(KeyReferenceGroup) != "" {
			t.Errorf("compared with a group that is not there: %v", q)
		}
	}
}

func TestCohortOfNumbers(t *testing.T) {
	b := numberBaseline()
	c := newCohort(t, b)
	for _, p := range []*LabelledPrediction{
		row("1", 0, "2"), row("4", 0, "2"), row("3", 0, ""),
		row("", 0, "1"), row("much", 0, "1"), row("1", 0, "NaN"), row("1e71", 0, "1"), row("Inf", 0, "1"),
		row("3.5", 0, "5"),
	} {
		c.Add(b, p)
	}
	expect(t, "performance", said(c, b, "performance.score"), []string{
		"mae realized 0123456789ab 1.5/3", "rmse realized 0123456789ab 1.555/3", "r2 realized 0123456789ab -0.2083/3",
	})
	expect(t, "coverage", said(c, b, "label.coverage"), []string{"0123456789ab 0.8889/9"})
	if c.All.Unusable != 5 || c.All.Residuals.Rows != 3 {
		t.Errorf("%+v", c.All)
	}
}

func TestCohortOfClasses(t *testing.T) {
	b := classBaseline()
	c := newCohort(t, b)
	for _, p := range []*LabelledPrediction{
		row("cat", 0, "cat"), row("cat", 0, "cat"), row("cat", 0, "dog"), row("dog", 0, "dog"), row("1", 0, "1.0"), row("dog", 0, ""), row("", 0, "cat"),
	} {
		c.Add(b, p)
	}
	expect(t, "performance", said(c, b, "performance.score"), []string{
		"accuracy realized 0123456789ab 0.8/5",
		"precision realized 0123456789ab 1 1/1", "recall realized 0123456789ab 1 1/1", "f1 realized 0123456789ab 1 1/1",
		"precision realized 0123456789ab cat 0.6667/3", "recall realized 0123456789ab cat 1/2", "f1 realized 0123456789ab cat 0.8/3",
		"precision realized 0123456789ab dog 1/1", "recall realized 0123456789ab dog 0.5/2", "f1 realized 0123456789ab dog 0.6667/2",
	})
}

// Labels that write numbers otherwise mean the same class, also where the
// prediction was another one; codes that look like one number stay apart; and
// what the baseline has not is told without its text.
func TestCohortClassesAreTheBaselines(t *testing.T) {
	b := classBaseline()
	b.Features[0].Categories, b.Features[0].Counts = []string{"01", "1", "2.0"}, make([]uint64, 3)
	c := newCohort(t, b)
	for _, p := range []*LabelledPrediction{
		row("2.0", 0, "2"), row("2", 0, "1"), row("1", 0, "2"), row("01", 0, "1"), row("her own words", 0, "her own words"), row("7", 0, "7.0"), row("a", 0, "b"),
	} {
		c.Add(b, p)
	}
	want := map[string]ClassOutcomes{
		"01": {Predicted: 1}, "1": {Predicted: 1, Actual: 2}, "2.0": {Predicted: 2, Actual: 2, Right: 1}, "(other)": {Predicted: 3, Actual: 3, Right: 2},
	}
	if !maps.Equal(c.All.Classes, want) {
		t.Errorf("got %+v", c.All.Classes)
	}
}

// A label in another coding is no refusal: it can be used in no measure.
func TestCohortOfLabelsInAnotherCoding(t *testing.T) {
	words := decisionBaseline()
	words.Features[0].Categories = []string{"granted", "refused"}
	words.Outcome.Favourable.Values = []string{"granted"}
	numbers := decisionBaseline()
	numbers.Features[0] = FeatureBaseline{Name: "approved", Target: TargetPrediction, Kind: Numeric}
	folded := decisionBaseline()
	folded.Features[0].Other = 1
	for name, c := range map[string]struct {
		b                         *Baseline
		value                     string
		right, wrong, other       string
		unusable, negatives, hits uint64
	}{
		"words":   {words, "granted", "granted", "refused", "Granted", 2, 1, 1},
		"codes":   {decisionBaseline(), "1", "1.0", "false", "yes", 2, 1, 1},
		"numbers": {numbers, "1", "1", "0", "yes", 2, 1, 1},
		"folded":  {folded, "1", "1", "0", "withdrawn", 0, 3, 1},
	} {
		cohort := newCohort(t, c.b)
		for _, label := range []string{c.right, c.wrong, c.other, c.other} {
			cohort.Add(c.b, row(c.value, 0.9, label))
		}
		if a := cohort.All; a.Labelled != 4 || a.Unusable != c.unusable || a.Confusion != (measure.Confusion{TruePositive: c.hits, FalsePositive: c.negatives}) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// Scores of which some are no probability may have a mean that looks like one.
func TestCohortOfSomeScoresBeyondOne(t *testing.T) {
	b := decisionBaseline()
	c := newCohort(t, b)
	for i := range 20 {
		c.Add(b, row(bit(i > 9), 0.76, bit(i%5 > 1), Membership{"gender", "male"}))
	}
	c.Add(b, row("1", 1.4, "1", Membership{"gender", "female"}))
	for _, q := range c.Quantities(b, FairnessOptions{Confidence: 0.95}) {
		if strings.HasPrefix(q.Estimate.Convention, "ece/") && q.Dimension(KeyGroup) != "male" {
			t.Errorf("a calibration error of what is no probability: %+v", q)
		}
	}
}

// A score that is no probability has an order and no loss.
func TestCohortOfScoresBeyondOne(t *testing.T) {
	b := decisionBaseline()
	c := newCohort(t, b)
	for i := range 20 {
		c.Add(b, row(bit(i > 9), float64(i), bit(i%5 > 1)))
	}
	c.Add(b, row("1", math.Inf(1), "1"))
	var names []string
	for name := range realised(c.Quantities(b, FairnessOptions{Confidence: 0.95})) {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"accuracy", "auc", "f1", "mcc", "precision", "recall", "specificity"}; !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
	if n := scored(c.All.Scores); n != 20 {
		t.Errorf("%d scores", n)
	}
}

// A cohort without predictions says nothing.
func TestEmptyCohort(t *testing.T) {
	for _, b := range []*Baseline{decisionBaseline(), numberBaseline(), classBaseline()} {
		if got := newCohort(t, b).Quantities(b, FairnessOptions{Confidence: 0.95}); got != nil {
			t.Errorf("%v", got)
		}
	}
}

// Rows that another baseline would judge otherwise are counted, not judged.
func TestCohortOfAnotherTask(t *testing.T) {
	b := decisionBaseline()
	c := newCohort(t, b)
	edges := decisionBaseline()
	edges.Features[1].Grid = []float64{0.2, 0.5, 0.75}
	for _, other := range []*Baseline{numberBaseline(), nil, {}, edges} {
		c.Add(other, row("1", 0.5, "1", Membership{"gender", "male"}))
		c.Add(other, row("1", 0.5, ""))
	}
	if g := c.Attributes[0].Groups; len(g) != 2 || g[0].Predictions != 4 || g[1].Predictions != 4 || g[1].Unusable != 4 {
		t.Errorf("by group: %+v", g)
	}
	if a := c.All; a.Predictions != 8 || a.Labelled != 4 || a.Unusable != 4 || a.Confusion != (measure.Confusion{}) {
		t.Errorf("%+v", a)
	}
	same := decisionBaseline()
	c.Add(same, row("1", 0.5, "1"))
	if c.All.Confusion.TruePositive != 1 {
		t.Errorf("the same outcome in another baseline: %+v", c.All)
	}
}

// A cohort that was read goes on counting as one that was never written.
func TestCohortGoesOnAfterJSON(t *testing.T) {
	b := decisionBaseline()
	c := newCohort(t, b)
	c.Add(b, row("1", 0.9, "1", Membership{"gender", "male"}))
	var back Cohort
	if err := json.Unmarshal([]byte(cohortText(t, c)), &back); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*LabelledPrediction{row("0", 0.2, "1"), row("1", 0.3, "0", Membership{"gender", "female"})} {
		for _, to := range []*Cohort{c, &back} {
			to.Add(&Baseline{}, p)
			to.Add(b, p)
		}
	}
	if got, want := cohortText(t, &back), cohortText(t, c); got != want {
		t.Errorf("read\n%s\nwritten\n%s", got, want)
	}
}

// The names on the wire are those of the measures.
func TestMetricNamesAreTheMeasures(t *testing.T) {
	var fairness, performance []string
	for _, m := range measure.DisparityMeasures() {
		fairness = append(fairness, m.Name)
	}
	for _, m := range measure.ConfusionMeasures() {
		performance = append(performance, m.Name)
	}
	for _, m := range measure.LossMeasures() {
		performance = append(performance, m.Name)
	}
	for _, m := range measure.ResidualMeasures() {
		performance = append(performance, m.Name)
	}
	expect(t, "fairness", fairness, []string{
		FairnessParityDifference, FairnessDisparateImpact, FairnessEqualOpportunity, FairnessAverageOdds, FairnessEqualizedOdds,
		FairnessPredictiveParity, FairnessFalseNegativeRate, FairnessFalsePositiveRate, FairnessFalseOmissionRate,
		FairnessFalseDiscoveryRate, FairnessAccuracy,
	})
	expect(t, "performance", performance, []string{
		PerformanceAccuracy, PerformancePrecision, PerformanceRecall, PerformanceSpecificity, PerformanceF1, PerformanceMCC,
		PerformanceLogLoss, PerformanceBrier, PerformanceMAE, PerformanceRMSE, PerformanceR2,
	})
}
