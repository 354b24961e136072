package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// A cohort is what was predicted in a slot, by all replicas, with the labels that
// came by its horizon; it is closed then, and its scores are those of its counts.
func TestACohortIsClosedAtItsHorizon(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.at(0)
	w.predict(
		w.predicted("b", "1", 1*time.Second, "1", "female"), w.predicted("a", "2", 2*time.Second, "1", "male"),
		w.predicted("a", "3", 3*time.Second, "0", "male"), w.predicted("a", "4", 10*time.Second, "0", "female"),
		w.predicted("a", "5", 10*time.Second+1, "0", "male"), // of the next slot
	)
	w.tell(
		told("1", "1", 12*time.Second), told("2", "1", 13*time.Second), told("2", "0", 30*time.Second), // told anew, just in time
		told("3", "0", 14*time.Second), told("4", "1", 30*time.Second+1), // too late
		told("nobody", "1", 14*time.Second),
	)
	w.at(30*time.Second + 999*time.Millisecond)
	w.want(0) // predictions may still be on their way
	w.at(31 * time.Second)
	fw := w.want(1)
	if !fw.Labelled() || fw.System != "s" || fw.Model != loans || fw.Length != length || !fw.Start.Equal(noon) || !fw.End.Equal(noon.Add(length)) ||
		fw.Rows != 4 || !slices.Equal(fw.Instances, []string{"a", "b"}) || len(fw.WindowIDs) != 0 {
		t.Errorf("sealed %+v", fw)
	}
	want := w.countedByHand()
	if text, err := canonical.JSON(want); err != nil || fw.Cohort != string(text) {
		t.Errorf("recorded\n%s\nwant\n%s, %v", fw.Cohort, text, err)
	}
	if found := w.cohorts(); len(found) != 1 || found[0].Cohort != fw.Cohort {
		t.Errorf("the store holds %+v", found)
	}
	w.expect(map[string]float64{
		"evenkeel_performance_score 10s accuracy @10s":                                                 2.0 / 3,
		"evenkeel_performance_score_samples 10s accuracy @10s":                                         3,
		"evenkeel_performance_score 10s precision @10s":                                                0.5,
		"evenkeel_label_coverage 10s @10s":                                                             0.75,
		"evenkeel_label_coverage_samples 10s @10s":                                                     4,
		"evenkeel_label_coverage 10s favourable @10s":                                                  1,
		"evenkeel_label_coverage 10s unfavourable @10s":                                                0.5,
		"evenkeel_label_coverage 10s female gender @10s":                                               0.5,
		"evenkeel_fairness_disparity 10s accuracy_difference female gender true @10s":                  0.5,
		"evenkeel_fairness_disparity_samples 10s accuracy_difference female gender true @10s":          3,
		"evenkeel_fairness_disparity 10s predictive_parity_difference female gender true @10s":         1,
		"evenkeel_fairness_disparity_upper 10s predictive_parity_difference female gender true @10s":   1,
		"evenkeel_fairness_disparity_samples 10s predictive_parity_difference female gender true @10s": 2,
		"evenkeel_performance_score_lower 10s accuracy @10s":                                           0.2076596,
	}, 1e-5)
	w.at(41 * time.Second) // looks back at the first slot
	if labels, predictions := count(t, w.fleet.metrics.lateLabels), count(t, w.fleet.metrics.latePredictions); labels != 1 || predictions != 0 {
		t.Errorf("%v labels and %v predictions are late", labels, predictions)
	}
}

// countedByHand is the first slot's cohort.
func (w *world) countedByHand() *signal.Cohort {
	w.t.Helper()
	base := decisionBaseline("1")
	want, err := signal.NewCohort(base, w.digest)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range []struct{ value, group, label string }{{"1", "female", "1"}, {"1", "male", "0"}, {"0", "male", "0"}, {"0", "female", ""}} {
		row := &signal.LabelledPrediction{Prediction: signal.Prediction{
			Value: p.value, Score: math.NaN(), Groups: []signal.Membership{{Attribute: "gender", Group: p.group}},
		}}
		if p.label != "" {
			row.Label = &signal.Label{Value: p.label}
		}
		want.Add(base, row)
	}
	return want
}

// What comes after a cohort was closed is counted once and changes nothing.
func TestLateLabelsAndPredictionsAreCounted(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.at(0)
	w.slot(1)
	w.at(31 * time.Second)
	before := *w.want(1)
	w.tell(told("1-1-0", "0", 31*time.Second), told("1-1-3", "1", 32*time.Second))
	w.predict(w.predicted("b", "late", 9*time.Second, "1"))
	for n := 2; n <= 6; n++ {
		w.at(time.Duration(n)*length + 21*time.Second)
	}
	if labels, predictions := count(t, w.fleet.metrics.lateLabels), count(t, w.fleet.metrics.latePredictions); labels != 2 || predictions != 1 {
		t.Errorf("%v labels and %v predictions are late", labels, predictions)
	}
	if now := w.cohorts()[0]; now.Cohort != before.Cohort || now.Rows != 4 {
		t.Errorf("recorded %+v, now %+v", before, now)
	}
	if state := w.cohortTrack().lanes[lane{"s", loans}]; state == nil || len(state.counted) != 1 {
		t.Errorf("there are slots to look at of %+v", state)
	}
}

// A system that has sent predictions is missed when it falls silent; one that
// never has is not, and neither is a version that another one has replaced.
func TestSilentCohortsAreSealed(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.options.Systems = []signal.SystemID{"s", "elsewhere"}
	w.options.Remember = 60 * time.Second
	w.restart()
	first, second := loans, signal.ModelRef{Name: "loans", Version: "2"}
	defer func() { loans = first }()
	w.at(0)
	for n := 1; n <= 12; n++ {
		switch {
		case n == 1:
			w.slot(n)
		case n >= 3 && n <= 5:
			loans = second
			w.slot(n)
		}
		if n == 7 {
			w.restart() // changes nothing
		}
		w.at(time.Duration(n)*length + horizon + time.Second)
	}
	want := []string{
		"10s version 1 predictions 4", "20s version 1 predictions 0",
		"30s version 2 predictions 4", "30s version 1 predictions 0", "40s version 2 predictions 4", "40s version 1 predictions 0",
		"50s version 2 predictions 4", // version 1 is replaced
		"1m0s version 2 predictions 0", "1m10s version 2 predictions 0", "1m20s version 2 predictions 0",
		"1m30s version 2 predictions 0", "1m40s version 2 predictions 0", // and then forgotten
	}
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("sealed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, fw := range w.sealed {
		if fw.Rows == 0 && (!fw.Labelled() || fw.Cohort != w.sealed[1].Cohort) {
			t.Errorf("silence is recorded as %+v", fw)
		}
	}
}

// Of several baselines the newest one with an outcome says what was meant; where
// there is none nothing is judged.
func TestTheNewestBaselineSaysWhatWasMeant(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	old, none := w.digest, signal.Digest("sha256:000000000000")
	fresh := w.declare(decisionBaseline("0"))
	w.at(0)
	for slot, digests := range [][]signal.Digest{
		{old, old}, {old, fresh, ""}, {fresh, none}, {fresh, old, none}, {none, ""},
	} {
		for i, digest := range digests {
			w.digest = digest
			id := string(rune('a'+slot)) + string(rune('0'+i))
			at := time.Duration(slot)*length + time.Duration(i+1)*time.Second
			w.predict(w.predicted("a", id, at, "1"))
			w.tell(told(id, "1", at+time.Second))
		}
	}
	w.at(5*length + horizon + time.Second)
	w.want(5)
	want := []struct {
		baseline                signal.Digest
		predictions, favourable uint64
		right                   uint64
	}{{old, 2, 2, 2}, {fresh, 3, 0, 3}, {fresh, 2, 0, 2}, {old, 3, 3, 3}, {"", 2, 0, 0}}
	for i, fw := range w.sealed {
		var c signal.Cohort
		if err := json.Unmarshal([]byte(fw.Cohort), &c); err != nil {
			t.Fatal(err)
		}
		if c.Baseline != want[i].baseline || c.All.Predictions != want[i].predictions || c.All.Favourable != want[i].favourable ||
			c.All.Labelled != want[i].predictions || c.All.Confusion.TruePositive+c.All.Confusion.TrueNegative != want[i].right {
			t.Errorf("slot %d: %+v, want %+v", i+1, c, want[i])
		}
	}
	if got := count(t, w.fleet.metrics.unscored.WithLabelValues("no outcome")); got != 1 {
		t.Errorf("%v windows without an outcome", got)
	}
}

// BenchmarkCohort joins and counts predictions, all of which have a label.
func BenchmarkCohort(b *testing.B) {
	const predictions = 50_000
	store := storetest.Open(b)
	w := newCohortWorld(b, store)
	for from := 0; from < predictions; from += 10_000 {
		var made []signal.Prediction
		var labels []signal.Label
		for i := from; i < from+10_000; i++ {
			id := fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
			made = append(made, w.predicted("a", id, time.Duration(i)*length/predictions+1, "1", []string{"female", "male"}[i%2]))
			labels = append(labels, told(id, []string{"1", "0"}[i%3/2], 15*time.Second))
		}
		w.predict(made...)
		w.tell(labels...)
	}
	track, s := w.cohortTrack(), &slot{start: noon, end: noon.Add(length)}
	of := lane{"s", loans}
	track.state(of).outcome = w.digest
	for b.Loop() {
		found, err := w.fleet.countCohort(context.Background(), track, s, of)
		if err != nil || found.cohort.All.Labelled != predictions {
			b.Fatalf("%d labelled, %v", found.cohort.All.Labelled, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/predictions, "ns/prediction")
}
