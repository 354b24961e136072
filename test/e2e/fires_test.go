package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/rules"
)

// firesCase says how a shipped rule is seen to fire and to clear: what is
// overridden, so that hours become seconds, and about which subject the test
// speaks. What happens is in the traffic: fires_traffic_test.go.
type firesCase struct {
	override map[string]any
	subject  map[string]string // labels of the subject that is followed; a part of it is enough
	failing  bool              // it fails from the beginning: there is no pass to wait for
	unseen   bool              // it has no value while all is well: there is nothing to pass on
}

// byWindow overrides a rule that goes by windows.
func byWindow(more ...any) map[string]any {
	return merged(map[string]any{"window": firesSlot.String(), "for": "1 window", "min_samples": 50}, more)
}

// byClock overrides a rule that goes by the clock.
func byClock(more ...any) map[string]any {
	return merged(map[string]any{"window": firesLookback.String(), "every": "1s", "for": "1s"}, more)
}

// merged adds keys and values that alternate.
func merged(into map[string]any, more []any) map[string]any {
	for i := 0; i+1 < len(more); i += 2 {
		into[more[i].(string)] = more[i+1]
	}
	return into
}

var (
	ofLoans     = map[string]string{"evenkeel_model_name": loanModel}
	ofTariffs   = map[string]string{"evenkeel_model_name": tariffModel}
	ofAssistant = map[string]string{"evenkeel_model_name": assistantModel}
)

// firesCases has a case for every shipped rule; a rule without one fails the
// test.
var firesCases = map[string]firesCase{
	"DQ-01":  {override: byWindow("margin", 0.1), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_feature_name": "region"}},
	"DQ-02":  {override: byWindow("margin", 0.1), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_feature_name": "region"}},
	"DQ-04":  {override: byWindow(), subject: map[string]string{"evenkeel_model_name": tariffModel + ";stage=transformed", "evenkeel_feature_name": "area"}},
	"DRF-01": {override: byWindow(), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_feature_name": "income"}},
	"DRF-02": {override: byWindow(), subject: ofLoans},
	"DRF-03": {override: byWindow(), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_feature_name": "probability"}},
	"DRF-04": {override: byWindow(), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_feature_name": "note.trigrams"}},
	"DRF-05": {override: byClock("window", "5m", "every", "3s"), subject: ofLoans, failing: true},
	"FAI-01": {override: byWindow("margin", 0.4), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_protected_attribute": "gender"}},
	"FAI-02": {override: byWindow("margin", 0.4), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_group": "female"}},
	"FAI-03": {override: byWindow("margin", 0.4), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_group": "female"}},
	"FAI-04": {override: byWindow("margin", 0.4), subject: ofLoans},
	"GOV-09": {override: byClock("window", "10s")},
	"GOV-10": {override: byClock("window", "40s", "fail", "> 0.15"), subject: map[string]string{"evenkeel_rule": "DRF-05"}},
	"HUM-01": {override: byClock("window", "2s")},
	"HUM-02": {override: byClock("min_samples", 10, "margin", 0.4)},
	"HUM-03": {override: byClock("min_samples", 10, "margin", 0.4)},
	"LIN-01": {override: byClock("min_samples", 10, "margin", 0.4), subject: ofLoans},
	"LIN-02": {override: byClock(), subject: ofLoans},
	"LIN-03": {override: byClock(), subject: map[string]string{"evenkeel_model_name": loanModel, "evenkeel_change_of": "model"}, unseen: true},
	"LLM-01": {override: byClock("min_samples", 10, "margin", 0.4), subject: ofAssistant},
	"LLM-02": {override: byClock(), subject: map[string]string{"evenkeel_model_name": assistantModel, "evenkeel_detector": "email"}},
	"LLM-03": {override: byClock("min_samples", 10, "margin", 0.4), subject: ofAssistant},
	"LLM-04": {override: byClock("min_samples", 10, "margin", 0.4), subject: ofAssistant},
	"LLM-05": {override: byClock("min_samples", 10, "margin", 0.4), subject: ofAssistant},
	"LOG-01": {override: byClock("min_samples", 10, "margin", 0.4, "fail", "< 0.9"), subject: ofTariffs},
	"LOG-02": {override: map[string]any{"every": "1s", "for": "1s", "fail": "> 8", "warn": "> 6"}, subject: map[string]string{"service_instance_id": "silent"}},
	"LOG-03": {override: byClock(), subject: map[string]string{"service_instance_id": "main"}},
	"LOG-04": {override: byClock("window", "10s"), subject: map[string]string{"evenkeel_table": "predictions"}},
	"LOG-06": {override: byClock(), subject: map[string]string{"service_instance_id": "clock"}},
	"OPS-01": {override: byClock("min_samples", 10, "margin", 0.1), subject: ofTariffs},
	"OPS-02": {override: byClock("min_samples", 10, "fail", "> 0.45"), subject: ofTariffs},
	"OPS-03": {override: byClock(), subject: ofTariffs},
	"PRF-01": {override: byWindow("margin", 0.2), subject: ofLoans},
	"PRF-02": {override: byWindow(), subject: ofLoans},
	"PRF-03": {override: byWindow("margin", 0.2), subject: ofLoans},
	"PRF-04": {override: byWindow(), subject: ofLoans},
	"PRF-05": {override: byClock("min_samples", 2), subject: ofLoans},
}

// Every shipped rule fires and clears by what clients, model servers, reviewers
// and agents do: nothing is written into the store. First all is well, and each
// rule passes on what it measures; then the world is bad until each has opened a
// record; then it is well again until each record's condition is cleared.
func TestEveryShippedRuleFiresAndClears(t *testing.T) {
	set, err := rules.Load(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, r := range set.Rules() {
		if _, there := firesCases[string(r.ID)]; !there {
			missing = append(missing, string(r.ID))
		}
	}
	if len(missing) > 0 {
		t.Fatalf("shipped without a case that shows that it fires and clears: %v", missing)
	}
	w := startFires(t)
	defer w.end()
	w.await(t, "pass", 150*time.Second, w.passed)
	w.turn(t, bad)
	w.await(t, "fire", 200*time.Second, w.fired)
	w.turn(t, mended)
	w.await(t, "clear", 200*time.Second, w.cleared)
}

// await asks for every case until each is as wanted.
func (w *firesWorld) await(t *testing.T, what string, limit time.Duration, is func(t *testing.T, rule string, c *firesCase) bool) {
	t.Helper()
	began := time.Now()
	left := map[string]bool{}
	for rule := range firesCases {
		left[rule] = true
	}
	for len(left) > 0 {
		w.refresh(t)
		for rule := range left {
			if c := firesCases[rule]; is(t, rule, &c) {
				delete(left, rule)
				t.Logf("%s: %s after %s", rule, what, time.Since(began).Round(time.Second))
			}
		}
		if len(left) > 0 && time.Since(began) > limit {
			for rule := range left {
				t.Errorf("%s does not %s:%s", rule, what, w.lastWords(t, rule))
			}
			t.FailNow()
		}
		time.Sleep(500 * time.Millisecond) // between two looks; nothing waits for it
	}
}

// verdict is an evaluation as the API gives it.
type verdict struct {
	Subject map[string]string `json:"subject"`
	Verdict string            `json:"verdict"`
	State   string            `json:"state"`
	Reason  string            `json:"reason"`
	Value   *float64          `json:"value"`
	End     time.Time         `json:"window_end"`
}

func (w *firesWorld) verdicts(t *testing.T, rule string) []verdict {
	t.Helper()
	var answer struct {
		Evaluations []verdict `json:"evaluations"`
	}
	w.get(t, "/api/v1/evaluations?limit=200&rule="+rule, &answer)
	return answer.Evaluations
}

// firesRecord is what a record says that the test looks at.
type firesRecord struct {
	Ref    string `json:"ref"`
	Source struct {
		Rule string `json:"rule_id"`
	} `json:"source"`
	Condition string    `json:"condition"`
	Opened    time.Time `json:"opened_at"`
	Subject   struct {
		Model     string            `json:"model"`
		Dimension map[string]string `json:"dimension"`
	} `json:"subject"`
	Statement struct {
		Failure string `json:"failure"`
	} `json:"statement"`
}

// refresh reads all records.
func (w *firesWorld) refresh(t *testing.T) {
	t.Helper()
	var list struct {
		Records []firesRecord `json:"nonconformities"`
	}
	w.get(t, "/api/v1/nonconformities?limit=1000", &list)
	w.records = list.Records
}

func (c *firesCase) has(subject map[string]string) bool {
	for label, want := range c.subject {
		if subject[label] != want {
			return false
		}
	}
	return true
}

// passed says that the rule has passed on a value.
func (w *firesWorld) passed(t *testing.T, rule string, c *firesCase) bool {
	t.Helper()
	return c.failing || c.unseen || slices.ContainsFunc(w.verdicts(t, rule), func(v verdict) bool {
		return v.Verdict == "pass" && v.Value != nil && c.has(v.Subject)
	})
}

// record finds the record of a case.
func (w *firesWorld) record(rule string, c *firesCase) *firesRecord {
	for i := range w.records {
		r := &w.records[i]
		subject := map[string]string{"evenkeel_model_name": r.Subject.Model}
		for label, value := range r.Subject.Dimension {
			subject[label] = value
		}
		if r.Source.Rule == rule && c.has(subject) {
			return r
		}
	}
	return nil
}

// fired says that a record is open for a fail that was seen since the world is
// bad.
func (w *firesWorld) fired(t *testing.T, rule string, c *firesCase) bool {
	t.Helper()
	if w.record(rule, c) == nil {
		return false
	}
	return slices.ContainsFunc(w.verdicts(t, rule), func(v verdict) bool {
		return v.Verdict == "fail" && v.State == "firing" && c.has(v.Subject) && (c.failing || v.End.After(w.turned))
	})
}

// cleared says that the record's condition is cleared by a pass since all is
// well again.
func (w *firesWorld) cleared(t *testing.T, rule string, c *firesCase) bool {
	t.Helper()
	if r := w.record(rule, c); r == nil || r.Condition != "cleared" {
		return false
	}
	return slices.ContainsFunc(w.verdicts(t, rule), func(v verdict) bool {
		return v.Verdict == "pass" && c.has(v.Subject) && v.End.After(w.turned)
	})
}

// lastWords tells what the rule said last, for a test that fails.
func (w *firesWorld) lastWords(t *testing.T, rule string) string {
	t.Helper()
	var b strings.Builder
	for i, v := range w.verdicts(t, rule) {
		if i == 12 {
			break
		}
		fmt.Fprintf(&b, "\n  %s %s %s %v: %s", v.End.Format("15:04:05"), v.Verdict, v.State, v.Subject, v.Reason)
	}
	for _, r := range w.records {
		if r.Source.Rule == rule {
			raw, _ := json.Marshal(r)
			fmt.Fprintf(&b, "\n  %s", raw)
		}
	}
	return b.String()
}
