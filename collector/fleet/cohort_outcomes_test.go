package fleet

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// part is what a replica joined itself: so many predictions of a group, made in
// the second that ends so long after noon, all right but the last.
func (w *world) part(replica signal.InstanceID, end time.Duration, n int) *signal.Distribution {
	w.t.Helper()
	base := decisionBaseline("1")
	c, err := signal.NewCohort(base, w.digest)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range n {
		label := "1"
		if i == n-1 {
			label = "0"
		}
		c.Add(base, &signal.LabelledPrediction{
			Prediction: signal.Prediction{Value: "1", Score: math.NaN(), Groups: []signal.Membership{{Attribute: "gender", Group: "female"}}},
			Label:      &signal.Label{Value: label},
		})
	}
	d := signal.NewOutcomesPart(loans, replica, noon.Add(end-time.Second), noon.Add(end), "approved", c)
	d.System = "s"
	return d
}

func (w *world) cohort(i int) signal.Cohort {
	w.t.Helper()
	var c signal.Cohort
	if err := json.Unmarshal([]byte(w.sealed[i].Cohort), &c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// Counts that agents joined themselves stand beside predictions of the table in
// one labelled window: each once, also where one came twice, and none of another
// slot. They are no windows over rows.
func TestPartsOfAgentsAreAddedToTheCohort(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.at(0)
	w.slot(1) // four predictions, three labels, of replica a or b
	w.write(&model.Rows{Distributions: []*signal.Distribution{
		w.part("joins", 3*time.Second, 5), w.part("joins", 10*time.Second, 2), w.part("joins", 11*time.Second, 7), w.part("other", 3*time.Second, 1),
	}})
	w.write(&model.Rows{Distributions: []*signal.Distribution{w.part("joins", 3*time.Second, 5)}}) // sent again after a crash
	w.at(31 * time.Second)
	w.want(1)
	alone := w.countedByHandOf(1)
	c := w.cohort(0)
	if c.Task != signal.TaskDecision || c.All.Predictions != alone.Predictions+8 || c.All.Labelled != alone.Labelled+8 ||
		c.All.Confusion.TruePositive != alone.Confusion.TruePositive+5 || c.All.Confusion.FalsePositive != alone.Confusion.FalsePositive+3 {
		t.Errorf("%+v, want 8 more than %+v", c.All, alone)
	}
	instances := map[string]bool{}
	for _, i := range w.sealed[0].Instances {
		instances[i] = true
	}
	if !instances["joins"] || !instances["other"] {
		t.Errorf("made by %v", w.sealed[0].Instances)
	}
	w.at(41 * time.Second)
	w.want(2) // from parts alone
	if c := w.cohort(1); c.Task != signal.TaskDecision || c.All.Predictions != 7 || c.All.Confusion.TruePositive != 6 {
		t.Errorf("%+v", c.All)
	}
	if late := count(t, w.fleet.metrics.latePredictions); late != 0 {
		t.Errorf("%v predictions are late", late)
	}
	for _, fw := range w.sealed {
		if !fw.Labelled() {
			t.Errorf("a window over rows was sealed: %+v", fw)
		}
	}
}

// countedByHandOf is what a slot of four predictions comes to alone.
func (w *world) countedByHandOf(n int) signal.Outcomes {
	w.t.Helper()
	found, err := w.fleet.countUnder(w.t.Context(), w.cohortTrack(), &slot{start: noon.Add(time.Duration(n-1) * length), end: noon.Add(time.Duration(n) * length)}, lane{"s", loans}, w.digest)
	if err != nil {
		w.t.Fatal(err)
	}
	return found.cohort.All
}

// Counts under another meaning are counted as predictions that cannot be judged.
func TestPartsOfAnotherMeaningAreNotJudged(t *testing.T) {
	w := newCohortWorld(t, storetest.Open(t))
	w.at(0)
	w.slot(1)
	alone := w.countedByHandOf(1)
	w.digest = w.declare(decisionBaseline("0"))
	w.write(&model.Rows{Distributions: []*signal.Distribution{w.part("joins", 3*time.Second, 5)}})
	w.at(31 * time.Second)
	w.want(1)
	if c := w.cohort(0); c.All.Predictions != alone.Predictions+5 || c.All.Labelled != alone.Labelled+5 || c.All.Unusable != alone.Unusable+5 || c.All.Confusion != alone.Confusion {
		t.Errorf("%+v, alone %+v", c.All, alone)
	}
	if n := count(t, w.fleet.metrics.unscored.WithLabelValues("other outcome")); n != 1 {
		t.Errorf("%v parts were counted as of another outcome", n)
	}
}
