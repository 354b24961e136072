package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

var update = flag.Bool("update", false, "write the golden files again")

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// site is the API over the real store, filled with a little of everything.
type site struct {
	*httptest.Server
	t *testing.T
}

func newSite(t *testing.T, change func(*api.Options)) *site {
	t.Helper()
	store := storetest.Open(t)
	fill(t, store)
	reg, err := register.Open(t.Context(), store, store, register.Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	consume(t, reg)
	o := api.Options{
		Register: reg, Query: query.New(store, query.Options{}), Reader: store,
		Clock: func() time.Time { return now }, Metrics: prometheus.NewRegistry(),
		Systems: []api.System{{ID: "loan-approval", Owner: "ai-risk-owner"}, {ID: "triage", Owner: "clinic"}},
		Account: func() api.Account {
			return api.Account{Acknowledged: 1842, Waiting: 2, SpoolBytes: 36 << 10, SpoolMax: 1 << 30}
		},
		Plugins: func() []api.Plugin {
			return []api.Plugin{{Name: "webhook", Version: "1.0.0", Running: true, Delivered: 4, Waiting: 1, LastError: "the receiver answered 503 Service Unavailable"}}
		},
		Known: func(_ context.Context, rule signal.RuleID, _ signal.SystemID) error {
			if rule != "DRF-01" {
				return errs.E("find rule", errs.NotFound, fmt.Errorf("no rule is called %q", rule), "")
			}
			return nil
		},
	}
	if change != nil {
		change(&o)
	}
	s := &site{Server: httptest.NewServer(api.New(o)), t: t}
	t.Cleanup(s.Close)
	return s
}

// fill writes a window, verdicts and two series.
func fill(t *testing.T, store model.Writer) {
	t.Helper()
	value := func(v float64) *float64 { return &v }
	verdict := func(feature string, v signal.Verdict, x *float64, reason string) model.Evaluation {
		return model.Evaluation{
			ID: "00000000-0000-5000-8000-" + fmt.Sprintf("%012x", len(feature)), Rule: "DRF-01", RuleVersion: 1, System: "loan-approval",
			Subject: map[string]string{"evenkeel_feature_name": feature, "evenkeel_model_name": "loan", "evenkeel_model_version": "1"},
			Verdict: v, Value: x, Samples: 1204, FailLimit: "> 0.25", State: model.StateOK, Reason: reason,
			WindowStart: now.Add(-20 * time.Second), WindowEnd: now.Add(-10 * time.Second), EvaluatedAt: now.Add(-9 * time.Second),
		}
	}
	rows := &model.Rows{
		FleetWindows: []model.FleetWindow{{
			System: "loan-approval", Model: signal.ModelRef{Name: "loan", Version: "1"}, Length: 10 * time.Second,
			Start: now.Add(-20 * time.Second), End: now.Add(-10 * time.Second),
			Instances: []string{"pod-a", "pod-b"}, Absent: []string{"pod-c"}, Rows: 1204, SealedAt: now.Add(-9 * time.Second),
		}, {
			System: "loan-approval", Model: signal.ModelRef{Name: "loan", Version: "1"}, Length: 10 * time.Second,
			Start: now.Add(-40 * time.Second), End: now.Add(-30 * time.Second), Instances: []string{"pod-a"}, Rows: 602, Cohort: `{"task":"decision"}`,
		}},
		Evaluations: []model.Evaluation{
			verdict("income", signal.Fail, value(0.31), "income is 0.31, above 0.25"),
			verdict("age", signal.Pass, value(0.02), "age is 0.02"),
			verdict("<script>", signal.NoData, nil, "no rows"),
		},
	}
	for i, labels := range [][]model.Label{{{Name: "feature", Value: "income"}}, {{Name: "feature", Value: "age"}}} {
		s := model.Series{Name: "drift", Labels: labels, Kind: model.Gauge, Unit: "1", SeenAt: now}
		s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
		rows.Series = append(rows.Series, s)
		for n, v := range [][]float64{{0.1, math.Inf(1), 0.31}, {0.02, 0.03, math.NaN()}}[i] {
			rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: now.Add(time.Duration(n-2) * 10 * time.Second), Value: v})
		}
	}
	if err := store.Write(t.Context(), model.DerivedBatch(1), rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
}

// consume opens one record.
func consume(t *testing.T, reg *register.Register) {
	t.Helper()
	limit, err := rules.ParseLimit("> 0.25")
	if err != nil {
		t.Fatal(err)
	}
	value := 0.31
	rule := &rules.Effective{Rule: rules.Rule{
		ID: "DRF-01", Version: 1, Title: "Input feature drift", Fail: limit, Subject: []string{"evenkeel_feature_name"},
		OnFail: rules.OnFail{Opens: rules.OpensNonconformity, Severity: "minor", Requires: rules.RequiresCriterion},
		Refs:   map[string][]string{"iso42001": {"9.1"}},
	}}
	err = reg.Consume(t.Context(), rule, model.Evaluation{
		ID: "00000000-0000-5000-8000-000000000001", Rule: "DRF-01", System: "loan-approval", Verdict: signal.Fail, State: model.StateFiring, Streak: 2,
		Subject: map[string]string{"evenkeel_system_id": "loan-approval", "evenkeel_feature_name": "income", "evenkeel_model_version": "1"},
		Value:   &value, Samples: 1204, FailLimit: "> 0.25", Reason: "PSI of income is 0.31 over 1,204 rows, above 0.25, for 2 windows",
		WindowStart: now.Add(-20 * time.Second), WindowEnd: now.Add(-10 * time.Second), EvaluatedAt: now.Add(-9 * time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// do sends a request; "Host" among the headers sets the host.
func (s *site) do(method, path, body string, headers ...string) (int, string, http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(raw)), resp.Header
}

const jsonType = "application/json"

func TestRecords(t *testing.T) {
	s := newSite(t, nil)
	for path, want := range map[string]int{
		"": 1, "?state=candidate": 1, "?state=open": 0, "?state=any_open": 1, "?kind=observation": 1, "?rule=DRF-02": 0,
		"?system=loan-approval&condition=failing": 1, "?condition=cleared": 0,
	} {
		status, body, _ := s.do("GET", "/api/v1/nonconformities"+path, "")
		var list struct{ Nonconformities []model.Record }
		if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || len(list.Nonconformities) != want {
			t.Errorf("%s: %d, %d records, %v; want %d", path, status, len(list.Nonconformities), err, want)
		}
	}
	status, body, _ := s.do("POST", "/api/v1/nonconformities/NC-2026-00001/acknowledge", `{"by":"a.officer","note":"seen"}`, "Content-Type", jsonType)
	if status != 200 {
		t.Fatalf("acknowledge: %d %s", status, body)
	}
	_, body, _ = s.do("GET", "/api/v1/nonconformities/NC-2026-00001", "")
	var detail struct {
		Nonconformity model.Record
		Events        []struct{ Type string }
	}
	if err := json.Unmarshal([]byte(body), &detail); err != nil {
		t.Fatal(err)
	}
	if len(detail.Events) != 2 || detail.Events[1].Type != "acknowledged" || detail.Nonconformity.AwareAt == nil {
		t.Errorf("got %s", body)
	}
}

func TestCriteria(t *testing.T) {
	s := newSite(t, nil)
	const good = `{"rule":"DRF-01","system":"loan-approval","by":"a.officer","basis":"policy"}`
	if status, body, _ := s.do("POST", "/api/v1/criteria", good, "Content-Type", jsonType); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	if _, body, _ := s.do("GET", "/api/v1/criteria", ""); !strings.Contains(body, `"basis":"policy"`) {
		t.Errorf("got %s", body)
	}
}

func TestRefusals(t *testing.T) {
	s := newSite(t, func(o *api.Options) { o.MaxBody = 4096 })
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		kind                     string
	}{
		{"no such record", "GET", "/api/v1/nonconformities/NC-1", "", nil, 404, "not_found"},
		{"no such path", "GET", "/api/v2", "", nil, 404, "not_found"},
		{"wrong method", "DELETE", "/api/v1/nonconformities", "", nil, 405, "invalid"},
		{"no such rule", "POST", "/api/v1/criteria", `{"rule":"X"}`, []string{"Content-Type", jsonType}, 404, "not_found"},
		{"no basis", "POST", "/api/v1/criteria", `{"rule":"DRF-01","system":"s","by":"b"}`, []string{"Content-Type", jsonType}, 400, "invalid"},
		{"a form", "POST", "/api/v1/criteria", "rule=DRF-01", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400, "invalid"},
		{"unknown key", "POST", "/api/v1/criteria", `{"rulle":"DRF-01"}`, []string{"Content-Type", jsonType}, 400, "invalid"},
		{"too large", "POST", "/api/v1/criteria", `{"rule":"` + strings.Repeat("x", 5000) + `"}`, []string{"Content-Type", jsonType}, 413, "invalid"},
		{"bad limit", "GET", "/api/v1/evaluations?limit=0", "", nil, 400, "invalid"},
		{"another host", "GET", "/api/v1/criteria", "", []string{"Host", "evil.example"}, 403, "denied"},
		{"a host that begins well", "GET", "/", "", []string{"Host", "127.0.0.1.evil.example:42001"}, 403, "denied"},
		{"another site", "POST", "/api/v1/criteria", `{}`, []string{"Content-Type", jsonType, "Origin", "https://evil.example"}, 403, "denied"},
		{"another site, told by the browser", "POST", "/api/v1/query", "query=1", []string{"Sec-Fetch-Site", "cross-site"}, 403, "denied"},
	} {
		status, body, _ := s.do(c.method, c.path, c.body, c.headers...)
		var got struct {
			Error struct{ Kind, Message, Hint string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != c.status || got.Error.Kind != c.kind || got.Error.Message == "" {
			t.Errorf("%s: %d %s; want %d %s", c.name, status, body, c.status, c.kind)
		}
	}
	for _, host := range []string{"localhost:1", "127.0.0.1", "[::1]:42001"} {
		if status, body, _ := s.do("GET", "/api/v1/criteria", "", "Host", host); status != 200 {
			t.Errorf("host %s: %d %s", host, status, body)
		}
	}
}

func TestTokens(t *testing.T) {
	s := newSite(t, func(o *api.Options) {
		o.Verify = func(token string) bool { return token == "good" }
		o.Ready = func(context.Context) error { return errors.New("the store is away") }
	})
	for _, path := range []string{"/", "/style.css", "/metrics", "/api/v1/nonconformities", "/api/v1/query?query=1"} {
		if status, _, h := s.do("GET", path, ""); status != 401 || h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a token: %d", path, status)
		}
		if status, _, _ := s.do("GET", path, "", "Authorization", "Bearer bad"); status != 401 {
			t.Errorf("%s with a bad token: %d", path, status)
		}
		if status, body, _ := s.do("GET", path, "", "Authorization", "Bearer good", "Host", "collector.example"); status != 200 {
			t.Errorf("%s with a token: %d %s", path, status, body)
		}
	}
	if status, _, _ := s.do("GET", "/", "", "Authorization", "Basic YW55Omdvb2Q="); status != 200 {
		t.Errorf("the token as a password: %d", status)
	}
	if status, _, _ := s.do("GET", "/healthz", ""); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	if status, body, _ := s.do("GET", "/readyz", ""); status != 503 || strings.Contains(body, "store") {
		t.Errorf("readyz: %d %s; want 503 without the reason", status, body)
	}
}

func TestPrometheus(t *testing.T) {
	s := newSite(t, nil)
	at := fmt.Sprint(now.Unix())
	start := fmt.Sprint(now.Add(-20 * time.Second).Unix())
	for _, c := range []struct{ path, want string }{
		{`/api/v1/query?time=` + at + `&query=drift{feature="income"}`, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"drift","feature":"income"},"value":[` + at + `,"0.31"]}]}}`},
		{`/api/v1/query?time=` + at + `&query=drift{feature="age"}`, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"drift","feature":"age"},"value":[` + at + `,"NaN"]}]}}`},
		{`/api/v1/query?time=` + at + `&query=absent_metric`, `{"status":"success","data":{"resultType":"vector","result":[]}}`},
		{`/api/v1/query?time=` + at + `.5&query=1/4`, `{"status":"success","data":{"resultType":"scalar","result":[` + at + `.5,"0.25"]}}`},
		{`/api/v1/query?time=` + at + `&query="text"`, `{"status":"success","data":{"resultType":"string","result":[` + at + `,"text"]}}`},
		{`/api/v1/query_range?start=` + start + `&end=` + at + `&step=10s&query=drift{feature="income"}`, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"drift","feature":"income"},"values":[[` +
			start + `,"0.1"],[` + fmt.Sprint(now.Add(-10*time.Second).Unix()) + `,"+Inf"],[` + at + `,"0.31"]]}]}}`},
		{`/api/v1/labels`, `{"status":"success","data":["__name__","feature"]}`},
		{`/api/v1/label/feature/values`, `{"status":"success","data":["age","income"]}`},
		{`/api/v1/label/nothing/values`, `{"status":"success","data":[]}`},
		{`/api/v1/series?match[]=drift{feature="age"}`, `{"status":"success","data":[{"__name__":"drift","feature":"age"}]}`},
		{`/api/v1/metadata`, `{"status":"success","data":{"drift":[{"type":"gauge","help":"","unit":"1"}]}}`},
	} {
		path, query, _ := strings.Cut(c.path, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if status, body, _ := s.do("GET", path+"?"+values.Encode(), ""); status != 200 || body != c.want {
			t.Errorf("GET %s: %d\n got %s\nwant %s", c.path, status, body, c.want)
		}
		if strings.HasPrefix(path, "/api/v1/query") {
			if status, body, _ := s.do("POST", path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded"); status != 200 || body != c.want {
				t.Errorf("POST %s: %d\n got %s\nwant %s", c.path, status, body, c.want)
			}
		}
	}
	for path, want := range map[string]string{
		"/api/v1/query?query=drift{":                                  "bad_data",
		"/api/v1/query?query=1&time=yesterday":                        "bad_data",
		"/api/v1/query_range?query=1&start=0&end=1":                   "bad_data",
		"/api/v1/query_range?query=1&start=5&end=1&step=1":            "bad_data",
		"/api/v1/query_range?query=1&start=0&end=100000&step=1":       "bad_data",
		"/api/v1/query_range?query=1&start=0&end=1&step=0.0000000001": "bad_data",
		"/api/v1/query?query=1&time=NaN":                              "bad_data",
		"/api/v1/series":                                              "bad_data",
	} {
		status, body, _ := s.do("GET", path, "")
		var got struct{ Status, ErrorType, Error string }
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 400 || got.Status != "error" || got.ErrorType != want || got.Error == "" {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestEvaluations(t *testing.T) {
	s := newSite(t, nil)
	for path, want := range map[string]int{"": 3, "?rule=DRF-01&limit=2": 2, "?rule=FAI-02": 0, "?end=2026-02-28T00:00:00Z": 0} {
		status, body, _ := s.do("GET", "/api/v1/evaluations"+path, "")
		var list struct{ Evaluations []struct{ Verdict string } }
		if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || len(list.Evaluations) != want {
			t.Errorf("%s: %d %s; want %d", path, status, body, want)
		}
	}
}

func TestPage(t *testing.T) {
	s := newSite(t, nil)
	status, body, h := s.do("GET", "/", "")
	if status != 200 || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", status, h)
	}
	if strings.Contains(body, "<script>") {
		t.Error("a label's text reached the page unescaped")
	}
	if !strings.Contains(body, `http-equiv="refresh"`) {
		t.Error("the page does not renew itself")
	}
	if _, still, _ := s.do("GET", "/?refresh=off", ""); strings.Contains(still, `http-equiv="refresh"`) {
		t.Error("the page cannot be held still")
	}
	golden(t, "page.html", []byte(body+"\n"))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and look at the difference:\n%s", path, got)
	}
}
