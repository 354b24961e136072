package agent_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// What the language model of the tests is asked and answers. Each has words that
// stand nowhere else, so that they can be looked for in what leaves the agent.
const (
	askedSecret    = "zanzibar"
	answeredSecret = "quillfeather"
)

// chatServer streams answers as a language model's server does: gate, where it is
// not nil, holds the stream behind its first event.
func startChatServer(t testing.TB, gate <-chan struct{}) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), "too many"):
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"message":"slow down, zanzibar","type":"rate_limit"}}`)
		case r.URL.Path == "/v1/embeddings":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"model":"vec-1","data":[{"index":0,"embedding":[0.25,-1,3]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
		case strings.Contains(string(body), `"stream":true`):
			streamChat(w, gate)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"id":"chatcmpl-1","model":"small-2","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":7}}`,
				"I'm sorry, but I can't help with that, "+answeredSecret+".")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// streamChat sends an answer in five events: an address, in two of them.
func streamChat(w http.ResponseWriter, gate <-chan struct{}) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(text string) {
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
	}
	chunk := func(content, finish string) {
		send(fmt.Sprintf(`data: {"id":"chatcmpl-2","model":"small-2","choices":[{"index":0,"delta":{"content":%q},"finish_reason":%s}]}`+"\n\n", content, finish))
	}
	chunk("Write to jane.quill", "null")
	if gate != nil {
		<-gate
	}
	chunk("feather@acme.io, card 4539 5260", "null")
	chunk(" 1815 9083.", "null")
	chunk("", `"stop"`)
	send(`data: {"id":"chatcmpl-2","model":"small-2","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":21}}` + "\n\ndata: [DONE]\n\n")
}

func chatBody(content string, stream bool) []byte {
	raw, _ := json.Marshal(map[string]any{"model": "small", "stream": stream, "messages": []map[string]string{{"role": "user", "content": content}}})
	return raw
}

func llmConfig(t testing.TB, upstream, endpoint string) *agentconfig.Config {
	c := loanConfig(t, upstream, endpoint)
	c.Models = []agentconfig.Model{{
		Name: "assistant", Protocol: "openai", Outcome: agentconfig.Outcome{Output: "finish_reason"},
		Predictions: agentconfig.Predictions{Send: true}, LLM: agentconfig.LLM{Prompts: true},
	}}
	c.Window.Count = 4
	return c
}

func ask(t testing.TB, base, path string, body []byte) (int, string) {
	t.Helper()
	resp, err := client.Post(base+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// metricValue finds a sample at /metrics by its name and some of its labels; -1
// where there is none.
func metricValue(metrics, name string, labels ...string) float64 {
next:
	for line := range strings.SplitSeq(metrics, "\n") {
		if !strings.HasPrefix(line, name+"{") {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(line, l) {
				continue next
			}
		}
		var v float64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v); err == nil {
			return v
		}
	}
	return -1
}

// A stream passes as it is made: the client reads the first event while the
// server still holds the second back. What it held is counted, and said nowhere.
func TestLanguageModelStreams(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	gate := make(chan struct{})
	server := startChatServer(t, gate)
	var log lockedBuffer
	a := startAgent(t, llmConfig(t, server.URL, receiver.URL()), &log)

	resp, err := client.Post("http://"+a.Addr()+"/v1/chat/completions", "application/json", bytes.NewReader(chatBody("Where is "+askedSecret+"? I am at +49 30 1234567.", true)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	first, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(first, "jane.quill") {
		t.Fatalf("the first event is %q, %v", first, err)
	}
	close(gate) // only now the server goes on
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Fatalf("%q, %v", rest, err)
	}
	if status, _ := ask(t, "http://"+a.Addr(), "/v1/chat/completions", chatBody(askedSecret, false)); status != http.StatusOK {
		t.Fatal(status)
	}
	if status, body := ask(t, "http://"+a.Addr(), "/v1/chat/completions", chatBody("too many "+askedSecret, false)); status != http.StatusTooManyRequests || !strings.Contains(body, "slow down") {
		t.Fatal(status, body)
	}
	if status, _ := ask(t, "http://"+a.Addr(), "/v1/embeddings", []byte(`{"model":"vec","input":"`+askedSecret+`"}`)); status != http.StatusOK {
		t.Fatal(status)
	}

	var metrics string
	otlptest.Eventually(t, "all four exchanges", func() bool {
		_, metrics = get(t, a, "/metrics")
		return metricValue(metrics, "gen_ai_server_request_duration_count", `error_type="429"`) == 1 &&
			metricValue(metrics, "gen_ai_server_request_duration_count", `gen_ai_operation_name="embeddings"`) == 1
	})
	small := []string{`gen_ai_operation_name="chat"`, `gen_ai_provider_name="openai"`, `gen_ai_request_model="small"`, `gen_ai_response_model="small-2"`, `evenkeel_model_name="assistant"`}
	for name, want := range map[string]float64{
		"gen_ai_client_token_usage_sum":                12 + 9,
		"gen_ai_client_token_usage_count":              2,
		"gen_ai_server_request_duration_count":         2,
		"gen_ai_server_time_to_first_token_count":      1,
		"gen_ai_server_time_per_output_token_count":    1,
		`gen_ai_client_token_usage_sum{,type="output"`: 21 + 7,
	} {
		labels := small
		if name, label, ok := strings.Cut(name, "{,"); ok {
			if got := metricValue(metrics, name, append(labels, `gen_ai_token_`+label)...); got != want {
				t.Errorf("%s of %s: %v, want %v", name, label, got, want)
			}
			continue
		}
		if strings.HasPrefix(name, "gen_ai_client_token") {
			labels = append(labels, `gen_ai_token_type="input"`)
		}
		if got := metricValue(metrics, name, labels...); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, c := range []struct {
		detector detect.Detector
		side     string
		count    float64
	}{
		{detect.Email, "answer", 1},
		{detect.Card, "answer", 1},
		{detect.Refusal, "answer", 1},
		{detect.Secret, "answer", 0},
		{detect.Phone, "prompt", 1},
		{detect.Email, "prompt", 0},
	} {
		labels := []string{fmt.Sprintf("evenkeel_detector=%q", c.detector), fmt.Sprintf("evenkeel_llm_side=%q", c.side), `evenkeel_model_version="small-2"`}
		for _, name := range []string{signal.MetricDetection, signal.MetricFlagged} {
			if got := metricValue(metrics, signal.PrometheusName(name), labels...); got != c.count {
				t.Errorf("%s of %s in the %s: %v, want %v", name, c.detector, c.side, got, c.count)
			}
		}
		if got := metricValue(metrics, signal.PrometheusName(signal.MetricTexts), labels...); got != 2 {
			t.Errorf("%s looked at %v texts of the %s, want 2", c.detector, got, c.side)
		}
	}

	stopAgent(t, a)
	columns := map[string]bool{}
	for _, e := range receiver.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		columns[string(d.Feature)] = true
	}
	for _, want := range []string{"prompt", "answer", "finish_reason", "refused", "tool_calls", "embedding.0", "embedding.2"} {
		if !columns[want] {
			t.Errorf("no window of %s; there are %v", want, columns)
		}
	}
	if n := len(receiver.Events(signal.EventPrediction)); n != 3 {
		t.Errorf("%d predictions, want 3", n)
	}
	noContent(t, "log", log.String())
	noContent(t, "metrics", metrics)
	for _, r := range receiver.Arrived() {
		noContent(t, "export to "+r.Path, exported(t, r))
	}
}

// exported writes what a request held as JSON, every attribute of it.
func exported(t *testing.T, r otlptest.Request) string {
	t.Helper()
	var raw []byte
	var err error
	if r.Path == "/v1/logs" {
		raw, err = new(plog.JSONMarshaler).MarshalLogs(r.Logs)
	} else {
		raw, err = new(pmetric.JSONMarshaler).MarshalMetrics(r.Metrics)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// content is what nobody may tell. Short runs of digits are not in it: times and
// sums of squares hold any of them now and then.
var content = regexp.MustCompile(`(?i)` + askedSecret + `|` + answeredSecret + `|jane\.|4539 ?5260|1815 ?9083|\+49 ?30|30 ?1234567|slow down`)

func noContent(t *testing.T, where, text string) {
	t.Helper()
	if found := content.FindString(text); found != "" {
		t.Errorf("the %s holds %q", where, found)
	}
}

// A baseline that describes the texts is judged by: its columns come from the
// answers, which themselves do not leave.
func TestTextsOfLanguageModelsAreDescribed(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startChatServer(t, nil)
	texts, tools := make([]string, 200), make([]float64, 200)
	for i := range texts {
		tools[i] = float64(i % 2)
		texts[i] = strings.Repeat("word ", 3+i%20)
	}
	b, err := signal.BuildBaseline(
		[]signal.Column{{Name: "tool_calls", Target: signal.TargetPrediction, Numbers: tools}},
		signal.BuildOptions{Model: signal.ModelRef{Name: "assistant"}, Texts: []signal.TextColumn{{Column: signal.Column{Name: "answer", Target: signal.TargetPrediction, Strings: texts}}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	c := llmConfig(t, server.URL, receiver.URL())
	c.Models[0].Baseline = writeBaseline(t, b)
	c.Models[0].Predictions.Send, c.Models[0].Outcome = false, agentconfig.Outcome{}
	a := startAgent(t, c, nil)
	for range 4 {
		if status, _ := ask(t, "http://"+a.Addr(), "/v1/chat/completions", chatBody(askedSecret, true)); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	described := func() (n uint64) {
		for _, e := range receiver.Events(signal.EventWindowProfile) {
			if d, err := signal.DecodeDistribution(e.Attributes); err == nil && d.Feature == "answer.length" && d.Target == signal.TargetText {
				n += d.N - d.Missing
			}
		}
		return n
	}
	otlptest.Eventually(t, "a window of the answers' lengths", func() bool { return described() == 4 })
	for _, r := range receiver.Arrived() {
		noContent(t, "export to "+r.Path, exported(t, r))
	}
	if raw, err := canonical.JSON(b); err != nil || !bytes.Contains(raw, []byte("answer.length")) {
		t.Fatal(err)
	}
}

// Ollama's lines are read by their URL alone, and `none` looks for nothing.
func TestOllamaWithoutDetectors(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range []string{
			`{"model":"tiny","message":{"role":"assistant","content":"jane@"},"done":false}`,
			`{"model":"tiny","message":{"role":"assistant","content":"acme.io"},"done":false}`,
			`{"model":"tiny","message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":2}`,
		} {
			_, _ = io.WriteString(w, line+"\n")
			_ = http.NewResponseController(w).Flush()
		}
	}))
	t.Cleanup(server.Close)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models = []agentconfig.Model{{Name: "tiny", LLM: agentconfig.LLM{Detect: []detect.Detector{"none"}}}}
	a := startAgent(t, c, nil)
	if status, body := ask(t, "http://"+a.Addr(), "/api/chat", chatBody("Go", true)); status != http.StatusOK || strings.Count(body, "\n") != 3 {
		t.Fatal(status, body)
	}
	var metrics string
	otlptest.Eventually(t, "the exchange", func() bool {
		_, metrics = get(t, a, "/metrics")
		return metricValue(metrics, "gen_ai_client_token_usage_sum", `gen_ai_provider_name="ollama"`, `gen_ai_token_type="output"`) == 2
	})
	if strings.Contains(metrics, "evenkeel_llm_") {
		t.Error("somebody has looked")
	}
}

// firstEvent measures how long the first event of a stream takes.
func firstEvent(t testing.TB, base string) time.Duration {
	t.Helper()
	start := time.Now()
	resp, err := streaming.Post(base+"/v1/chat/completions", "application/json", bytes.NewReader(chatBody("Go", true)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return took
}

var streaming = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2}, Timeout: 20 * time.Second}

// BenchmarkFirstEvent compares a stream's first event through the agent with the
// same straight from the server.
func BenchmarkFirstEvent(b *testing.B) {
	receiver := otlptest.Start(b, nil)
	server := startChatServer(b, nil)
	a := startAgent(b, llmConfig(b, server.URL, receiver.URL()), nil)
	b.Cleanup(streaming.CloseIdleConnections)
	for name, base := range map[string]string{"direct": server.URL, "agent": "http://" + a.Addr()} {
		b.Run(name, func(b *testing.B) {
			var all []time.Duration
			for b.Loop() {
				all = append(all, firstEvent(b, base))
			}
			b.ReportMetric(float64(median(all).Microseconds()), "us-p50")
		})
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
