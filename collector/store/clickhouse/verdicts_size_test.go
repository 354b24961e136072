package clickhouse_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// TestVerdictsOfAYear judges 54 rules over a hundred subjects each hour of a week
// and of the month after it, where about one subject and rule in ten fails for
// three hours once a month, and prints what 10,000 subjects would take in a year
// of such months. It asks for EVENKEEL_MEASURE_CODECS.
func TestVerdictsOfAYear(t *testing.T) {
	if os.Getenv("EVENKEEL_MEASURE_CODECS") == "" {
		t.Skip("set EVENKEEL_MEASURE_CODECS=1 to measure")
	}
	const ruleCount, subjects, before, hours = 54, 100, 7 * 24, 28 * 24
	s := storetest.Open(t)
	r := newRealistic()
	began := time.Date(2026, time.January, 25, 0, 0, 0, 0, time.UTC)
	last := make([]model.Evaluation, ruleCount*subjects)
	ill := make([]int, len(last)) // hours that it still fails
	for hour := range before + hours {
		end := began.Add(time.Duration(hour) * time.Hour)
		rows := &model.Rows{}
		for i := range last {
			if ill[i] = max(0, ill[i]-1); r.IntN(10*hours) == 0 {
				ill[i] = 3
			}
			value := r.Float64() / 10
			ev := model.Evaluation{
				ID: r.uuid(), Rule: signal.RuleID(fmt.Sprintf("DRF-%02d", i/subjects)), RuleVersion: 1, RuleDigest: signal.Digest(fmt.Sprint("sha256:5891b5b5", i/subjects)),
				QueryDigest: signal.Digest(fmt.Sprint("sha256:aa17c3d2", i/subjects)), System: "loans",
				Subject: map[string]string{"evenkeel_system_id": "loans", "evenkeel_model_name": "loan", "evenkeel_model_version": "3", "evenkeel_feature_name": fmt.Sprint("feature-", i%subjects)},
				Verdict: signal.Pass, State: model.StateOK, Samples: 2000 + uint64(r.IntN(800)), FailLimit: "> 0.25", WarnLimit: "> 0.1",
				WindowStart: end.Add(-time.Hour), WindowEnd: end, WindowIDs: []string{fmt.Sprint("agent-0/", hour), fmt.Sprint("agent-1/", hour)},
				Streak: hour, EvaluatedAt: end.Add(time.Duration(5e9 + r.IntN(1e9))),
			}
			if ill[i] > 0 {
				value += 0.25
				ev.Verdict, ev.State = signal.Fail, model.StateFiring
			}
			ev.Value, ev.Reason = &value, fmt.Sprintf("PSI of feature-%d is %.4g, not above 0.25", i%subjects, value)
			ev.Run = ev.After(&last[i], time.Hour)
			rows.Evaluations = append(rows.Evaluations, ev)
		}
		copy(last, rows.Evaluations)
		write(t, s, model.DerivedBatch(uint64(hour)), rows, model.FirstTry)
	}
	size := "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'evaluations' AND partition_id = '202602'"
	unmerged := scalar(t, s, size)
	if err := s.Conn().Exec(t.Context(), "OPTIMIZE TABLE evaluations FINAL"); err != nil {
		t.Fatal(err)
	}
	kept, after := scalar(t, s, "SELECT count() FROM evaluations WHERE toMonth(time) = 2"), scalar(t, s, size)
	year := float64(after) / (ruleCount * subjects) * ruleCount * 10_000 * 365 / 28
	t.Logf("%d verdicts in %d rows: %d bytes before the last merge, %d after, %.1f a row; a year of 54 rules over 10,000 subjects: %.0f MB",
		len(last)*hours, kept, unmerged, after, float64(after)/float64(kept), year/1e6)
	if windows := scalar(t, s, "SELECT sum(run_windows) FROM evaluations WHERE toMonth(time) = 2"); windows != uint64(len(last)*hours) {
		t.Errorf("the runs hold %d verdicts of %d", windows, len(last)*hours)
	}
	if year > 1e9 {
		t.Errorf("a year takes %.0f MB", year/1e6)
	}
}
