package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// post sends a body with headers and gives the status.
func post(t testing.TB, url string, body []byte, header map[string]string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header.Set(k, v)
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

func spansOn(c *agentconfig.Config) {
	c.Spans = agentconfig.Spans{Send: true, Rate: 1, Slow: .99, Every: century, MaxCount: 100, MaxBytes: 1 << 20}
}

// A window's events name its span, the span names the requests that the window
// counted, and a request's span stands in its client's trace. What the requests
// held is in none of them.
func TestSpansLeadFromTheWindowToItsRequests(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, receiver.URL())
	spansOn(c)
	c.Models[0].Predictions.Send = true
	a := startAgent(t, c, nil)
	const client = "00-4bf92f3577b34da6a3ce929d0e0e%04x-00f067aa0ba902b7-01"
	url := "http://" + a.Addr() + "/v2/models/loans/infer"
	for i := range 12 { // a window is 10 requests of 10 rows
		header := map[string]string{"X-Request-Id": fmt.Sprint("r", i), "Traceparent": fmt.Sprintf(client, i), "Tracestate": "vendor=x"}
		if status := post(t, url, loanRequest(t, i), header); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	if status := post(t, url, []byte("{"), map[string]string{"X-Request-Id": "broken"}); status != http.StatusBadRequest {
		t.Fatal(status)
	}
	stopAgent(t, a)

	byID := map[string]otlptest.Span{}
	for _, s := range receiver.Spans("inference") {
		id, _ := s.Attributes().Get(signal.KeyPredictionID)
		byID[id.Str()] = s
		if s.Kind() != ptrace.SpanKindServer || s.Resource[signal.KeySystemID] != "loan-approval" || s.EndTimestamp() < s.StartTimestamp() {
			t.Errorf("%v of %v", s.Kind(), s.Resource)
		}
	}
	if len(byID) != 13 {
		t.Fatalf("%d requests have a span, want 13", len(byID))
	}
	for i := range 12 {
		s := byID[fmt.Sprint("r", i)]
		got := s.Attributes().AsRaw()
		for key, want := range map[string]any{
			"http.response.status_code": int64(200), "http.request.method": "POST", "url.path": "/v2/models/loans/infer",
			signal.KeyModelName: "loans", signal.KeyModelVersion: "1", signal.KeyRows: int64(10), signal.KeySpanChoice: "sampled", signal.KeyOutcome: "ok",
		} {
			if got[key] != want {
				t.Errorf("r%d: %s is %v, want %v", i, key, got[key], want)
			}
		}
		if want := fmt.Sprintf(client, i); fmt.Sprintf("00-%s-%s-01", s.TraceID(), s.ParentSpanID()) != want || s.TraceState().AsRaw() != "vendor=x" {
			t.Errorf("r%d is in trace %s below %s with %q, want %s", i, s.TraceID(), s.ParentSpanID(), s.TraceState().AsRaw(), want)
		}
	}
	broken := byID["broken"]
	if got := broken.Attributes().AsRaw(); got["error.type"] != "400" || got[signal.KeySpanChoice] != "error" || broken.Status().Code() != ptrace.StatusCodeUnset {
		t.Errorf("a client's error: %v, %v", got, broken.Status().Code())
	}
	if !broken.ParentSpanID().IsEmpty() || broken.TraceID().IsEmpty() {
		t.Error("a request without a trace has one of its own")
	}
	checkWindowSpans(t, receiver, byID)
	for _, r := range receiver.Accepted() {
		if r.Path != "/v1/traces" {
			continue
		}
		raw, err := (&ptrace.JSONMarshaler{}).MarshalTraces(r.Traces)
		if err != nil || strings.Contains(string(raw), "income") || strings.Contains(string(raw), "female") || r.Batch == "" {
			t.Errorf("a span tells what the requests hold: %s, %v", raw, err)
		}
	}
}

func checkWindowSpans(t *testing.T, receiver *otlptest.Receiver, byID map[string]otlptest.Span) {
	t.Helper()
	var linked [][]string
	windows := receiver.Spans("evaluate_window")
	for _, w := range windows {
		var ids []string
		for _, l := range w.Links().All() {
			for id, s := range byID {
				if s.SpanID() == l.SpanID() && s.TraceID() == l.TraceID() {
					ids = append(ids, id)
				}
			}
		}
		slices.Sort(ids)
		linked = append(linked, ids)
	}
	want := [][]string{{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"}, {"r10", "r11"}}
	if !slices.EqualFunc(linked, want, slices.Equal) {
		t.Fatalf("the windows' spans are linked with %q, want %q", linked, want)
	}
	for _, e := range receiver.Events(signal.EventWindowProfile) {
		sequence := e.Attributes["evenkeel.window.sequence"].(int64)
		if w := windows[sequence-1]; e.TraceID != w.TraceID().String() || e.SpanID != w.SpanID().String() {
			t.Errorf("window %d names span %s of trace %s, not %s of %s", sequence, e.SpanID, e.TraceID, w.SpanID(), w.TraceID())
		}
	}
}

// Requests of which there is no copy have a span as well, if they went wrong: the
// model server is away, or the body is too long to be read.
func TestSpansOfRequestsThatAreNotRead(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, receiver.URL())
	spansOn(c)
	c.Tap.MaxBody = 64
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Models[0].Privacy.Hash = agentconfig.Hash{IDs: true, KeyFile: key}
	a := startAgent(t, c, nil)
	url := "http://" + a.Addr() + "/v2/models/loans/infer"
	if status := post(t, url, loanRequest(t, 1), map[string]string{"X-Request-Id": "too-long"}); status != http.StatusOK {
		t.Fatal(status)
	}
	server.Close()
	if status := post(t, url, loanRequest(t, 1), map[string]string{"X-Request-Id": "away"}); status != http.StatusBadGateway {
		t.Fatal(status)
	}
	stopAgent(t, a)
	var got []string
	for _, s := range receiver.Spans("inference") {
		attrs := s.Attributes().AsRaw()
		if id, _ := attrs[signal.KeyPredictionID].(string); id == "" || id == "away" || id == "too-long" {
			t.Errorf("the id %q is not hashed", id)
		}
		got = append(got, fmt.Sprint(attrs["http.response.status_code"], " ", attrs[signal.KeyOutcome], " ", attrs["error.type"], " ", s.Status().Code()))
	}
	slices.Sort(got)
	if want := []string{"200 ok <nil> Unset", "502 unreachable unreachable Error"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A call of a language model is told by the names of the conventions, without
// what was said.
func TestSpansOfLanguageModels(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startChatServer(t, nil)
	c := llmConfig(t, server.URL, receiver.URL())
	spansOn(c)
	a := startAgent(t, c, nil)
	for _, body := range [][]byte{chatBody(askedSecret, false), chatBody("too many "+askedSecret, false)} {
		ask(t, "http://"+a.Addr(), "/v1/chat/completions", body)
	}
	stopAgent(t, a)
	spans := receiver.Spans("inference")
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	for _, s := range spans {
		got := s.Attributes().AsRaw()
		want := map[string]any{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
		if got["error.type"] == nil {
			want["gen_ai.request.model"], want["gen_ai.response.model"], want["gen_ai.usage.input_tokens"], want["gen_ai.usage.output_tokens"] = "small", "small-2", int64(9), int64(7)
			want["gen_ai.response.finish_reasons"] = "[stop]"
		} else {
			want["error.type"], want["http.response.status_code"] = "429", int64(429)
		}
		for key, value := range want {
			if fmt.Sprint(got[key]) != fmt.Sprint(value) {
				t.Errorf("%s is %v, want %v", key, got[key], value)
			}
		}
		if text := fmt.Sprint(got); strings.Contains(text, askedSecret) || strings.Contains(text, answeredSecret) {
			t.Errorf("what was said is in %s", text)
		}
	}
}

// Without being asked for nothing is told, and a reload turns it on.
func TestSpansFollowTheConfiguration(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Spans.Every = config.Duration(1e6)
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, 10)
	otlptest.Eventually(t, "a window", func() bool { return len(receiver.Events(signal.EventWindowProfile)) > 0 })
	for _, e := range receiver.Events(signal.EventWindowProfile) {
		if e.TraceID != "" || e.SpanID != "" {
			t.Errorf("the window names the span %q, though none is told", e.SpanID)
		}
	}
	next := *c
	spansOn(&next)
	next.Spans.Every = config.Duration(1e6)
	if err := a.Apply(&next); err != nil {
		t.Fatal(err)
	}
	serveLoans(t, a, server, 10, 11)
	otlptest.Eventually(t, "a span while the agent runs", func() bool { return len(receiver.Spans("inference")) == 1 })
	if _, text := get(t, a, "/metrics"); metricValue(text, "evenkeel_export_span_sent") < 0 {
		t.Error("no evenkeel_export_span_sent")
	}
}
