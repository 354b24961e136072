package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

// askAt posts a body and drops the answer.
func askAt(t testing.TB, url, host, body string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if host != "" {
		r.Host = host
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// accounts gives rows of one column, and requests of all windows, by model name. A
// window may hold requests and no rows.
func accounts(all []*signal.Distribution, target signal.Target, column signal.FeatureName) map[string]string {
	type sum struct{ rows, seen, profiled, dropped, undecodable uint64 }
	sums := map[string]sum{}
	for _, d := range of(all, target, column) {
		s := sums[d.Model.Name]
		s.rows += d.N
		sums[d.Model.Name] = s
	}
	known := map[string]bool{}
	for _, d := range all {
		if id := d.Model.String() + " " + d.Window.String(); !known[id] {
			known[id] = true
			s := sums[d.Model.Name]
			sums[d.Model.Name] = sum{s.rows, s.seen + d.Capture.Seen, s.profiled + d.Capture.Profiled, s.dropped + d.Capture.Dropped, s.undecodable + d.Capture.Undecodable}
		}
	}
	out := map[string]string{}
	for name, s := range sums {
		out[name] = fmt.Sprintf("rows %d: seen %d, profiled %d, dropped %d, undecodable %d", s.rows, s.seen, s.profiled, s.dropped, s.undecodable)
	}
	return out
}

func sameAccounts(t testing.TB, got, want map[string]string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("accounts\n%v, want\n%v", got, want)
	}
}

// chatServer answers chats under the model that is asked, which stands behind the
// messages, and refuses the word "fail".
func chatServer(t testing.TB) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if bytes.Contains(body, []byte("fail")) {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if bytes.Contains(body, []byte("break")) {
			_, _ = io.WriteString(w, "{")
			return
		}
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","model":"small","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func chat(model, prompt string) string {
	return fmt.Sprintf(`{"messages":[{"role":"user","content":%q}],"model":%q}`, prompt, model)
}

// Several language models behind one URL are told apart by the body: each has
// windows, durations and token counts of its own, its failures too. What is asked
// of a model that is not configured is nobody's.
func TestLanguageModelsBehindOneURL(t *testing.T) {
	server := chatServer(t)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Tap.MaxBody = 4 << 10
	c.Models = []agentconfig.Model{
		{Name: "small", Protocol: "openai"},
		{Name: "large", Protocol: "openai", Match: agentconfig.Match{BodyModel: "meta/large-*"}},
	}
	a := startAgent(t, c, nil)
	url := "http://" + a.Addr() + "/v1/chat/completions"
	for _, body := range []string{
		chat("small", "one"), chat("meta/large-70b", "two"), chat("meta/large-8b", "three"), chat("other", "four"),
		chat("small", "fail"), chat("small", "break"), `{"messages":[]}`,
	} {
		askAt(t, url, "", body)
	}
	askAt(t, url, "", chat("small", strings.Repeat("x", 8<<10))) // too large to be kept: nobody knows whose it is
	askAt(t, "http://"+a.Addr()+"/openai/deployments/small/chat/completions", "", chat("whatever", "five"))
	otlptest.Eventually(t, "all requests", func() bool {
		return figure(t, a, "evenkeel_request_unmatched", `evenkeel_reason="unnamed"`) == "1" &&
			figure(t, a, "evenkeel_inference_duration_count", `evenkeel_model_name="small"`, `evenkeel_outcome="ok"`) == "3"
	})
	for _, want := range []struct{ name, model, part, value string }{
		{"evenkeel_request_unmatched", "", `evenkeel_reason="other_model"`, "1"},
		{"evenkeel_inference_duration_count", "large", `evenkeel_outcome="ok"`, "2"},
		{"evenkeel_inference_duration_count", "small", `evenkeel_outcome="client_error"`, "1"},
		{"gen_ai_server_request_duration_count", "small", `error_type="429"`, "1"},
	} {
		if got := figure(t, a, want.name, want.model, want.part); got != want.value {
			t.Errorf("%s of %q %s is %s, want %s", want.name, want.model, want.part, got, want.value)
		}
	}
	_, page := get(t, a, "/metrics")
	for _, line := range strings.Split(page, "\n") {
		if strings.Contains(line, `";`) {
			t.Errorf("the URL is a model: %s", line)
		}
	}
	stopAgent(t, a)
	sameAccounts(t, accounts(profiles(t, receiver), signal.TargetPrediction, "finish_reason"), map[string]string{
		"small": "rows 2: seen 5, profiled 2, dropped 2, undecodable 1", // the nameless and the large one may have been of either
		"large": "rows 2: seen 4, profiled 2, dropped 2, undecodable 0",
	})
}

// routeYAML is a model under two paths and two hosts.
const routeYAML = `
system: loan-approval
window: {length: 1m, count: 1000}
models:
  - {name: loans, match: {host: "*.eu.example"}, route: eu, window: {length: 876000h, count: 20}}
  - {name: loans, window: {length: 876000h}}
  - {name: loans, route: batch, protocol: oip, path: "/batch/v2/models/loans/infer", window: {length: 876000h}}
`

// One model under several ways has windows for each, with lengths of their own.
func TestRoutesHaveWindowsOfTheirOwn(t *testing.T) {
	inner := startModelServer(t, approve)
	server := httptest.NewServer(http.StripPrefix("/batch", inner.Config.Handler))
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/batch/") {
			server.Config.Handler.ServeHTTP(w, r)
			return
		}
		inner.Config.Handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer plain.Close()
	receiver := otlptest.Start(t, nil)
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(routeYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := agentconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.State, c.Listen, c.Admin.Listen, c.Upstream, c.Export.Endpoint = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", plain.URL, receiver.URL()
	a := startAgent(t, c, nil)
	body := string(loanRequest(t, 0))
	for range 4 {
		askAt(t, "http://"+a.Addr()+"/v2/models/loans/infer", "api.EU.example:443", body)
	}
	askAt(t, "http://"+a.Addr()+"/v2/models/loans/infer", "api.us.example", body)
	for range 2 {
		if status := askAt(t, "http://"+a.Addr()+"/batch/v2/models/loans/infer", "", body); status != http.StatusOK {
			t.Error(status)
		}
	}
	otlptest.Eventually(t, "the durations", func() bool {
		return figure(t, a, "evenkeel_inference_duration_count", `evenkeel_model_name="loans;route=batch"`, `evenkeel_route="batch"`) == "2"
	})
	stopAgent(t, a)
	all := profiles(t, receiver)
	sameAccounts(t, accounts(all, signal.TargetFeature, "income"), map[string]string{
		"loans;route=eu":    "rows 40: seen 4, profiled 4, dropped 0, undecodable 0",
		"loans":             "rows 10: seen 1, profiled 1, dropped 0, undecodable 0",
		"loans;route=batch": "rows 20: seen 2, profiled 2, dropped 0, undecodable 0",
	})
	full := 0
	for _, d := range incomes(all) {
		if d.Model.Name == "loans;route=eu" && d.N == 20 {
			full++
		}
	}
	if full != 2 {
		t.Errorf("%d windows of 20 rows, want 2: the route has a count of its own", full)
	}
}

// A second agent, between what transforms the features and the model, watches what
// the model gets: under the same name, with windows and a baseline of its own.
func TestTransformedStage(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	behind := loanConfig(t, server.URL, receiver.URL())
	behind.Models[0].Stage = signal.StageTransformed
	behind.Models[0].Baseline = writeBaseline(t, otherBaseline()) // of the model loans
	second := startAgent(t, behind, nil)
	transformer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		status, answer := infer(t, "http://"+second.Addr(), "loans", bytes.ReplaceAll(body, []byte("0.05"), []byte("0.5")))
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}))
	defer transformer.Close()
	first := startAgent(t, loanConfig(t, transformer.URL, receiver.URL()), nil)
	for i := range 10 {
		if status, answer := infer(t, "http://"+first.Addr(), "loans", loanRequest(t, i)); status != http.StatusOK {
			t.Fatal(string(answer))
		}
	}
	const name = "loans;stage=transformed"
	otlptest.Eventually(t, "a window of the second stage", func() bool {
		return figure(t, second, "evenkeel_drift_score", `evenkeel_model_name="`+name+`"`, `evenkeel_stage="transformed"`, `evenkeel_feature_name="income"`, `"psi"`) != ""
	})
	if _, page := get(t, first, "/metrics"); strings.Contains(page, "evenkeel_stage") {
		t.Error("inputs as they come have a stage")
	}
	stopAgent(t, first)
	stopAgent(t, second)
	digests := map[string]signal.Digest{}
	for _, d := range incomes(profiles(t, receiver)) {
		digests[d.Model.Name] = d.Baseline
	}
	raw, _ := loanBaseline().Digest()
	transformed, _ := otherBaseline().Digest()
	if len(digests) != 2 || digests["loans"] != raw || digests[name] != transformed {
		t.Errorf("%v", digests)
	}
}

// What nothing tells apart, or is read in two ways, is refused with its place.
func TestEntriesMustBeToldApart(t *testing.T) {
	model := func(change func(*agentconfig.Model)) agentconfig.Model {
		m := agentconfig.Model{Name: "m"}
		change(&m)
		return m
	}
	for name, c := range map[string]struct {
		second agentconfig.Model
		first  agentconfig.Model
		want   string
	}{
		"the same":       {model(func(m *agentconfig.Model) {}), agentconfig.Model{Name: "m"}, `models[1].name: "m" is also models[0]`},
		"a route alone":  {model(func(m *agentconfig.Model) { m.Route = "a" }), agentconfig.Model{Name: "m"}, "models[1]: its URL is also that of models[0], and nothing tells the two apart"},
		"a stage alone":  {model(func(m *agentconfig.Model) { m.Stage = "transformed" }), agentconfig.Model{Name: "m"}, "nothing tells the two apart"},
		"by host":        {model(func(m *agentconfig.Model) { m.Route, m.Match.Host = "a", "a.*" }), agentconfig.Model{Name: "m"}, ""},
		"read otherwise": {model(func(m *agentconfig.Model) { m.Route, m.Match.Host, m.Protocol = "a", "a.*", "kserve_v1" }), agentconfig.Model{Name: "m"}, "read in another way"},
		"one path":       {model(func(m *agentconfig.Model) { m.Name, m.Protocol, m.Path = "n", "oip", "/x" }), agentconfig.Model{Name: "m", Protocol: "oip", Path: "/x"}, `models[1].path: "/x" is also that of models[0]`},
		"bodies alike":   {model(func(m *agentconfig.Model) { m.Name, m.Protocol, m.Match.BodyModel = "n", "openai", "m" }), agentconfig.Model{Name: "m", Protocol: "openai"}, "nothing tells the two apart"},
		"bodies":         {model(func(m *agentconfig.Model) { m.Name, m.Protocol = "n", "openai" }), agentconfig.Model{Name: "m", Protocol: "openai"}, ""},
		"no body":        {model(func(m *agentconfig.Model) { m.Name, m.Match.BodyModel = "n", "x" }), agentconfig.Model{Name: "m"}, "models[1].match.body_model: is for protocol openai or ollama"},
		"another stage":  {model(func(m *agentconfig.Model) { m.Name, m.Stage = "n", "raw" }), agentconfig.Model{Name: "m"}, `models[1].stage: "raw" is none`},
		"a route's name": {model(func(m *agentconfig.Model) { m.Name, m.Route = "n", "a;b" }), agentconfig.Model{Name: "m"}, "models[1].route"},
		"a model's name": {model(func(m *agentconfig.Model) { m.Name = "n;route=a" }), agentconfig.Model{Name: "m"}, "models[1].name"},
		"both": {model(func(m *agentconfig.Model) {
			m.Protocol, m.Route, m.Match = "openai", "a", agentconfig.Match{Host: "h", BodyModel: "b"}
		}), agentconfig.Model{Name: "n"}, "models[1].match: has both"},
		"hosts over gRPC": {model(func(m *agentconfig.Model) { m.Protocol, m.Match.Host = "oip_grpc", "h" }), agentconfig.Model{Name: "n"}, "is not looked at in gRPC"},
		"a length":        {model(func(m *agentconfig.Model) { m.Window.Length = -1 }), agentconfig.Model{Name: "n"}, "models[1].window.length"},
	} {
		conf := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
		conf.Models = []agentconfig.Model{c.first, c.second}
		err := agent.Check(conf)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Routes and models of bodies come and go while the agent runs, and no account
// goes back.
func TestEntriesAreReloaded(t *testing.T) {
	server := chatServer(t)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Tap.MaxBody = 4 << 10
	c.Models = []agentconfig.Model{{Name: "small", Protocol: "openai"}}
	a := startAgent(t, c, nil)
	url := "http://" + a.Addr() + "/v1/chat/completions"
	both := changed(c, func(n *agentconfig.Config) {
		n.Models = append(n.Models, agentconfig.Model{Name: "large", Protocol: "openai"})
	})
	long := chat("large", strings.Repeat("x", 8<<10))
	counted := func(model, want string) {
		t.Helper()
		otlptest.Eventually(t, model+" "+want, func() bool {
			return figure(t, a, "gen_ai_server_request_duration_count", `evenkeel_model_name="`+model+`"`, `gen_ai_request_model="large"`) == want
		})
	}
	askAt(t, url, "", chat("large", "one")) // all that comes is the only model's
	counted("small", "1")
	if err := a.Apply(both); err != nil {
		t.Fatal(err)
	}
	askAt(t, url, "", chat("large", "two"))
	askAt(t, url, "", chat("small", "two"))
	askAt(t, url, "", long)
	counted("large", "1")
	otlptest.Eventually(t, "a dropped request", func() bool { return figure(t, a, "evenkeel_capture_dropped", `"too_large"`) == "1" })
	if err := a.Apply(c); err != nil {
		t.Fatal(err)
	}
	askAt(t, url, "", chat("large", "three"))
	counted("small", "2")
	stopAgent(t, a)
	got := accounts(profiles(t, receiver), signal.TargetPrediction, "finish_reason")
	sameAccounts(t, got, map[string]string{
		"small": "rows 3: seen 4, profiled 3, dropped 1, undecodable 0",
		"large": "rows 1: seen 2, profiled 1, dropped 1, undecodable 0",
	})
}
