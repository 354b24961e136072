package alerts_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/alerts"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var noon = time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)

// world is a taker over the real store, register and shipped rules.
type world struct {
	*alerts.Taker
	t     *testing.T
	store *clickhouse.Store
	reg   *register.Register
	set   *rules.Set
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	set, err := rules.Load(rules.Options{Expression: query.Check})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: storetest.Open(t), set: set, now: noon}
	w.open()
	return w
}

// open opens the register anew, as after a restart.
func (w *world) open() {
	reg, err := register.Open(w.t.Context(), w.store, w.store, register.Options{Clock: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.reg = reg
	w.Taker = alerts.New(alerts.Options{Store: w.store, Register: reg, Rule: w.set.Rule, Clock: func() time.Time { return w.now }})
}

// alert writes one as Alertmanager does.
func alert(status, fingerprint string, starts, ends time.Time, labels string) string {
	return fmt.Sprintf(`{"status":%q,"labels":{"alertname":"Drift",%s},"annotations":{"summary":"income moved","value":"0.31"},"startsAt":%q,"endsAt":%q,"generatorURL":"http://p","fingerprint":%q}`,
		status, labels, starts.Format(time.RFC3339Nano), ends.Format(time.RFC3339Nano), fingerprint)
}

func notification(alerts ...string) []byte {
	return []byte(`{"version":"4","groupKey":"{}","truncatedAlerts":0,"status":"firing","receiver":"evenkeel","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://a","alerts":[` +
		strings.Join(alerts, ",") + `]}`)
}

const drift = `"evenkeel_rule_id":"DRF-01","evenkeel_system_id":"loans","evenkeel_model_name":"credit","evenkeel_model_version":"7","evenkeel_feature_name":"income","pod":"a"`

func (w *world) take(raw []byte) model.AlertsTaken {
	w.t.Helper()
	answer, err := w.Take(w.t.Context(), "", raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

// only gives the one record.
func (w *world) only() model.Record {
	w.t.Helper()
	list := w.reg.List(model.RecordFilter{})
	if len(list) != 1 {
		w.t.Fatalf("%d records: %+v", len(list), list)
	}
	return list[0].Record
}

func (w *world) evaluations() []model.Evaluation {
	w.t.Helper()
	found, err := w.store.Evaluations(w.t.Context(), "", noon.Add(-24*time.Hour), noon.Add(24*time.Hour), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// TestAnAlertIsTheVerdictOfItsRule walks one alert through its life, each step
// told twice, and over a restart.
func TestAnAlertIsTheVerdictOfItsRule(t *testing.T) {
	w := newWorld(t)
	if _, err := w.reg.ApproveCriterion(t.Context(), "DRF-01", "loans", model.Actor{ID: "owner", Kind: "person"}, "policy"); err != nil {
		t.Fatal(err)
	}
	firing := notification(alert("firing", "f1", noon, time.Time{}, drift))
	for range 2 {
		if answer := w.take(firing); answer.Firing != 1 || answer.Unknown != 0 {
			t.Errorf("%+v", answer)
		}
		w.now = w.now.Add(time.Hour)
	}
	r := w.only()
	if r.Kind != "nonconformity" || r.Rule != "DRF-01" || r.System != "loans" || r.Condition != register.Failing || r.Occurrences != 1 ||
		*r.Value != 0.31 || r.Statement != "Alertmanager: income moved" || r.Subject["pod"] != "" || r.Subject["evenkeel_feature_name"] != "income" || !r.DetectedAt.Equal(noon) {
		t.Errorf("%+v", r)
	}
	w.open()
	w.take(firing)
	resolved := notification(alert("resolved", "f1", noon, noon.Add(30*time.Minute), drift))
	w.take(resolved)
	w.take(resolved)
	if r := w.only(); r.Condition != register.Cleared || r.Occurrences != 1 || r.State != "open" {
		t.Errorf("after it was resolved: %+v", r)
	}
	w.take(firing) // late, or repeated by a peer
	if r := w.only(); r.Condition != register.Cleared {
		t.Errorf("an old notification opened it again: %+v", r)
	}
	w.take(notification(alert("firing", "f1", noon.Add(2*time.Hour), time.Time{}, drift)))
	if r := w.only(); r.Condition != register.Failing || r.Occurrences != 2 {
		t.Errorf("firing anew: %+v", r)
	}
	if found := w.evaluations(); len(found) != 3 || found[0].Source != model.SourceAlertmanager || found[0].RuleDigest != w.set.Rule("loans", "DRF-01").Digest {
		t.Errorf("%d evaluations: %+v", len(found), found)
	}
}

// TestTheEvaluatorMeetsTheSameRecord opens by an alert what the evaluator's own
// verdict is then counted in.
func TestTheEvaluatorMeetsTheSameRecord(t *testing.T) {
	w := newWorld(t)
	w.take(notification(alert("firing", "f1", noon, time.Time{}, drift)))
	value := 0.4
	err := w.reg.Consume(t.Context(), w.set.Rule("loans", "DRF-01"), model.Evaluation{
		ID: "own", Rule: "DRF-01", System: "loans", Verdict: signal.Fail, State: model.StateFiring, Streak: 2, Value: &value,
		Subject:     map[string]string{"evenkeel_system_id": "loans", "evenkeel_model_name": "credit", "evenkeel_model_version": "7", "evenkeel_feature_name": "income"},
		WindowStart: noon, WindowEnd: noon.Add(time.Hour), EvaluatedAt: noon.Add(time.Hour),
	})
	if r := w.only(); err != nil || r.Occurrences != 2 || *r.Worst != 0.4 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAnAlertOfNoRuleOpensAnObservation(t *testing.T) {
	w := newWorld(t)
	raw := notification(alert("firing", "", noon, time.Time{}, `"severity":"page","instance":"gpu-1"`))
	if _, err := w.Take(t.Context(), "", raw); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "alerts[0].labels.evenkeel_system_id: missing") {
		t.Errorf("without a system: %v", err)
	}
	for range 2 {
		answer, err := w.Take(t.Context(), "loans", raw)
		if err != nil || answer.Unknown != 1 {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	r := w.only()
	if r.Kind != "observation" || r.Rule != "ALERT:Drift" || r.System != "loans" || r.Subject["instance"] != "gpu-1" || r.Subject["severity"] != "" || r.Occurrences != 1 {
		t.Errorf("%+v", r)
	}
	w.take(notification(alert("resolved", "", noon, noon.Add(time.Minute), `"severity":"page","instance":"gpu-1","evenkeel_system_id":"loans"`)))
	if r := w.only(); r.Condition != register.Cleared {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsNoNotificationChangesNothing(t *testing.T) {
	w := newWorld(t)
	good := alert("firing", "f1", noon, time.Time{}, drift)
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"no JSON":         {[]byte("{"), "not a notification"},
		"another version": {[]byte(`{"version":"3","alerts":[` + good + `]}`), `version: "3"`},
		"no alerts":       {notification(), "alerts: 0"},
		"too many":        {notification(strings.Split(strings.Repeat(good+"\n", alerts.MaxAlerts+1), "\n")[:alerts.MaxAlerts+1]...), "max_alerts"},
		"one is wrong":    {notification(good, strings.Replace(good, "firing", "pending", 1)), `alerts[1].status: "pending"`},
		"far ahead":       {notification(strings.Replace(good, "2026", "2126", 1)), "alerts[0].startsAt: 2126"},
		"no time":         {notification(strings.Replace(good, noon.Format(time.RFC3339Nano), "0001-01-01T00:00:00Z", 1)), "alerts[0].startsAt"},
		"no name":         {notification(`{"status":"firing","labels":{"evenkeel_system_id":"loans"},"startsAt":"2026-03-10T12:00:00Z"}`), "neither evenkeel_rule_id nor alertname"},
		"a long label":    {notification(strings.Replace(good, `"pod":"a"`, `"pod":"`+strings.Repeat("a", 5000)+`"`, 1)), `"pod" is longer`},
		"not UTF-8":       {notification(strings.Replace(good, "income moved", "\xff", 1)), "not UTF-8"},
	} {
		if _, err := w.Take(t.Context(), "", c.raw); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
	if n := len(w.reg.List(model.RecordFilter{})) + len(w.evaluations()); n != 0 {
		t.Errorf("%d records and evaluations", n)
	}
}

func FuzzTake(f *testing.F) {
	f.Add(notification(alert("firing", "f1", noon, time.Time{}, drift)))
	f.Add(notification(alert("resolved", "", noon, noon.Add(-time.Hour), `"a":"b"`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		alerts.CheckEvaluations(t, raw, noon)
		if !json.Valid(raw) && alerts.Reads(raw, noon) {
			t.Errorf("%q is no JSON and was read", raw)
		}
	})
}
