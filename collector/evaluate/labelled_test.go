package evaluate_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

const bothKinds = `overrides:
  - {system: bank, rule: FAI-02, window: 10s, min_samples: 100}
  - {system: bank, rule: FAI-03, window: 10s, min_samples: 100}
`

// labelled is a window over predictions, as fleet tells of it when its horizon
// is over; gap is the women's equalized odds, negative for none.
func (w *world) labelled(slot int, gap float64) {
	w.t.Helper()
	end := noon.Add(time.Duration(slot) * length)
	window := model.FleetWindow{
		System: "bank", Model: loans, Length: length, Start: end.Add(-length), End: end,
		Cohort: `{"task":"decision"}`, SealedAt: w.now,
	}
	if gap >= 0 {
		window.Rows = 400
		w.score(end, "evenkeel_fairness_disparity", []float64{gap, gap - 0.05, gap + 0.05, 400}, map[string]string{
			"evenkeel_fairness_metric": "equalized_odds", "evenkeel_group_judged": "true",
			"evenkeel_protected_attribute": "gender", "evenkeel_group": "female", "evenkeel_reference_group": "male",
		})
	}
	w.evaluator.Sealed(context.Background(), window)
}

// Windows over rows and labelled ones have the same lengths and ends. Each kind
// is judged by its own rules, once, whatever has been judged of the other.
func TestLabelledWindowsAndThoseOverRowsDoNotShadowEachOther(t *testing.T) {
	w := newWorldWith(t, bothKinds, "iso42001-fairness")
	w.at(0)
	w.slot(1, even, 50, 50)
	w.slot(2, even, 20, 60)
	if got := w.stored("FAI-03"); len(got) != 0 {
		t.Fatalf("judged on windows over rows: %q", got)
	}
	w.restart()
	w.labelled(1, 0.02)
	w.labelled(2, 0.3)
	w.restart()
	w.labelled(2, 0.3) // told again
	w.crowd = 0
	w.slot(3, nothing, 0, 0) // rows fall silent, labels go on
	w.labelled(3, 0.02)
	w.crowd = 100
	w.slot(4, even, 50, 50) // and the other way round
	w.labelled(4, -1)
	w.restart()
	w.at(w.now.Sub(noon))
	rows := []string{
		"@10s gender,female pass ok 1", "@20s gender,female fail firing 1",
		"@30s gender,female no_data pending 1", "@40s gender,female pass ok 1",
	}
	if got := w.stored("FAI-02"); !slices.Equal(got, rows) {
		t.Errorf("over rows: %q", got)
	}
	labels := []string{
		"@10s gender,female pass ok 1", "@20s gender,female fail firing 1",
		"@30s gender,female pass ok 1", "@40s gender,female no_data pending 1",
	}
	if got := w.stored("FAI-03"); !slices.Equal(got, labels) {
		t.Errorf("labelled: %q", got)
	}
}

// A labelled window is judged a horizon after its end. What was said of the one
// before is still known then, also after a restart, however long the horizon.
func TestWhatIsKnownOfLabelledWindowsLastsAHorizon(t *testing.T) {
	const horizon = 90 * 24 * time.Hour
	w := newWorldWith(t, bothKinds+"  - {system: bank, rule: FAI-01, window: 10s}\n  - {system: bank, rule: FAI-04, window: 10s}\n", "iso42001-fairness")
	w.horizon = horizon
	for slot, gap := range []float64{0.3, 0.3, -1, -1} {
		w.restart()
		w.at(horizon + time.Duration(slot+1)*length)
		w.labelled(slot+1, gap)
	}
	want := []string{
		"@10s gender,female fail firing 1", "@20s gender,female fail firing 2",
		"@30s gender,female no_data pending 1", "@40s gender,female no_data pending 2",
	}
	if got := w.stored("FAI-03"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// A system whose only sign of life are predictions is one that is heard of.
func TestLabelledWindowsWithPredictionsAreASignOfLife(t *testing.T) {
	w := newWorldWith(t, bothKinds)
	w.at(0)
	w.now = noon.Add(time.Minute)
	w.labelled(1, 0.02)
	w.at(75 * time.Second)
	if got := w.stored("LOG-02"); len(got) == 0 {
		t.Error("nobody asks for the agents of a system with predictions")
	}
}
