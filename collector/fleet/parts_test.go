package fleet

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// However the rows are dealt out over replicas, the joint scores are those that
// the raw rows give.
func TestJointScoresAreThoseOfTheRawRows(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	reference, current := jointRows(1, 400, 0), jointRows(2, 90, 0.4)
	b := jointBaseline(t, reference)
	w.digest = w.declare(b)
	w.at(0)
	w.dispatch("a", noon.Add(length), 1, jointParts(t, b, current[:25])...)
	w.dispatch("b", noon.Add(length), 1, jointParts(t, b, current[25:26])...)
	w.dispatch("c", noon.Add(length), 1, jointParts(t, b, current[26:])...)
	w.at(15 * time.Second)
	w.want(1)

	mmd, err := measure.MMD(reference, current, measure.MMDOptions{Frequencies: 32, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	wasserstein, js := slicedByHand(t, b, reference, current)
	if !(mmd.Estimate.Value > 0.05 && wasserstein > 0.05 && js > 0.05) {
		t.Fatalf("nothing to see: mmd %v, sliced wasserstein %v, sliced js %v", mmd.Estimate.Value, wasserstein, js)
	}
	w.expect(map[string]float64{
		"evenkeel_drift_score mmd pair 10s @10s":                        mmd.Estimate.Value,
		"evenkeel_drift_score_samples mmd pair 10s @10s":                90,
		"evenkeel_drift_score sliced_wasserstein pair 10s @10s":         wasserstein,
		"evenkeel_drift_score_samples sliced_wasserstein pair 10s @10s": 90,
		"evenkeel_drift_score sliced_js pair 10s @10s":                  js,
		"evenkeel_drift_limit sliced_wasserstein pair 10s @10s":         0.125,
	}, 1e-9)
	for key := range w.values() {
		if strings.Contains(key, "pair/") || strings.Contains(key, "limit") && strings.Contains(key, "mmd") {
			t.Errorf("%s is stored", key)
		}
	}
	if got := count(t, w.fleet.metrics.unscored.WithLabelValues("other bounds")); got != 0 {
		t.Errorf("%v parts have other bounds", got)
	}
}

// slicedByHand gives the mean distances over all axes, from the rows themselves.
func slicedByHand(t *testing.T, b *signal.Baseline, reference, current [][]float64) (wasserstein, js float64) {
	t.Helper()
	before, after := projected(t, b.Joint[0].Projections, reference), projected(t, b.Joint[0].Projections, current)
	for k := range axes {
		f := &b.Features[k]
		r, c := numbers(f, before[k]), numbers(f, after[k])
		moments := func(d *signal.Distribution) measure.Moments {
			return measure.Moments{N: d.N, Sum: d.Sum, SumSquares: d.SumSquares, Min: d.Min, Max: d.Max}
		}
		e, err := measure.Wasserstein(f.Grid, measure.Binned{Counts: r.Counts, Moments: moments(r)}, measure.Binned{Counts: c.Counts, Moments: moments(c)})
		if err != nil {
			t.Fatal(err)
		}
		wasserstein += e.Value / axes
		deciles := func(values []float64) []uint64 {
			out := make([]uint64, len(f.Deciles)+1)
			for _, x := range values {
				cell := 0
				for cell < len(f.Deciles) && x > f.Grid[f.Deciles[cell]] {
					cell++
				}
				out[cell]++
			}
			return out
		}
		if e, err = measure.JS(deciles(before[k]), deciles(after[k])); err != nil {
			t.Fatal(err)
		}
		js += e.Value / axes
	}
	return wasserstein, js
}

// Of a replica that profiles a tenth of its requests a row counts for ten, and
// the sum is worth as many rows as its weights say.
func TestReplicasOfDifferentRatesAreBlended(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	women := func(favourable, total uint64) []signal.GroupCount {
		return []signal.GroupCount{{Group: "female", Favourable: favourable, Total: total}, {Group: "male", Favourable: total / 2, Total: total}}
	}
	w.dispatch("a", noon.Add(5*time.Second), 1, w.parts("", noon, [4]uint64{5, 10, 15, 20}, women(15, 50)...)...)
	w.dispatch("a", noon.Add(length), 1, w.parts("", noon, [4]uint64{5, 10, 15, 20}, women(15, 50)...)...)
	w.dispatch("b", noon.Add(length), 0.1, w.parts("", noon, [4]uint64{5, 5, 5, 5}, women(4, 10)...)...)
	w.at(15 * time.Second)
	if fw := w.want(1); fw.Rows != 220 {
		t.Errorf("%d rows were counted", fw.Rows)
	}
	// 100 rows of weight 1 and 20 of weight 10: 300^2 / (100 + 2000) = 42.9 rows,
	// in shares of 60, 70, 80 and 90 of 300.
	psi := 0.0
	for _, cell := range []float64{8, 10, 11, 13} {
		psi += (cell/42 - 0.25) * math.Log(cell/42/0.25)
	}
	w.expect(map[string]float64{
		"evenkeel_drift_score_samples psi income 10s @10s": 42,
		"evenkeel_drift_score psi income 10s @10s":         psi,
		// 100 women of weight 1 and 10 of weight 10: 200^2 / (100 + 1000) = 36.4, of
		// whom 30 + 40 of 200 are favoured.
		"evenkeel_fairness_selection_rate_samples gender female true 10s @10s": 36,
		"evenkeel_fairness_selection_rate gender female true 10s @10s":         13.0 / 36,
	}, 1e-9)
}

// The order in which parts come changes no count of a blend.
func TestABlendDoesNotDependOnTheOrder(t *testing.T) {
	part := func(rate float64, counts ...uint64) *signal.Distribution {
		return &signal.Distribution{Target: signal.TargetFeature, Feature: "f", Counts: counts, N: counts[0] + counts[1], Rate: rate}
	}
	parts := []*signal.Distribution{part(0, 3, 4), part(0.5, 7, 1), part(1, 5, 5), part(0.1, 2, 9)}
	var first string
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		p := newPile()
		for _, i := range order {
			if err := p.add(parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := p.sum()
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(sum.Counts, sum.N); first == "" {
			first = text
		} else if text != first {
			t.Errorf("%s, and in another order %s", first, text)
		}
	}
}

// What a replica holds back after its last window is what it holds: not the sum
// over its windows.
func TestHeldRowsAreThoseOfTheLastWindows(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	for _, one := range []struct {
		replica signal.InstanceID
		second  time.Duration
		held    uint64
	}{{"a", 4, 3}, {"a", 8, 0}, {"a", 10, 2}, {"b", 10, 4}, {"c", 5, 1}, {"c", 10, 0}} {
		parts := w.parts("", noon, [4]uint64{9, 9, 9, 9}, group("male", 20, 33))
		parts[1].Held = one.held
		w.dispatch(one.replica, noon.Add(one.second*time.Second), 1, parts...)
	}
	w.at(15 * time.Second)
	w.want(1)
	w.expect(map[string]float64{"evenkeel_fairness_held gender 10s @10s": 6, "evenkeel_fairness_held_samples gender 10s @10s": 6 * 33}, 0)
}

// Whole rows, estimated performance and texts are added up over replicas; what
// came under other bounds is counted and not scored.
func TestSketchesEstimatesAndTextsAreScored(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	b := decisionBaseline("1")
	b.Outcome.Calibrator = &measure.Calibrator{Scores: []float64{0, 1}, Probabilities: []float64{0.1, 0.9}, Rows: 100}
	length := textColumn("q.length", signal.Numeric)
	trigrams := textColumn("q.trigrams", signal.Categorical)
	b.Features = append(b.Features, length, trigrams)
	w.digest = w.declare(b)
	bounds, err := b.Outcome.EstimateBounds()
	if err != nil {
		t.Fatal(err)
	}
	var all measure.ExpectedPerformance
	var seen measure.HyperLogLog
	w.at(0)
	for i, replica := range []signal.InstanceID{"a", "b"} {
		rows := sumsOf(signal.TargetRows, "(rows)", 100)
		rows.Distinct, rows.Bounds = &measure.HyperLogLog{}, "sha256:rows"
		sketch(50*i, rows.Distinct, &seen) // half of them are those of the other
		estimate := sumsOf(signal.TargetPerformance, "approved", 80)
		estimate.Estimated, estimate.Bounds = &measure.ExpectedPerformance{}, bounds
		for n := range 80 {
			promise(t, b, float64(n+i)/100, estimate.Estimated, &all)
		}
		foreign := estimate.Clone()
		foreign.Feature, foreign.Bounds = "score", "sha256:other"
		letters, grams := counted(t, &length, 20, 30, 30, 20), counted(t, &trigrams, 1000, 3000, 0, 0)
		w.dispatch(replica, noon.Add(10*time.Second), 1, rows, estimate, foreign, letters, grams)
	}
	w.at(15 * time.Second)
	if fw := w.want(1); fw.Rows != 200 {
		t.Errorf("%d rows, of which trigrams are none", fw.Rows)
	}
	duplicates, err := measure.DuplicateShare(&seen, 200, 0.95)
	accuracy, undefined := all.Accuracy()
	if err != nil || undefined != nil {
		t.Fatal(err, undefined)
	}
	w.expect(map[string]float64{
		"evenkeel_feature_quality_ratio duplicate (rows) 10s @10s":         duplicates.Value,
		"evenkeel_feature_quality_ratio_samples duplicate (rows) 10s @10s": 200,
		"evenkeel_performance_score accuracy 10s @10s":                     accuracy.Value,
		"evenkeel_performance_score_samples accuracy 10s @10s":             160,
		"evenkeel_drift_score tvd q.length 10s @10s":                       0.1,
		"evenkeel_drift_score_samples psi q.length 10s @10s":               200,
		"evenkeel_drift_score tvd q.trigrams 10s @10s":                     0.5,
		"evenkeel_drift_evidence_samples q.length 10s @10s":                200,
	}, 1e-9)
	for key := range w.values() {
		if strings.HasPrefix(key, "evenkeel_drift_evidence") && strings.Contains(key, "trigrams") {
			t.Errorf("%s: trigrams are no independent rows", key)
		}
	}
	if got := count(t, w.fleet.metrics.unscored.WithLabelValues("other bounds")); got != 1 {
		t.Errorf("%v columns have other bounds", got)
	}
}

// sketch shows a hundred rows, from the given one on.
func sketch(from int, into ...*measure.HyperLogLog) {
	for n := range 100 {
		for _, s := range into {
			s.Add(measure.RowHash(0).Number(float64(from + n)))
		}
	}
}

// promise counts a score in what it promises.
func promise(t *testing.T, b *signal.Baseline, score float64, into ...*measure.ExpectedPerformance) {
	t.Helper()
	for _, p := range into {
		if err := p.Add(b.Outcome.Calibrator, score, score > 0.5); err != nil {
			t.Fatal(err)
		}
	}
}

// textColumn is a column of what texts are made of, in four even cells.
func textColumn(name signal.FeatureName, kind signal.Kind) signal.FeatureBaseline {
	f := signal.FeatureBaseline{Name: name, Target: signal.TargetText, Kind: kind, Counts: []uint64{100, 100, 100, 100}, N: 400}
	if kind == signal.Numeric {
		f.Grid, f.Deciles = []float64{1, 2, 3}, []int{0, 1, 2}
	} else {
		f.Categories = []string{"0", "1", "2", "3"}
	}
	return f
}

// counted is a window of a column.
func counted(t *testing.T, f *signal.FeatureBaseline, counts ...uint64) *signal.Distribution {
	t.Helper()
	d := &signal.Distribution{Target: f.Target, Feature: f.Name, Kind: f.Kind, Counts: counts, Min: math.NaN(), Max: math.NaN()}
	for _, c := range counts {
		d.N += c
	}
	var err error
	if d.Bounds, err = f.Bounds(); err != nil {
		t.Fatal(err)
	}
	return d
}

// suffixes are those of all that may stand beside a value.
var suffixes = []string{
	signal.SuffixLower, signal.SuffixUpper, signal.SuffixSamples, signal.SuffixP, signal.SuffixPAdjusted,
	signal.SuffixBound, signal.SuffixCritical, signal.SuffixVisible, signal.SuffixLeast, signal.SuffixGreatest,
}

// Whatever is stored beside a value has its labels, the convention among them,
// and p-values are adjusted over the columns of the window.
func TestEverySeriesNamesItsConvention(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	cohorts := w.options.Rules
	w.options.Rules = newWorld(t, w.store).options.Rules
	w.declareBaseline()
	w.restart()
	w.at(0)
	parts := w.parts("a", noon.Add(length), [4]uint64{10, 20, 30, 40}, group("female", 30, 50), group("male", 30, 50))
	for _, d := range parts {
		d.Capture = signal.Capture{Seen: 60, Profiled: 50, Dropped: 10}
	}
	w.arrive(parts...)
	w.at(15 * time.Second)
	w.options.Rules = cohorts
	w.digest = w.declare(decisionBaseline("1"))
	w.slot(1)
	w.restart()
	w.at(32 * time.Second)
	w.at(33 * time.Second)
	w.want(2)

	data, err := w.store.(model.SeriesReader).SelectSeries(context.Background(),
		[]model.Matcher{{Name: "evenkeel_scope", Type: model.MatchEqual, Value: "fleet"}}, noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	values, siblings, found := map[string]bool{}, map[string]string{}, map[string]bool{}
	for _, s := range data {
		name, of := s.Name, s.Name
		for _, suffix := range suffixes {
			if base, is := strings.CutSuffix(name, strings.ReplaceAll(suffix, ".", "_")); is {
				of, found[suffix] = base, true
			}
		}
		series := fmt.Sprint(of, s.Labels)
		if of == name {
			values[series] = true
		} else {
			siblings[series] = name
		}
		if !strings.Contains(series, "{evenkeel_convention ") {
			t.Errorf("%s has no convention", series)
		}
	}
	for series, name := range siblings {
		if !values[series] {
			t.Errorf("%s stands beside nothing: %s", name, series)
		}
	}
	for _, suffix := range suffixes {
		if !found[suffix] {
			t.Errorf("nothing has a sibling %s", suffix)
		}
	}
}
