package evaluate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// own loads rules of one's own, each written as the keys that differ.
func (w *world) own(t testing.TB, each ...string) {
	t.Helper()
	text := "pack: own\nversion: 1\nrules:\n"
	for i, keys := range each {
		text += fmt.Sprintf(`  - {id: OWN-%02d, title: own, monitors: something, %s, analysed: weekly, responsible: {analyse: a, evaluate: b}, on_fail: {opens: observation}, refs: {iso42001: ["9.1"]}}`+"\n", i+1, keys)
	}
	file := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load(rules.Options{Packs: []string{"iso42001-logging"}, Files: []string{file}, Expression: query.Check})
	if err != nil {
		t.Fatal(err)
	}
	w.set, w.systems = set, []signal.SystemID{"bank"}
	w.restart()
}

// predict stores predictions of a model at a time.
func (w *world) predict(name string, at time.Time, n int) {
	rows := &model.Rows{}
	for i := range n {
		rows.Predictions = append(rows.Predictions, signal.Prediction{
			System: "bank", ID: fmt.Sprint(name, at.UnixNano(), i), Model: signal.ModelRef{Name: name, Version: "1"}, Time: at, Value: fmt.Sprint(i % 4),
		})
	}
	w.write(rows)
}

const method = `method: {statistic: share, window: 1m, min_samples: 10}, every: 10s, fail: "> 0.3", no_data: {after: 1m, expect: seen}`

// Rules in SQL are judged as others are, a share has its interval, and what is
// wrong with one rule is that rule's verdict.
func TestRulesInSQL(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	w.own(
		t,
		`sql: "SELECT model_name AS evenkeel_model_name, countIf(value = '0') AS part, count() AS whole FROM predictions WHERE toUnixTimestamp64Nano(time) > {start:Int64} AND toUnixTimestamp64Nano(time) <= {end:Int64} GROUP BY model_name", subject: [evenkeel_model_name], decide: confident, `+method,
		`sql: "SELECT nothing AS value FROM nowhere", `+method,
		`sql: "SELECT toFloat64(count()) AS value, 20 AS samples FROM predictions", `+method,
		`expr: "vector(1) + on () (label_replace(vector(1), 'a', 'b', '', '') or label_replace(vector(1), 'a', 'c', '', ''))", method: {statistic: x, window: 1m}, every: 10s, fail: "> 1"`,
	)
	w.predict("loans", noon.Add(5*time.Second), 40)
	w.predict("few", noon.Add(5*time.Second), 4)
	w.at(10 * time.Second)
	got := map[string]model.Evaluation{}
	for _, ev := range w.store.evaluations(t, "") {
		got[string(ev.Rule)+" "+ev.Subject["evenkeel_model_name"]] = ev
	}
	share := got["OWN-01 loans"]
	if share.Verdict != signal.Pass && share.Verdict != signal.NoData || share.Value == nil || *share.Value != 0.25 || share.Samples != 40 || share.Lower == nil || share.QueryDigest == "" {
		t.Errorf("share: %+v", share)
	}
	if few := got["OWN-01 few"]; few.Verdict != signal.NoData || few.Samples != 4 {
		t.Errorf("few: %+v", few)
	}
	if ev := got["OWN-02 "]; ev.Verdict != signal.Error || !strings.Contains(ev.Reason, "nowhere") {
		t.Errorf("no such table: %+v", ev)
	}
	if ev := got["OWN-03 "]; ev.Verdict != signal.Fail || ev.Samples != 20 || *ev.Value != 44 {
		t.Errorf("value: %+v", ev)
	}
	if ev := got["OWN-04 "]; ev.Verdict != signal.Error {
		t.Errorf("an expression that fails: %+v", ev)
	}
	w.at(80 * time.Second) // the window has passed
	if last := w.of("OWN-01", "evenkeel_model_name", "loans"); last.Verdict != signal.NoData || last.Value != nil {
		t.Errorf("after the window: %+v", last)
	}
	var failed uint64
	for _, tally := range w.evaluator.Tallies() {
		if tally.Rule == "OWN-02" {
			failed = tally.Failed
		}
	}
	if failed != 2 {
		t.Errorf("%d failed evaluations are told, want 2", failed)
	}
}

// A rule that keeps firing passes for so long without an end of its firing, and
// a restart in between changes nothing.
func TestKeepFiringFor(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		w := newWorld(t, "iso42001-logging")
		w.own(t, `expr: x, method: {statistic: x, window: 5s}, every: 10s, fail: "> 1", for: 10s, keep_firing_for: 20s, no_data: {after: 1m, expect: seen}`)
		for i, v := range []float64{0, 2, 2, 0, 0, 0, 0, 2, 0} {
			at := noon.Add(time.Duration(i+1) * 10 * time.Second)
			s := model.Series{Name: "x", Kind: model.Gauge, SeenAt: at, Labels: []model.Label{{Name: "evenkeel_system_id", Value: "bank"}}}
			s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
			w.write(&model.Rows{Series: []model.Series{s}, Samples: []model.Sample{{Fingerprint: s.Fingerprint, Time: at, Value: v}}})
			w.at(time.Duration(i+1) * 10 * time.Second)
			if restarts {
				w.restart()
				w.at(time.Duration(i+1) * 10 * time.Second)
			}
		}
		var got []string
		for _, ev := range w.store.evaluations(t, "OWN-01") {
			got = append(got, fmt.Sprintf("%s %s", ev.Verdict, ev.State))
		}
		slices.Reverse(got)
		want := []string{"pass ok", "fail pending", "fail firing", "pass firing", "pass firing", "pass ok", "pass ok", "fail pending", "pass ok"}
		if !slices.Equal(got, want) {
			t.Errorf("restarts %v:\n got %q\nwant %q", restarts, got, want)
		}
	}
}
