package evaluate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// A short history with all that a rule's state can go through: windows and ticks,
// warnings, fails that fire, goodbyes, silence, a value that comes too late.
// Whatever restarts between two evaluations, the same verdicts are stored, under
// the same ids, with the same states and streaks.
func TestARestartBetweenAnyTwoEvaluationsChangesNothing(t *testing.T) {
	values := []float64{0, 2, 2, 0, -1, -1, 1.5, 2, 0, 0}
	history := func(restart func(step int) bool) []string {
		w := newWorld(t, "iso42001-logging")
		w.own(
			t,
			`expr: x, method: {statistic: x, window: 5s}, every: 10s, fail: "> 1.8", warn: "> 1", for: 10s, keep_firing_for: 20s, no_data: {after: 20s}`,
			`sql: "SELECT model_name AS evenkeel_model_name, countIf(value = '0') AS part, count() AS whole FROM predictions WHERE toUnixTimestamp64Nano(time) > {start:Int64} AND toUnixTimestamp64Nano(time) <= {end:Int64} GROUP BY model_name", subject: [evenkeel_model_name], decide: confident, method: {statistic: share, window: 20s, min_samples: 5, margin: 0.5}, every: 20s, fail: "> 0.6", no_data: {after: 40s, expect: seen}`,
		)
		for i, v := range values {
			at := noon.Add(time.Duration(i+1) * 10 * time.Second)
			if v >= 0 {
				s := model.Series{Name: "x", Kind: model.Gauge, SeenAt: at, Labels: []model.Label{{Name: "evenkeel_system_id", Value: "bank"}}}
				s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
				w.write(&model.Rows{Series: []model.Series{s}, Samples: []model.Sample{{Fingerprint: s.Fingerprint, Time: at, Value: v}}})
			}
			if i%3 == 0 {
				w.predict("loans", at.Add(-time.Second), 8+i)
			}
			w.beat("a", at.Sub(noon)-time.Second, 1)
			w.at(at.Sub(noon))
			if restart(i) {
				w.restart()
				w.at(at.Sub(noon))
			}
		}
		var out []string
		for _, ev := range w.store.evaluations(t, "") {
			out = append(out, fmt.Sprintf("%s %s %s %s %s %d %s", ev.WindowEnd.Sub(noon), ev.Rule, ev.ID, ev.Verdict, ev.State, ev.Streak, ev.Reason))
		}
		slices.Sort(out)
		return out
	}
	straight := history(func(int) bool { return false })
	verdicts := map[signal.Verdict]bool{}
	for _, v := range []signal.Verdict{signal.Pass, signal.Warn, signal.Fail, signal.NoData} {
		verdicts[v] = slices.ContainsFunc(straight, func(line string) bool { return strings.Contains(line, " "+string(v)+" ") })
		if !verdicts[v] {
			t.Errorf("the history has no %s:\n%s", v, strings.Join(straight, "\n"))
		}
	}
	compare := func(what string, got []string) {
		if !slices.Equal(got, straight) {
			t.Errorf("%s:\n%s\nwithout a restart:\n%s", what, strings.Join(got, "\n"), strings.Join(straight, "\n"))
		}
	}
	for k := range values {
		compare(fmt.Sprint("a restart after step ", k), history(func(i int) bool { return i == k }))
	}
	compare("a restart after every step", history(func(int) bool { return true }))
}
