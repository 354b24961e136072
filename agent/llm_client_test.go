package agent_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
)

// pythonWithOpenAI names a Python that has the official openai package, for the
// test that talks to the agent through it.
const pythonWithOpenAI = "EVENKEEL_OPENAI_PYTHON"

const openAIScript = `
import sys, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
said = "".join(c.choices[0].delta.content or "" for c in client.chat.completions.create(
    model="small", stream=True, stream_options={"include_usage": True},
    messages=[{"role": "user", "content": "stream"}]) if c.choices)
print("stream", said)
whole = client.chat.completions.create(model="small", messages=[{"role": "user", "content": "whole"}])
print("whole", whole.usage.total_tokens, whole.choices[0].finish_reason)
print("embedding", client.embeddings.create(model="vec", input="red").data[0].embedding)
try:
    client.chat.completions.create(model="small", messages=[{"role": "user", "content": "too many"}])
except openai.RateLimitError as e:
    print("refused", e.status_code)
`

// The official client of OpenAI notices nothing of the agent, and the agent
// understands what that client sends.
func TestOfficialClient(t *testing.T) {
	python := os.Getenv(pythonWithOpenAI)
	if python == "" {
		t.Skip("set " + pythonWithOpenAI + " to a Python with the package openai")
	}
	receiver := otlptest.Start(t, nil)
	server := startChatServer(t, nil)
	a := startAgent(t, llmConfig(t, server.URL, receiver.URL()), nil)
	var outputs []string
	for _, base := range []string{server.URL, "http://" + a.Addr()} {
		cmd := exec.Command(python, "-c", openAIScript, base)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, string(out))
	}
	if outputs[0] != outputs[1] || strings.Count(outputs[0], "\n") != 4 || !strings.Contains(outputs[0], "stream Write to "+"jane.quillfeather@acme.io") {
		t.Fatalf("straight from the server:\n%s\nthrough the agent:\n%s", outputs[0], outputs[1])
	}
	var metrics string
	otlptest.Eventually(t, "all four exchanges", func() bool {
		_, metrics = get(t, a, "/metrics")
		return metricValue(metrics, "gen_ai_server_request_duration_count", `error_type="429"`) == 1
	})
	if got := metricValue(metrics, "gen_ai_client_token_usage_sum", `gen_ai_operation_name="chat"`, `gen_ai_token_type="output"`); got != 28 {
		t.Errorf("%v output tokens, want 28", got)
	}
	if got := metricValue(metrics, "evenkeel_capture_undecodable", `evenkeel_reason="bad_json"`); got != 0 {
		t.Errorf("%v payloads were not read", got)
	}
}
