package agent_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// compressed gives an encoder of bodies, which says so in the header.
func compressed(t *testing.T, encoding string) func(http.Header, string) []byte {
	return func(h http.Header, body string) []byte {
		h.Set("Content-Encoding", encoding)
		var b bytes.Buffer
		var w io.WriteCloser
		switch encoding {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "br":
			w = brotli.NewWriter(&b)
		case "zstd":
			z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			w = z
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

// Compressed bodies pass as they are, and are counted as if they were plain.
func TestCompressedBodiesAreCounted(t *testing.T) {
	for _, s := range guide(t) {
		if s.call {
			continue // its messages are compressed one by one: see TestCallsAreCountedByTheModelInTheirMessage
		}
		s.shown = nil // of known cases too, whose answers are compressed here without being asked to
		for _, encoding := range []string{"gzip", "zstd", "br"} {
			t.Run(s.title+"/"+encoding, func(t *testing.T) { s.run(t, compressed(t, encoding)) })
		}
	}
}

// Every fault of how a model is decoded has its path.
func TestProtocolFaultsHaveTheirPaths(t *testing.T) {
	model := func(change func(*agentconfig.Model)) agentconfig.Model {
		m := agentconfig.Model{Name: "m"}
		change(&m)
		return m
	}
	for want, models := range map[string][]agentconfig.Model{
		"": {model(func(m *agentconfig.Model) { m.Protocol, m.Path = "mapped", "/x" }), {Name: "n", Protocol: "mlflow"}},
		"models[0].protocol: \"v3\" is not known":       {model(func(m *agentconfig.Model) { m.Protocol = "v3" })},
		"models[0].path: missing":                       {model(func(m *agentconfig.Model) { m.Protocol = "mapped" })},
		"models[0].path: \"/x\" needs a protocol":       {model(func(m *agentconfig.Model) { m.Path = "/x" })},
		"models[0].path: \"x\" does not begin":          {model(func(m *agentconfig.Model) { m.Protocol, m.Path = "mapped", "x" })},
		"models[0].inputs.at: is for protocol mapped":   {model(func(m *agentconfig.Model) { m.Inputs.At = "/a" })},
		"models[0].outputs.form: \"table\" is none":     {model(func(m *agentconfig.Model) { m.Protocol, m.Path, m.Outputs.Form = "mapped", "/x", "table" })},
		"models[0].outputs.columns.y[0]: empty feature": {model(func(m *agentconfig.Model) { m.Outputs.Columns = map[string][]signal.FeatureName{"y": {""}} })},
		"models[1].path: \"/x\" is also that of models[0]": {
			model(func(m *agentconfig.Model) { m.Protocol, m.Path = "mapped", "/x" }), {Name: "n", Protocol: "mlflow", Path: "/x"},
		},
	} {
		c := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
		c.Models = models
		err := agent.Check(c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), "agent.yaml: "+want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("want one fault %q, got %v", want, err)
		}
	}
}

// picky answers like a model server that refuses most: what it is sent says how.
func picky(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Wish") {
		case "busy":
			http.Error(w, `{"error":"busy"}`, http.StatusTooManyRequests)
		case "broken":
			http.Error(w, `{"error":"out of memory"}`, http.StatusInternalServerError)
		case "elsewhere":
			w.Header().Set("Location", "/other")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "nonsense":
			_, _ = io.WriteString(w, `{"predictions":[1,2,3]}`)
		default:
			_, _ = io.WriteString(w, `{"predictions":[1]}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// Refused requests are counted by model and outcome. They are no losses: what
// was predicted is accounted for without them, and bounds stay as narrow.
func TestRefusedRequestsAreNoLosses(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, picky(t).URL, receiver.URL())
	c.Models = []agentconfig.Model{{Name: "loans"}, {Name: "cards"}}
	c.Window.Count = 0
	a := startAgent(t, c, nil)
	wish := func(model, what string, times, want int) {
		t.Helper()
		for range times {
			r, err := http.NewRequest(http.MethodPost, "http://"+a.Addr()+"/v1/models/"+model+":predict", strings.NewReader(`{"instances":[{"x":1}]}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Wish", what)
			resp, err := (&http.Client{Transport: client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: %s", what, resp.Status)
			}
		}
	}
	wish("loans", "", 5, 200)
	wish("loans", "busy", 40, 429)
	wish("loans", "broken", 30, 500)
	wish("loans", "elsewhere", 20, 307)
	wish("loans", "nonsense", 2, 200)
	wish("cards", "broken", 3, 500)
	_, text := get(t, a, "/metrics")
	for want, n := range map[string]int{
		`evenkeel_model_name="loans",evenkeel_outcome="client_error"`: 40,
		`evenkeel_model_name="loans",evenkeel_outcome="server_error"`: 30,
		`evenkeel_model_name="loans",evenkeel_outcome="ok"`:           27,
		`evenkeel_model_name="cards",evenkeel_outcome="server_error"`: 3,
	} {
		if !hasCount(text, want, n) {
			t.Errorf("no %d of %s in\n%s", n, want, text)
		}
	}
	otlptest.Eventually(t, "the two answers without sense", func() bool {
		return byLabel(t, a.AdminAddr(), "evenkeel_capture_undecodable", "evenkeel_reason")["rows_mismatch"] == 2
	})
	for reason, n := range byLabel(t, a.AdminAddr(), "evenkeel_capture_undecodable", "evenkeel_reason") {
		if n != 0 && reason != "rows_mismatch" {
			t.Errorf("%v requests are undecodable: %s", n, reason)
		}
	}
	stopAgent(t, a)
	account := signal.Capture{}
	for _, d := range of(profiles(t, receiver), signal.TargetFeature, "x") {
		account.Add(d.Capture)
	}
	if want := (signal.Capture{Seen: 7, Profiled: 5, Undecodable: 2}); account != want {
		t.Errorf("account %+v, want %+v", account, want)
	}
}

// hasCount says whether the text of /metrics has that many durations.
func hasCount(text, labels string, n int) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "evenkeel_inference_duration_count{") && strings.Contains(line, labels) && strings.HasSuffix(line, fmt.Sprintf("} %d\n", n)) {
			return true
		}
	}
	return false
}

// Several models of different protocols behind one port, each in windows of its
// own, and what nobody configured in none.
func TestModelsBehindOnePortAreToldApart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/v1/models/loans:predict": `{"predictions":[1]}`, "/v1/models/other:predict": `{"predictions":[1]}`,
			"/v2/models/cards/infer": `{"outputs":[{"name":"y","shape":[1],"datatype":"FP64","data":[1]}]}`,
			"/invocations":           `{"predictions":[1]}`, "/price": `[1]`, "/predictions/texts": `[0.5]`,
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Window.Count = 0
	c.Models = []agentconfig.Model{
		{Name: "loans"},
		{Name: "cards"},
		{Name: "risks", Protocol: "mlflow"},
		{Name: "prices", Protocol: "mapped", Path: "/price"},
		{Name: "texts", Protocol: "torchserve"},
	}
	a := startAgent(t, c, nil)
	for path, n := range map[string]int{
		"/v1/models/loans:predict": 1, "/v2/models/cards/infer": 2, "/invocations": 3, "/price": 4, "/predictions/texts": 5, "/v1/models/other:predict": 6,
	} {
		body := map[string]string{
			"/v2/models/cards/infer": `{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}]}`,
			"/price":                 `[{"x":1}]`,
		}[path]
		if body == "" {
			body = `{"instances":[{"x":1}]}`
		}
		for range n {
			resp, err := client.Post("http://"+a.Addr()+path, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
	}
	stopAgent(t, a)
	got := map[string]uint64{}
	for _, d := range of(profiles(t, receiver), signal.TargetFeature, "x") {
		got[d.Model.Name] += d.N
		if d.Capture.Seen != d.Capture.Profiled || d.Capture.Profiled != d.N {
			t.Errorf("%s: account %+v of %d rows", d.Model, d.Capture, d.N)
		}
	}
	if want := "map[cards:2 loans:1 prices:4 risks:3 texts:5]"; fmt.Sprint(got) != want {
		t.Errorf("rows %v, want %s", got, want)
	}
}

// Halves that stay alone are dropped and counted, in the account and in /metrics,
// and what is of no model is told apart.
func TestLoggedHalvesThatStayAloneAreCounted(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, "http://127.0.0.1:1", receiver.URL())
	c.Models, c.Window.Count = []agentconfig.Model{{Name: "loans"}}, 0
	c.Listen, c.Intake.Listen, c.Intake.Wait = "", "127.0.0.1:0", config.Duration(1e7)
	a := startAgent(t, c, nil)
	event := func(id, half, model, body string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "http://"+a.IntakeAddr()+"/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{"Ce-Id": id, "Ce-Type": "org.kubeflow.serving.inference." + half, "Ce-Inferenceservicename": model} {
			r.Header.Set(k, v)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			t.Errorf("%s of %s: %s", half, id, resp.Status)
		}
	}
	if status, text := get(t, a, "/readyz"); status != http.StatusOK {
		t.Errorf("without a proxy: %d %s", status, text)
	}
	event("1", "request", "loans", `{"instances":[{"x":1}]}`)
	event("2", "response", "loans", `{"predictions":[1]}`)
	event("3", "request", "others", `{"instances":[{"x":1}]}`)
	otlptest.Eventually(t, "both halves given up", func() bool {
		return byLabel(t, a.AdminAddr(), "evenkeel_capture_dropped", "evenkeel_reason")["unpaired"] == 2
	})
	if n := byLabel(t, a.AdminAddr(), "evenkeel_capture_ignored", "evenkeel_reason")["unknown_model"]; n != 1 {
		t.Errorf("%v events of unknown models", n)
	}
	stopAgent(t, a)
}

// What was logged adds up over windows like what was captured.
func TestLoggedPayloadsAddUp(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, "http://127.0.0.1:1", receiver.URL())
	c.Models = []agentconfig.Model{{Name: "loans"}}
	c.Listen, c.Intake.Listen, c.Window.Count = "", "127.0.0.1:0", 10
	a := startAgent(t, c, nil)
	post := func(id, half, body string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "http://"+a.IntakeAddr()+"/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Ce-Id": {id}, "Ce-Type": {"org.kubeflow.serving.inference." + half}} // the only model
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	for i := range 25 {
		id := fmt.Sprint(i)
		post(id, "request", `{"instances":[{"x":1},{"x":2}]}`)
		if i%5 > 0 {
			post(id, "response", `{"predictions":[1,0]}`)
		}
	}
	post("broken", "request", `{"instances":[{"x":`)
	post("broken", "response", `{"predictions":[1,0]}`)
	stopAgent(t, a)
	var account signal.Capture
	rows := uint64(0)
	for _, d := range of(profiles(t, receiver), signal.TargetFeature, "x") {
		account.Add(d.Capture)
		rows += d.N
	}
	if want := (signal.Capture{Seen: 26, Profiled: 20, Dropped: 5, Undecodable: 1}); account != want || rows != 40 {
		t.Errorf("account %+v of %d rows, want %+v of 40", account, rows, want)
	}
}
