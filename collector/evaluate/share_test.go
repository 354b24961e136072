package evaluate_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

const shareRules = `pack: own
version: 1
rules:
  - id: OWN-01
    title: Errors
    monitors: share of failed requests
    method: {statistic: error rate, window: 1m, min_samples: 20}
    expr: sum by (evenkeel_model_name) (failed)
    of: sum by (evenkeel_model_name) (all)
    subject: [evenkeel_model_name]
    fail: "> 0.1"
    decide: confident
    every: 10s
    analysed: weekly
    responsible: {analyse: a, evaluate: b}
    no_data: {after: 1m, expect: seen}
    on_fail: {opens: observation}
    refs: {iso42001: ["9.1"]}
`

// A share has its whole for samples and Wilson's interval; a whole without a
// part has a share of nothing, and a whole of nothing has none.
func TestSharesOfCounts(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "own.yaml")
	if err := os.WriteFile(file, []byte(shareRules), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "iso42001-logging")
	set, err := rules.Load(rules.Options{Packs: []string{"iso42001-logging"}, Files: []string{file}, Expression: query.Check})
	if err != nil {
		t.Fatal(err)
	}
	w.set, w.systems = set, []signal.SystemID{"bank"}
	w.restart()
	at := noon.Add(9 * time.Second)
	count := func(name, about string, n float64) {
		s := model.Series{Name: name, Kind: model.Gauge, SeenAt: at, Labels: []model.Label{
			{Name: "evenkeel_model_name", Value: about}, {Name: "evenkeel_system_id", Value: "bank"},
		}}
		s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
		w.write(&model.Rows{Series: []model.Series{s}, Samples: []model.Sample{{Fingerprint: s.Fingerprint, Time: at, Value: n}}})
	}
	for _, c := range []struct {
		model       string
		part, whole float64
	}{{"bad", 30, 100}, {"fine", -1, 100}, {"few", 2, 10}, {"idle", 0, 0}, {"ahead", 105.2, 100.4}} {
		count("all", c.model, c.whole)
		if c.part >= 0 {
			count("failed", c.model, c.part)
		}
	}
	w.at(11 * time.Second)
	got := map[string]model.Evaluation{}
	for _, ev := range w.store.evaluations(t, "OWN-01") {
		got[ev.Subject["evenkeel_model_name"]] = ev
	}
	for name, want := range map[string]struct {
		verdict signal.Verdict
		value   float64
		samples uint64
	}{"bad": {signal.Fail, 0.3, 100}, "fine": {signal.Pass, 0, 100}, "few": {signal.NoData, 0.2, 10}, "ahead": {signal.Fail, 1, 100}} {
		ev := got[name]
		if ev.Verdict != want.verdict || ev.Value == nil || *ev.Value != want.value || ev.Samples != want.samples {
			t.Errorf("%s: %s, %v of %d samples: %s", name, ev.Verdict, ev.Value, ev.Samples, ev.Reason)
			continue
		}
		lower, upper, err := measure.Wilson(measure.Proportion{Favourable: uint64(want.value * float64(want.samples)), Total: want.samples}, 0.95)
		if err != nil || ev.Lower == nil || ev.Upper == nil || *ev.Lower != lower || *ev.Upper != upper {
			t.Errorf("%s: interval %v to %v, want %v to %v", name, ev.Lower, ev.Upper, lower, upper)
		}
	}
	if _, there := got["idle"]; there || len(got) != 4 {
		t.Errorf("subjects: %v", got)
	}
}
