package evaluate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// rich is a baseline with all that few models have: joint inputs, a text, and
// what a prediction means.
func rich(t testing.TB) *signal.Baseline {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	income, age := make([]float64, 4000), make([]float64, 4000)
	remark, approved := make([]string, len(income)), make([]string, len(income))
	for i := range income {
		income[i], age[i] = random.NormFloat64(), random.NormFloat64()
		remark[i] = []string{"repay the loan in time", "a house by the lake", "an old car"}[random.IntN(3)]
		approved[i] = fmt.Sprint(random.IntN(2))
	}
	columns := []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: income},
		{Name: "age", Target: signal.TargetFeature, Numbers: age},
		{Name: "approved", Target: signal.TargetPrediction, Strings: approved},
	}
	b, err := signal.BuildBaseline(columns, signal.BuildOptions{
		Model: loans, Windows: 20, Favourable: signal.Favourable{Values: []string{"1"}}, Outcome: &columns[2],
		Joint: []signal.JointColumns{{Name: "inputs", Target: signal.TargetMultivariate, Columns: columns[:2], Axes: 2}},
		Texts: []signal.TextColumn{{Column: signal.Column{Name: "remark", Target: signal.TargetFeature, Strings: remark}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Groups = []signal.GroupBaseline{{Attribute: "gender", Reference: "male"}}
	return b
}

// declareRich makes it the baseline of all that follows.
func (w *world) declareRich() {
	w.t.Helper()
	w.baseline = rich(w.t)
	content, err := canonical.JSON(w.baseline)
	if err != nil {
		w.t.Fatal(err)
	}
	w.digest, _ = w.baseline.Digest()
	w.write(&model.Rows{Baselines: []model.Baseline{{Digest: w.digest, System: "bank", Model: loans, SeenAt: noon, Content: string(content)}}})
}

// report is one replica's window of a rich baseline's columns: the baseline's
// own counts, or in those that moved all in one cell.
func (w *world) report(slot int, moved ...signal.FeatureName) {
	w.t.Helper()
	w.sequence["a"]++
	end := noon.Add(time.Duration(slot) * length)
	rows := &model.Rows{}
	for i := range w.baseline.Features {
		f := &w.baseline.Features[i]
		d := &signal.Distribution{
			System: "bank", Model: loans, Window: signal.WindowID{Instance: "a", Sequence: w.sequence["a"]},
			Start: end.Add(-length), End: end, Parts: len(w.baseline.Features), Baseline: w.digest,
			Target: f.Target, Feature: f.Name, Kind: f.Kind, Counts: slices.Clone(f.Counts), Missing: f.Missing, Other: f.Other, N: f.N,
			Sum: f.Sum, SumSquares: f.SumSquares, Min: math.NaN(), Max: math.NaN(),
		}
		if f.Kind == signal.Numeric {
			d.Min, d.Max = f.Min, f.Max
		}
		d.Bounds, _ = f.Bounds()
		if slices.Contains(moved, f.Name) {
			gather(f, d)
		}
		rows.Distributions = append(rows.Distributions, d)
	}
	w.write(rows)
}

// gather moves all values of a column into the first cell that holds any.
func gather(f *signal.FeatureBaseline, d *signal.Distribution) {
	first := slices.IndexFunc(d.Counts, func(c uint64) bool { return c > 0 })
	n := uint64(0)
	for k := range d.Counts {
		n += d.Counts[k]
		d.Counts[k] = 0
	}
	d.Counts[first] = n
	if f.Kind == signal.Numeric {
		x := f.Min
		d.Min, d.Max, d.Sum, d.SumSquares = x, x, float64(n)*x, float64(n)*x*x
	}
}

// predictions are a hundred women's and a hundred men's in a slot, all of whom
// deserved what is favourable, with their labels.
func (w *world) predictions(slot int, womenApproved, menApproved int) {
	w.t.Helper()
	end := noon.Add(time.Duration(slot) * length)
	rows := &model.Rows{}
	for i := range 400 {
		group, approved, actual := "female", womenApproved, "1"
		if i%2 == 1 {
			group, approved = "male", menApproved
		}
		value := "0"
		if i/4 < approved {
			value = "1"
		}
		if i/2%2 == 1 { // who deserved nothing got nothing
			actual, value = "0", "0"
		}
		id := fmt.Sprintf("%d-%d", slot, i)
		rows.Predictions = append(rows.Predictions, signal.Prediction{
			System: "bank", Model: loans, Instance: "a", ID: id, Time: end.Add(-time.Second), Value: value, Score: math.NaN(), Rate: 1,
			Baseline: w.digest, Groups: []signal.Membership{{Attribute: "gender", Group: group}}, Basis: "test",
		})
		rows.Labels = append(rows.Labels, signal.Label{System: "bank", ID: id, Value: actual, Time: end, Received: end})
	}
	w.write(rows)
}

// What needs an embedding, a text or labels is judged as well, from what fleet
// makes of distributions and of predictions with their labels.
func TestShippedRulesOfJointInputsTextsAndLabels(t *testing.T) {
	w := newWorldWith(t, `overrides:
  - {system: bank, rule: DRF-04, window: 10s}
  - {system: bank, rule: FAI-03, window: 10s, min_samples: 100, margin: 0.2}
`, "iso42001-drift", "iso42001-fairness")
	w.declareRich()
	w.horizon = 20 * time.Second
	w.restart()
	w.at(0)
	w.report(1)
	w.predictions(1, 50, 50)
	w.at(16 * time.Second)
	w.report(2, "inputs/01", "remark.trigrams", "remark.length")
	w.predictions(2, 20, 80)
	for _, second := range []int{26, 36, 46, 56} {
		w.restart() // labelled windows are closed out of memory
		w.at(time.Duration(second) * time.Second)
		w.at(time.Duration(second+1) * time.Second)
	}
	drift := w.stored("DRF-04")
	want := []string{
		"@10s inputs pass ok 1", "@10s remark.length pass ok 1", "@10s remark.non_letters pass ok 1", "@10s remark.script pass ok 1",
		"@10s remark.tokens pass ok 1", "@10s remark.trigrams pass ok 1",
		"@20s inputs fail pending 1", "@20s remark.length fail pending 1", "@20s remark.non_letters pass ok 2", "@20s remark.script pass ok 2",
		"@20s remark.tokens pass ok 2", "@20s remark.trigrams fail pending 1",
	}
	drift = slices.DeleteFunc(drift, func(line string) bool { return !strings.HasPrefix(line, "@10s") && !strings.HasPrefix(line, "@20s") })
	if !slices.Equal(sorted(drift), want) {
		t.Errorf("DRF-04:\n got %q\nwant %q", sorted(drift), want)
	}
	fair := []string{"@10s gender,female pass ok 1", "@20s gender,female fail firing 1"}
	if got := w.stored("FAI-03"); len(got) < 2 || !slices.Equal(got[:2], fair) {
		t.Errorf("FAI-03: %q", got)
	}
	for _, ev := range w.consumed {
		switch {
		case ev.Verdict != signal.Fail:
		case ev.Rule == "FAI-03" && !strings.HasPrefix(ev.Reason, "equalized odds of gender female is 0.6 ("):
			t.Errorf("reason: %s", ev.Reason)
		case ev.Rule == "DRF-04" && ev.Subject["evenkeel_feature_name"] == "remark.length" && !strings.Contains(ev.Reason, `" rose from `),
			strings.HasSuffix(ev.Subject["evenkeel_feature_name"], ".trigrams") && strings.Contains(ev.Reason, " rose "): // a hash means nothing to people
			t.Errorf("reason: %s", ev.Reason)
		}
	}
}

// Values that have not changed stay within the extremes of the baseline, a
// tenth of their distance aside, as far as DQ-02 asks for it; also long tails.
func TestAnUnchangedStreamIsNotOutOfRange(t *testing.T) {
	set, err := rules.Load(rules.Options{Packs: []string{"iso42001-data-quality"}})
	if err != nil {
		t.Fatal(err)
	}
	rule := set.Rule("", "DQ-02")
	var random *rand.Rand
	for name, draw := range map[string]func() float64{
		"normal":    func() float64 { return random.NormFloat64() },
		"lognormal": func() float64 { return math.Exp(2 * random.NormFloat64()) },
		"pareto":    func() float64 { return math.Pow(1-random.Float64(), -1/1.1) },
		"uniform":   func() float64 { return random.Float64() },
	} {
		random = rand.New(rand.NewPCG(3, 4)) // the order of a map is another each time
		doubts := 0
		for range 300 {
			low, high := math.Inf(1), math.Inf(-1)
			for range 1000 {
				x := draw()
				low, high = min(low, x), max(high, x)
			}
			counts := measure.QualityCounts{Rows: 1000}
			for range counts.Rows {
				if x := draw(); x < low-(high-low)/10 || x > high+(high-low)/10 {
					counts.OutOfRange++
				}
			}
			share, err := counts.OutOfRangeShare(0.95)
			if err != nil {
				t.Fatal(err)
			}
			ground := measure.Decide(&share, measure.Requirement{Fail: rule.Fail, Warn: rule.Warn, Confident: true, MinSamples: rule.Method.MinSamples, Margin: rule.Method.Margin})
			switch signal.VerdictOn(ground) {
			case signal.Pass:
			case signal.Warn:
				doubts++
			default:
				t.Fatalf("%s: %v of 1000 are out of range: %s", name, counts.OutOfRange, ground)
			}
		}
		if doubts > 1 { // half of a long tail's windows have one value or more, one in 2^12 has twelve
			t.Errorf("%s: %d of 300 windows are inconclusive", name, doubts)
		}
	}
}
