package agent_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

func judge(t testing.TB, base, body string) (int, string) {
	t.Helper()
	resp, err := client.Post("http://"+base+"/v1/evaluations", "application/json", strings.NewReader(body))
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

// What an evaluator says arrives as the conventions have it, under the name that
// the request has elsewhere, and is shown as the score of the window.
func TestEvaluationsArriveAndAreShown(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	c := llmConfig(t, startChatServer(t, nil).URL, receiver.URL())
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Models[0].Privacy.Hash = agentconfig.Hash{IDs: true, KeyFile: key}
	c.Evaluations.Accept = true
	c.Window.Length = config.Duration(2 * time.Second)
	a := startAgent(t, c, nil)

	status, answer := judge(t, a.AdminAddr(), `[
		{"id": "r1", "name": "relevance", "score": 0.25, "label": "fail", "explanation": "about `+answeredSecret+`", "response_id": "chatcmpl-1"},
		{"id": "r2", "name": "relevance", "score": 0.75, "label": "pass"},
		{"id": "r3", "name": "relevance"}]`)
	if status != http.StatusOK || !strings.Contains(answer, `"accepted":2`) || !strings.Contains(answer, `"refused":1`) {
		t.Fatal(status, answer)
	}
	var text string
	otlptest.Eventually(t, "the window's score", func() bool {
		_, text = get(t, a, "/metrics")
		return metricValue(text, "evenkeel_llm_evaluation_score", `gen_ai_evaluation_name="relevance"`, `evenkeel_model_name="assistant"`) == .5
	})
	if n := metricValue(text, "evenkeel_llm_evaluation_count", `gen_ai_evaluation_score_label="pass"`); n != 1 {
		t.Errorf("%v passed", n)
	}
	if n := metricValue(text, "evenkeel_llm_evaluation_refused"); n != 1 {
		t.Errorf("%v refused", n)
	}
	otlptest.Eventually(t, "two events", func() bool { return len(receiver.Events(signal.EventEvaluation)) == 2 })
	events := receiver.Events(signal.EventEvaluation)
	first := events[0].Attributes
	if first[signal.KeyPredictionID] == "r1" || first[signal.KeyPredictionID] == "" || first[signal.KeyPredictionID] == events[1].Attributes[signal.KeyPredictionID] {
		t.Errorf("the id is not hashed: %v", first)
	}
	delete(first, signal.KeyPredictionID)
	want := map[string]any{
		signal.KeyModelName: "assistant", "gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": .25,
		"gen_ai.evaluation.score.label": "fail", "gen_ai.response.id": "chatcmpl-1",
	}
	if fmt.Sprint(first) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v", first, want)
	}
	for name, labels := range map[string][]string{
		"evenkeel_llm_evaluation_score":         {`evenkeel_convention="evaluation_mean/student@1"`},
		"evenkeel_llm_evaluation_score_samples": nil, "evenkeel_llm_evaluation_score_lower": nil, "evenkeel_llm_evaluation_score_upper": nil,
		"evenkeel_llm_evaluation_share":         {`gen_ai_evaluation_score_label="fail"`, `evenkeel_convention="evaluation_share/wilson@1"`},
		"evenkeel_llm_evaluation_share_samples": nil, "evenkeel_llm_evaluation_share_lower": nil, "evenkeel_llm_evaluation_share_upper": nil,
	} {
		if !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
			ok := strings.HasPrefix(line, name+"{")
			for _, l := range labels {
				ok = ok && strings.Contains(line, l)
			}
			return ok
		}) {
			t.Errorf("/metrics has no %s with %q", name, labels)
		}
	}
}

func TestEvaluationsAreBounded(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	c := llmConfig(t, startChatServer(t, nil).URL, receiver.URL())
	a := startAgent(t, c, nil)
	const one = `{"id": "r1", "name": "x", "score": 1}`
	if status, answer := judge(t, a.AdminAddr(), one); status != http.StatusNotFound || !strings.Contains(answer, "evaluations.accept") {
		t.Error(status, answer)
	}
	next := *c
	next.Evaluations = agentconfig.Evaluations{Accept: true, MaxBody: 100}
	if err := a.Apply(&next); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{one: http.StatusOK, strings.Repeat(one+"\n", 9): http.StatusRequestEntityTooLarge, "{": http.StatusBadRequest} {
		if status, answer := judge(t, a.AdminAddr(), body); status != want {
			t.Errorf("%d bytes: %d %s, want %d", len(body), status, answer, want)
		}
	}
}
