package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/alerts"
	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/baseline"
	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// keeper notes what it is given; ingest's own tests take it into a real spool.
type keeper struct {
	system  signal.SystemID
	events  []string
	reviews []signal.Review
	senders []string
	refused int
	err     error
}

func (k *keeper) TakeLineage(_ context.Context, system signal.SystemID, events []string, sender string) error {
	k.system, k.events, k.senders = system, append(k.events, events...), append(k.senders, sender)
	return k.err
}

func (k *keeper) RefusedLineage(n int) { k.refused += n }

func (k *keeper) TakeReviews(_ context.Context, reviews []signal.Review, sender string) error {
	k.reviews, k.senders = append(k.reviews, reviews...), append(k.senders, sender)
	return k.err
}

func newKeeper(t *testing.T) (*site, *keeper) {
	k := &keeper{}
	s := &site{Server: httptest.NewServer(api.New(api.Options{Lineage: k, Reviews: k, MaxLabels: 4096, Clock: func() time.Time { return now }})), t: t}
	t.Cleanup(s.Close)
	return s, k
}

const runID = "01890a5d-ac96-774b-bcce-b302099a8057"

func lineageEvent(run string) string {
	return `{"eventType":"START","eventTime":"2026-03-01T12:00:00Z","producer":"p","schemaURL":"s","run":{"runId":"` + run + `","facets":{"mine":{"kept": [1,  2]}}},"job":{"namespace":"airflow","name":"train"}}`
}

func TestLineageIsTakenAsItCame(t *testing.T) {
	one := lineageEvent(runID)
	for name, c := range map[string]struct {
		body, encoding string
		status         int
		want           []string
		refused        int
		says           string
	}{
		"one":               {" " + one + "\n", "", 200, []string{one}, 0, `{"accepted":1,"refused":0}`},
		"several":           {"[" + one + ",\n" + one + "]", "", 200, []string{one, one}, 0, `"accepted":2`},
		"zipped":            {string(zipped(t, one)), "gzip", 200, []string{one}, 0, `"accepted":1`},
		"one is none":       {"[" + one + "," + lineageEvent("7") + "]", "", 200, []string{one}, 1, `"at":"item 2","message":"run.runId: \"7\" is no UUID"`},
		"none is one":       {lineageEvent("7"), "", 400, nil, 1, `"kind":"invalid","message":"read request: item 1: run.runId`},
		"nothing":           {"", "", 400, nil, 1, "not the JSON"},
		"no items":          {"[]", "", 400, nil, 0, "no OpenLineage event"},
		"cut off":           {"[" + one, "", 400, nil, 0, "unexpected end"},
		"too large":         {"[" + strings.Repeat(one+",", 50), "", 413, nil, 0, "too large"},
		"too large within":  {string(zipped(t, "["+strings.Repeat(one+",", 50))), "gzip", 413, nil, 0, "too large"},
		"another encoding":  {one, "br", 415, nil, 0, "content encoding"},
		"more than one, no": {one + one, "", 400, nil, 1, "after top-level value"},
	} {
		t.Run(name, func(t *testing.T) {
			s, k := newKeeper(t)
			status, body, _ := s.do("POST", "/api/v1/lineage?system=loans", c.body, "Content-Type", jsonType, "Content-Encoding", c.encoding, "Evenkeel-Batch", "desk/1")
			if status != c.status || !strings.Contains(body, c.says) || !slices.Equal(k.events, c.want) || k.refused != c.refused {
				t.Errorf("%d %s; got %q, %d refused", status, body, k.events, k.refused)
			}
			if len(c.want) > 0 && (k.system != "loans" || !slices.Equal(k.senders, []string{"desk/1"})) {
				t.Errorf("of %q by %q", k.system, k.senders)
			}
		})
	}
	many := &keeper{}
	large := &site{Server: httptest.NewServer(api.New(api.Options{Lineage: many, Clock: func() time.Time { return now }})), t: t}
	t.Cleanup(large.Close)
	var days []string
	for i := range 400 {
		days = append(days, strings.Replace(one, "2026-03-01", now.AddDate(0, 0, -i).Format(time.DateOnly), 1))
	}
	wide := strings.Replace(one, `"name":"train"}`, `"name":"train"},"inputs":[`+strings.Repeat(`{"namespace":"a","name":"b"},`, 9_999)+`{"namespace":"a","name":"b"}]`, 1)
	for body, c := range map[string]struct {
		accepted int
		says     string
	}{
		"[" + strings.Join(days, ",") + "]":                               {366, "item 367"},
		"[" + strings.Repeat(wide+",", 10) + wide + "]":                   {10, "more than 100000 datasets"},
		strings.Replace(wide, `[{`, `[{"namespace":"a","name":"b"},{`, 1): {0, "inputs: 10001 datasets"},
	} {
		many.events = nil
		if _, answer, _ := large.do("POST", "/api/v1/lineage", body, "Content-Type", jsonType); len(many.events) != c.accepted || !strings.Contains(answer, c.says) {
			t.Errorf("%d taken, %.300s; want %d, %q", len(many.events), answer, c.accepted, c.says)
		}
	}
	s, k := newKeeper(t)
	if status, body, _ := s.do("POST", "/api/v1/lineage", one, "Content-Type", "text/plain"); status != 415 {
		t.Errorf("another type: %d %s", status, body)
	}
	k.err = errs.E("append to the spool", errs.Exhausted, fmt.Errorf("full"), "")
	if status, body, h := s.do("POST", "/api/v1/lineage", one, "Content-Type", jsonType); status != 429 || h.Get("Retry-After") != "5" {
		t.Errorf("a full spool: %d %s", status, body)
	}
}

func TestReviewsHoldNoNames(t *testing.T) {
	const done = `{"prediction_id":"req-17","row":2,"required":true,"start":"2026-03-01T11:00:00Z","end":"2026-03-01T11:04:00+00:00","decision":"overridden","role":"loan officer"}`
	s, k := newKeeper(t)
	body := "[" + done + `,{"system":"cards","prediction_id":"b","required":true}]`
	for range 2 {
		if status, answer, _ := s.do("POST", "/api/v1/reviews?system=loans", body, "Content-Type", jsonType); status != 200 || !strings.Contains(answer, `"accepted":2`) {
			t.Fatalf("%d %s", status, answer)
		}
	}
	hour := func(h, m int) time.Time { return time.Date(2026, 3, 1, h, m, 0, 0, time.UTC) }
	first := k.reviews[0]
	if first.System != "loans" || first.ID != "req-17" || first.Row != 2 || !first.Required || !first.Start.Equal(hour(11, 0)) || !first.End.Equal(hour(11, 4)) ||
		first.Decision != signal.ReviewOverridden || first.Role != "loan officer" || k.reviews[1].System != "cards" {
		t.Errorf("%+v", k.reviews)
	}
	if k.senders[0] == "" || k.senders[0] != k.senders[1] || first.ReviewID() != k.reviews[2].ReviewID() || first.ReviewID() == k.reviews[1].ReviewID() {
		t.Errorf("told again it is another: %q", k.senders)
	}
	for text, says := range map[string]string{
		strings.Replace(done, `"role"`, `"reviewer"`, 1):                 `unknown field \"reviewer\"`,
		strings.Replace(done, "overridden", "ignored", 1):                "decision:",
		strings.Replace(done, `"decision":"overridden",`, "", 1):         "decision: missing",
		strings.Replace(done, "11:04", "10:04", 1):                       "end: before start",
		strings.Replace(done, "2026-03-01T11:04", "2126-03-01T11:04", 1): "end: 2126",
		`{"prediction_id":"a"}`:                                          "says nothing",
		`{"required":true}`:                                              "prediction_id: missing",
		done + done:                                                      "more follows",
		`7`:                                                              "cannot unmarshal",
	} {
		if status, answer, _ := s.do("POST", "/api/v1/reviews?system=loans", text, "Content-Type", jsonType); status != 400 || !strings.Contains(answer, says) {
			t.Errorf("%s: %d %s; want %q", text, status, answer, says)
		}
	}
	if status, answer, _ := s.do("POST", "/api/v1/reviews", done, "Content-Type", jsonType); status != 400 || !strings.Contains(answer, "system: missing") {
		t.Errorf("without a system: %d %s", status, answer)
	}
}

// TestQuestionsAboutLineageAndBaselines asks the real store.
func TestQuestionsAboutLineageAndBaselines(t *testing.T) {
	s := newSite(t, func(o *api.Options) {
		writer := o.Reader.(model.Writer)
		o.Baselines = baseline.New(baseline.Options{Store: o.Reader.(baseline.Store), Register: o.Register.(baseline.Register), Clock: o.Clock})
		o.Alerts = alerts.New(alerts.Options{
			Store: writer, Register: o.Register.(alerts.Register), Clock: o.Clock,
			Rule: func(signal.SystemID, signal.RuleID) *rules.Effective { return nil },
		})
		e, err := lineage.Parse([]byte(lineageEvent(runID)), now)
		if err != nil {
			t.Fatal(err)
		}
		rows := &model.Rows{
			Lineage: []model.LineageEvent{e.Row(lineageEvent(runID), "")}, LineageEdges: e.Edges(""),
			Predictions: []signal.Prediction{{System: "loans", Model: signal.ModelRef{Name: "credit"}, Instance: "a", ID: "a/b c", Time: now, Run: runID, Rate: 1}},
		}
		if err := writer.Write(t.Context(), model.SpoolBatch(7), rows, model.FirstTry); err != nil {
			t.Fatal(err)
		}
	})
	b, err := signal.BuildBaseline([]signal.Column{{Name: "income", Target: signal.TargetFeature, Numbers: []float64{1, 2, 2.5, 9, 40}}}, signal.BuildOptions{Model: signal.ModelRef{Name: "credit"}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	digest := canonical.Sum(raw)
	const decision = `{"by":"owner","basis":"report"}`
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/api/v1/lineage/graph?node=train&direction=up&depth=3", "", 200, `"node":"job:airflow#train"`},
		{"GET", "/api/v1/lineage/graph?node=train&depth=x", "", 400, "depth"},
		{"GET", "/api/v1/lineage/graph?node=train&depth=51", "", 400, "1 to 50"},
		{"GET", "/api/v1/lineage/graph?node=nobody", "", 404, "no event names"},
		{"GET", "/api/v1/lineage/node?node=run:" + runID, "", 200, `"kept":[1,2]`},
		{"GET", "/api/v1/predictions/a%2Fb%20c/lineage", "", 200, `"run":"run:` + runID},
		{"GET", "/api/v1/predictions/a%2Fb%20c/lineage?system=cards", "", 404, "not_found"},
		{"GET", "/api/v1/baselines", "", 200, `{"baselines":[]}`},
		{"POST", "/api/v1/baselines?system=loans", string(raw), 201, `"state":"proposed"`},
		{"POST", "/api/v1/baselines?system=loans", "{}", 400, "invalid"},
		{"POST", "/api/v1/baselines", string(raw), 400, "system: missing"},
		{"POST", "/api/v1/baselines/" + digest + "/approve", `{"by":"owner"}`, 400, "basis"},
		{"POST", "/api/v1/baselines/" + digest + "/approve", decision, 200, `"state":"approved"`},
		{"GET", "/api/v1/baselines?state=approved&system=loans", "", 200, digest},
		{"GET", "/api/v1/baselines/" + digest, "", 200, string(raw)},
		{"POST", "/api/v1/baselines/" + digest + "/withdraw", decision, 200, `"state":"withdrawn"`},
		{"POST", "/api/v1/baselines/" + digest + "/withdraw", decision, 409, "conflict"},
		{"GET", "/api/v1/baselines/" + digest[:20] + "/registration", "", 200, `"decisions":[{`},
		{"POST", "/api/v1/alertmanager?system=loans", `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-03-01T12:00:00Z"}]}`, 200, `{"firing":1,"resolved":0,"unknown_rules":1}`},
		{"POST", "/api/v1/alertmanager", `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-03-01T12:00:00Z"}]}`, 400, "alerts[0].labels.evenkeel_system_id"},
		{"GET", "/api/v1/nonconformities?rule=ALERT:A", "", 200, `"kind":"observation"`},
		{"GET", "/api/v1/evaluations?rule=ALERT:A", "", 200, `"source":"alertmanager"`},
	} {
		status, body, _ := s.do(c.method, c.path, c.body, "Content-Type", jsonType)
		if status != c.status || !strings.Contains(body, c.says) || c.status < 400 && !json.Valid([]byte(body)) {
			t.Errorf("%s %s: %d %s; want %d %s", c.method, c.path, status, body, c.status, c.says)
		}
	}
}

// What is not set up is not there.
func TestPartsThatAreLeftOutAreNotFound(t *testing.T) {
	s := &site{Server: httptest.NewServer(api.New(api.Options{})), t: t}
	t.Cleanup(s.Close)
	for _, path := range []string{"lineage", "reviews", "alertmanager", "baselines", "baselines/x/approve"} {
		if status, body, _ := s.do("POST", "/api/v1/"+path, "{}", "Content-Type", jsonType); status != 404 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
