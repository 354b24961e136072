package evaluate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// seal tells of a window over rows that holds whatever is stored at its end.
func (w *world) seal(slot int) {
	end := noon.Add(time.Duration(slot) * length)
	w.now = end.Add(6 * time.Second)
	w.evaluator.Sealed(context.Background(), model.FleetWindow{System: "bank", Model: loans, Length: length, Start: end.Add(-length), End: end, Rows: 400})
}

// drift stores one score of DRF-04's kinds and its samples.
func (w *world) drift(slot int, method, target, name string, value, samples float64) {
	w.t.Helper()
	w.score(noon.Add(time.Duration(slot)*length), "evenkeel_drift_score", []float64{value, 0, 0, samples}, map[string]string{
		"evenkeel_drift_method": method, "evenkeel_drift_target": target, "evenkeel_feature_name": name,
		"evenkeel_convention": method + "@1",
	})
}

func (w *world) limit(slot int, target, name string, value float64) {
	w.t.Helper()
	w.score(noon.Add(time.Duration(slot)*length), "evenkeel_drift_limit", []float64{value}, map[string]string{
		"evenkeel_drift_method": "sliced_wasserstein", "evenkeel_drift_target": target, "evenkeel_feature_name": name,
		"evenkeel_convention": "sliced_wasserstein@1",
	})
}

// DRF-04 judges what a model has of embeddings, joint inputs and texts, each
// against its own limit; a model that has none of them is not silent.
func TestDriftOfEmbeddingsAndTexts(t *testing.T) {
	w := newWorldWith(t, allOfDrift, "iso42001-drift")
	w.restart()
	w.seal(1)
	if got := w.stored("DRF-04"); len(got) != 0 {
		t.Fatalf("a model without any of it: %q", got)
	}
	for slot := 2; slot <= 3; slot++ {
		w.drift(slot, "sliced_wasserstein", "embedding", "prompt", 0.3, 600)
		w.limit(slot, "embedding", "prompt", 0.2)
		w.drift(slot, "sliced_js", "embedding", "prompt", 9, 600) // another method
		w.drift(slot, "sliced_wasserstein", "multivariate", "inputs", 0.1, 600)
		w.limit(slot, "multivariate", "inputs", 0.2)
		w.drift(slot, "sliced_wasserstein", "multivariate", "small", 3, 50) // the window is too small for its limit
		for _, text := range []string{"question", "remark"} {
			w.drift(slot, "js", "text", text+".trigrams", 0.12, 30_000)
			w.drift(slot, "psi", "text", text+".trigrams", 9, 30_000) // cells that are empty in one of both
		}
		w.drift(slot, "js", "text", "question.length", 0.01, 700)
		w.drift(slot, "psi", "text", "question.length", 0.2, 700)
		w.drift(slot, "js", "text", "remark.length", 0.01, 40) // many trigrams of few texts
		w.drift(slot, "psi", "text", "remark.length", 0.3, 40)
		w.seal(slot)
	}
	for slot := 4; slot <= 6; slot++ {
		w.drift(slot, "psi", "text", "question.length", 0.3, 700)
		w.seal(slot)
	}
	var want []string
	for _, line := range []struct {
		name   string
		states []string
	}{
		{"inputs", []string{"pass ok 1", "pass ok 2", "no_data pending 1", "no_data pending 2", "no_data firing 3"}},
		{"prompt", []string{"fail pending 1", "fail firing 2", "no_data pending 1", "no_data pending 2", "no_data firing 3"}},
		{"question.length", []string{"pass ok 1", "pass ok 2", "fail pending 1", "fail firing 2", "fail firing 3"}},
		{"question.trigrams", []string{"fail pending 1", "fail firing 2", "no_data pending 1", "no_data pending 2", "no_data firing 3"}},
		{"remark.length", []string{"no_data pending 1", "no_data pending 2", "no_data firing 3", "no_data firing 4", "no_data firing 5"}},
		{"remark.trigrams", []string{"no_data pending 1", "no_data pending 2", "no_data firing 3", "no_data firing 4", "no_data firing 5"}},
	} {
		for i, state := range line.states {
			want = append(want, fmt.Sprintf("@%s %s %s", time.Duration(i+2)*length, line.name, state))
		}
	}
	if got := w.stored("DRF-04"); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(sorted(got), "\n"), strings.Join(sorted(want), "\n"))
	}
	found := slices.IndexFunc(w.consumed, func(ev model.Evaluation) bool { return ev.Subject["evenkeel_feature_name"] == "prompt" })
	if ev := w.consumed[found]; ev.Reason != "drift relative to its limit of embedding prompt is 1.5, above 1, in 1 window" || ev.Samples != 600 {
		t.Errorf("%d samples: %s", ev.Samples, ev.Reason)
	}
}

// What FAI-04 would open is passed where the law is the reason, and the verdict
// says so: for the attribute that was declared, and as long as that holds.
func TestALawfulReasonIsInTheVerdict(t *testing.T) {
	w := newWorldWith(t, `overrides:
  - system: bank
    rule: FAI-04
    window: 10s
    lawful_reasons:
      - {attribute: gender, reason: applicants may keep it to themselves, by: counsel, until: 2026-03-01}
`, "iso42001-fairness")
	known := func(slot int, attribute string, share float64) {
		w.score(noon.Add(time.Duration(slot)*length), "evenkeel_fairness_coverage", []float64{share, share - 0.02, share + 0.02, 400},
			map[string]string{"evenkeel_protected_attribute": attribute})
	}
	tomorrow := int(13 * time.Hour / length) // past midnight
	for _, slot := range []int{1, 2, tomorrow} {
		known(slot, "gender", 0.3)
		known(slot, "age", 0.3)
		w.seal(slot)
	}
	known(tomorrow+1, "gender", 0.9)
	w.seal(tomorrow + 1)
	want := []string{
		"@10s age fail firing 1", "@10s gender pass ok 1", "@20s age fail firing 2", "@20s gender pass ok 2",
		"@13h0m0s age fail firing 1", "@13h0m0s gender fail firing 1",
		"@13h0m10s age no_data pending 1", "@13h0m10s gender pass ok 1",
	}
	got := w.stored("FAI-04")
	if !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("got %q", got)
	}
	const reason = "share of known groups of gender is 0.3 (0.28 to 0.32), below 0.8, in 1 window; " +
		"accepted until 2026-03-01 for a lawful reason that counsel declares: applicants may keep it to themselves"
	accepted := slices.DeleteFunc(slices.Clone(w.consumed), func(ev model.Evaluation) bool { return ev.Reason != reason })
	if len(accepted) != 2 || accepted[0].Value == nil || *accepted[0].Value != 0.3 || accepted[0].RuleDigest == w.set.Rule("other", "FAI-04").Digest {
		t.Errorf("%d verdicts say why: %+v", len(accepted), w.consumed)
	}
}

// Where no group is asked for at all, the whole model's silence is accepted.
func TestALawfulReasonForAllAttributes(t *testing.T) {
	w := newWorldWith(t, `overrides:
  - {system: bank, rule: FAI-04, window: 10s, lawful_reasons: [{reason: no basis, by: counsel, until: 2026-12-31}]}
`, "iso42001-fairness")
	for slot := 1; slot <= 4; slot++ {
		w.seal(slot)
	}
	want := []string{"@10s whole pass ok 1", "@20s whole pass ok 2", "@30s whole pass ok 3", "@40s whole pass ok 4"}
	if got := w.stored("FAI-04"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if ev := w.consumed[3]; ev.Reason != "share of known groups of loans 1 has no value in 1 window; accepted until 2026-12-31 for a lawful reason that counsel declares: no basis" {
		t.Errorf("reason: %s", ev.Reason)
	}
}

// Silence that a lawful reason accepts is silence all the same: when the reason
// has run out, the attribute that has no value is still expected.
func TestALawfulReasonDoesNotEndWhatItAccepts(t *testing.T) {
	w := newWorldWith(t, `overrides:
  - {system: bank, rule: FAI-04, window: 10s, lawful_reasons: [{attribute: gender, reason: no basis, by: counsel, until: 2026-03-01}]}
`, "iso42001-fairness")
	known := func(slot int, attribute string) {
		w.score(noon.Add(time.Duration(slot)*length), "evenkeel_fairness_coverage", []float64{0.9, 0.88, 0.92, 400},
			map[string]string{"evenkeel_protected_attribute": attribute})
	}
	tomorrow := int(13 * time.Hour / length) // past midnight
	for _, slot := range []int{1, 2, 3, 4, tomorrow} {
		if slot < 3 {
			known(slot, "gender")
		}
		known(slot, "age")
		w.seal(slot)
		w.restart()
	}
	got := slices.DeleteFunc(w.stored("FAI-04"), func(line string) bool { return strings.Contains(line, " age ") })
	want := []string{
		"@10s gender pass ok 1", "@20s gender pass ok 2", "@30s gender pass ok 1", "@40s gender pass ok 2",
		"@13h0m0s gender no_data pending 1",
	}
	if !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("got %q, want %q", sorted(got), sorted(want))
	}
}
