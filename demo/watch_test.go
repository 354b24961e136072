package demo

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/narrate"
	"github.com/evenkeel/evenkeel/signal"
)

func judgedVerdict(rule signal.RuleID, end int64, name string, value float64, v signal.Verdict) verdict {
	label := "evenkeel_feature_name"
	if rule == "FAI-02" {
		label = "evenkeel_group"
	}
	return verdict{Rule: rule, Subject: map[string]string{label: name}, Verdict: v, Value: &value, Samples: uint64(100 * end), WindowEnd: time.Unix(end, 0)}
}

func TestVerdictsAreToldByWindow(t *testing.T) {
	lower, upper := -0.44, -0.36
	gap := judgedVerdict("FAI-02", 20, "female", -0.4, signal.Fail)
	gap.Lower, gap.Upper = &lower, &upper
	found := []verdict{
		judgedVerdict("DRF-01", 30, "income", 0.5, signal.Fail), // the newest: one rule has not spoken yet
		judgedVerdict("DRF-01", 20, "age", 0.01, signal.Pass),
		judgedVerdict("DRF-01", 20, "income", 0.6, signal.Fail),
		gap,
		judgedVerdict("DRF-01", 10, "age", 0.12, signal.Warn),
		{Rule: "FAI-02", Verdict: signal.NoData, WindowEnd: time.Unix(10, 0)},
	}
	got := byWindow(found)
	if len(got) != 2 {
		t.Fatalf("%d windows, want 2: %v", len(got), got)
	}
	for i, want := range []struct {
		text string
		tone narrate.Tone
	}{
		{"window judged:  1000 rows   drift 0.120 warn age", narrate.Notice},
		{"window judged:  2000 rows   drift 0.600 fail income   approval gap -0.400 [-0.440, -0.360] fail female", narrate.Alarm},
	} {
		if got[i].String() != want.text || got[i].tone() != want.tone {
			t.Errorf("window %d: %q in tone %d; want %q in tone %d", i, got[i], got[i].tone(), want.text, want.tone)
		}
	}
	found = append(found, judgedVerdict("FAI-02", 30, "female", -0.3, signal.Fail))
	if got := byWindow(found); len(got) != 3 {
		t.Errorf("both rules have spoken about the newest window, and %d are told", len(got))
	}
}

func TestAWindowThatNobodyCouldJudge(t *testing.T) {
	j := byWindow([]verdict{
		{Rule: "DRF-01", Subject: map[string]string{"evenkeel_feature_name": "age"}, Verdict: signal.NoData, WindowEnd: time.Unix(10, 0)},
		{Rule: "FAI-02", Subject: map[string]string{"evenkeel_group": "female"}, Verdict: signal.NoData, WindowEnd: time.Unix(10, 0)},
	})
	if len(j) != 1 || j[0].String() != "window judged:     0 rows   drift no_data age   approval gap no_data female" || j[0].tone() != narrate.Quiet {
		t.Errorf("%v", j)
	}
}

func TestSubjectsAreNamedForPeople(t *testing.T) {
	for want, subject := range map[string]map[string]string{
		"income":        {"evenkeel_feature_name": "income", "evenkeel_model_name": "loan"},
		"gender female": {"evenkeel_protected_attribute": "gender", "evenkeel_group": "female"},
		"loan":          {"evenkeel_model_name": "loan"},
	} {
		if got := subjectText(subject); got != want {
			t.Errorf("%v: %q, want %q", subject, got, want)
		}
	}
}
