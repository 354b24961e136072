package evaluate_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

const allOfDrift = `overrides:
  - {system: bank, rule: DRF-01, window: 10s, min_samples: 100}
  - {system: bank, rule: DRF-02, window: 10s, min_samples: 100}
  - {system: bank, rule: DRF-03, window: 10s, min_samples: 100}
  - {system: bank, rule: DRF-04, window: 10s}
`

// psi stores the drift of the bank's inputs in slot 1.
func (w *world) psi(of map[string]float64) {
	w.t.Helper()
	for feature, value := range of {
		w.score(noon.Add(length), "evenkeel_drift_score", []float64{value, 0, 0, 400}, map[string]string{
			"evenkeel_drift_method": "psi", "evenkeel_drift_target": "feature", "evenkeel_feature_name": feature,
		})
	}
}

// reasons gives the sentences of the newest evaluations of a rule by feature.
func (w *world) reasons(rule signal.RuleID) map[string]string {
	out := map[string]string{}
	for _, ev := range w.consumed {
		if ev.Rule == rule {
			out[ev.Subject["evenkeel_feature_name"]] = ev.Reason
		}
	}
	return out
}

// What moved stands in the sentence of a warning and a fail, for the column
// that it is about, else for the largest three.
func TestAVerdictSaysWhatMoved(t *testing.T) {
	w := newWorldWith(t, allOfDrift, "iso42001-drift")
	w.psi(map[string]float64{"income": 0.7, "age": 0.2, "debt": 0.4, "term": 0.3, "rate": 0.01, "bare": 9})
	w.score(noon.Add(length), "evenkeel_drift_feature_share", []float64{0.6, 0, 0, 400}, nil)
	window := model.FleetWindow{
		System: "bank", Model: loans, Length: length, Start: noon, End: noon.Add(length),
		Explanations: map[signal.FeatureName]string{
			"income": `income: "above 3" rose from 25% to 60% of rows, "up to 1" fell from 25% to 2.5%.`,
			"age":    `age: "up to 18" rose from 5% to 15% of rows.`,
			"debt":   `debt: "(missing)" rose from 0% to 20% of rows.`,
			"term":   `term: "` + strings.Repeat("ü", 300) + `" rose from 1% to 20% of rows.`,
			"rate":   `rate: "above 9" rose from 10% to 13% of rows.`,
		},
	}
	w.evaluator.Sealed(context.Background(), window)
	got := w.reasons("DRF-01")
	for feature, want := range map[string]string{
		"income": `PSI of income is 0.7, above 0.25, in 1 window; "above 3" rose from 25% to 60% of rows, "up to 1" fell from 25% to 2.5%`,
		"age":    `PSI of age is 0.2, above 0.1, which warns of the limit > 0.25; "up to 18" rose from 5% to 15% of rows`,
		"rate":   `PSI of rate is 0.01, not above 0.25`,
		"bare":   `PSI of bare is 9, above 0.25, in 1 window`,
	} {
		if got[feature] != want {
			t.Errorf("%s:\n got %s\nwant %s", feature, got[feature], want)
		}
	}
	if long := got["term"]; !strings.HasSuffix(long, "ü…") || !utf8.ValidString(long) || utf8.RuneCountInString(long) > 250 {
		t.Errorf("not cut: %s", long)
	}
	want := `share of drifted features of loans 1 is 0.6, above 0.5, in 1 window; income: "above 3" rose from 25% to 60% of rows, ` +
		`"up to 1" fell from 25% to 2.5%; debt: "(missing)" rose from 0% to 20% of rows; term: "`
	if got := w.reasons("DRF-02")[""]; !strings.HasPrefix(got, want) || strings.Contains(got, "age") || strings.Contains(got, "bare") {
		t.Errorf("got %s", got)
	}
}

// A record without explanations, and a question that cannot be answered, leave
// the verdict as it is.
func TestAVerdictStandsWithoutExplanation(t *testing.T) {
	w := newWorldWith(t, allOfDrift, "iso42001-drift")
	w.psi(map[string]float64{"income": 0.7, "age": 0.2})
	w.score(noon.Add(length), "evenkeel_drift_feature_share", []float64{0.6, 0, 0, 400}, nil)
	w.queries.MaxSamples = 1 // one share, but two scores to explain it
	w.restart()
	w.evaluator.Sealed(context.Background(), model.FleetWindow{
		System: "bank", Model: loans, Length: length, Start: noon, End: noon.Add(length),
		Explanations: map[signal.FeatureName]string{"income": "income: moved."},
	})
	if got := w.reasons("DRF-02")[""]; got != "share of drifted features of loans 1 is 0.6, above 0.5, in 1 window" {
		t.Errorf("got %s", got)
	}
	if got := w.stored("DRF-02"); !slices.Equal(got, []string{"@10s whole fail firing 1"}) {
		t.Errorf("got %q", got)
	}
}
