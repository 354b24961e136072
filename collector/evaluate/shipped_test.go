package evaluate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Every shipped rule that goes by windows over the rows of any model finds the scores that it names, with
// their samples and intervals, and judges them.
func TestShippedRulesReadWhatFleetWrites(t *testing.T) {
	shipped, err := rules.Load(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	overrides := "overrides:\n"
	for _, r := range shipped.Rules() {
		if r.Windowed() {
			overrides += fmt.Sprintf("  - {system: bank, rule: %s, window: 10s, min_samples: 100", r.ID)
			if r.Decide == rules.Confident {
				overrides += ", margin: 0.3"
			}
			overrides += "}\n"
		}
	}
	w := newWorldWith(t, overrides)
	w.at(0)
	w.slot(1, even, 50, 50)
	w.outside = 20
	w.slot(2, shifted, 20, 80)
	want := map[signal.RuleID][]string{
		"DQ-01": {"@10s age pass ok 1", "@10s income pass ok 1", "@20s age pass ok 2", "@20s income pass ok 2"},
		"DQ-02": {
			"@10s age,out_of_range pass ok 1", "@10s age,type pass ok 1", "@10s income,out_of_range pass ok 1", "@10s income,type pass ok 1",
			"@20s age,out_of_range pass ok 2", "@20s age,type pass ok 2", "@20s income,out_of_range fail firing 1", "@20s income,type pass ok 2",
		},
		"DRF-01": {"@10s age pass ok 1", "@10s income pass ok 1", "@20s age pass ok 2", "@20s income fail pending 1"},
		"DRF-02": {"@10s whole pass ok 1", "@20s whole warn ok 2"},
		"DRF-03": {"@10s score pass ok 1", "@20s score pass ok 2"},
		"DRF-04": nil, // a model without embeddings and texts is not silent
		"FAI-01": {"@10s gender pass ok 1", "@20s gender fail firing 1"},
		"FAI-02": {"@10s gender,female pass ok 1", "@20s gender,female fail firing 1"},
		"FAI-03": nil, // no prediction was sent
		"FAI-04": {"@10s gender pass ok 1", "@20s gender pass ok 2"},
	}
	for _, r := range shipped.Rules() {
		if !r.Windowed() {
			continue
		}
		if got := sorted(w.stored(r.ID)); !slices.Equal(got, want[r.ID]) {
			t.Errorf("%s: %q", r.ID, got)
		}
	}
	for _, ev := range w.consumed {
		if !shipped.Rule("", ev.Rule).Windowed() {
			continue
		}
		if ev.Verdict != signal.Error && ev.Samples < 400 {
			t.Errorf("%s of %v: %d samples", ev.Rule, ev.Subject, ev.Samples)
		}
		if confident := shipped.Rule("", ev.Rule).Decide == rules.Confident; confident && (ev.Lower == nil || ev.Upper == nil) {
			t.Errorf("%s of %v has no interval", ev.Rule, ev.Subject)
		}
		if ev.Rule == "FAI-01" && ev.Verdict == signal.Fail && !strings.HasPrefix(ev.Reason, "impact ratio of gender is 0.25") {
			t.Errorf("reason: %s", ev.Reason)
		}
	}
}
