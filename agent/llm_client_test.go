package agent_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
)

// What make e2e-openai sets: a Python that has the packages openai and ollama,
// and the node_modules that have those of JavaScript.
const (
	pythonWithOpenAI = "EVENKEEL_OPENAI_PYTHON"
	nodeWithOpenAI   = "EVENKEEL_OPENAI_NODE_MODULES"
)

// llmClients are the clients that people use: the same program is run against
// the server and against the agent.
var llmClients = []struct {
	name, variable string
	command        func(provided string) *exec.Cmd
	provider       string
	lines          int // that the program prints
}{
	{"openai for Python", pythonWithOpenAI, python("testdata/clients/openai.py"), "openai", 11},
	{"openai for JavaScript", nodeWithOpenAI, node("testdata/clients/openai.cjs"), "openai", 11},
	{"ollama for Python", pythonWithOpenAI, python("testdata/clients/ollama.py"), "ollama", 6},
	{"ollama for JavaScript", nodeWithOpenAI, node("testdata/clients/ollama.cjs"), "ollama", 6},
}

func python(script string) func(string) *exec.Cmd {
	return func(interpreter string) *exec.Cmd { return exec.Command(interpreter, script) }
}

func node(script string) func(string) *exec.Cmd {
	return func(modules string) *exec.Cmd {
		cmd := exec.Command("node", script)
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
		return cmd
	}
}

// The official clients notice nothing of the agent, and the agent understands
// what they send and what they are answered: its tokens, exchanges and streams
// are those of the server's own account.
func TestOfficialClients(t *testing.T) {
	for _, c := range llmClients {
		t.Run(c.name, func(t *testing.T) {
			provided := os.Getenv(c.variable)
			if provided == "" {
				t.Skip(c.variable + " is not set; run make e2e-openai, which makes what the clients need")
			}
			receiver := otlptest.Start(t, nil)
			server := startLanguageModel(t)
			config := loanConfig(t, server.URL, receiver.URL())
			config.Models = []agentconfig.Model{{Name: "assistant"}}
			a := startAgent(t, config, nil)

			direct := clientSays(t, c.command(provided), server.URL)
			account := server.account()
			proxied := clientSays(t, c.command(provided), "http://"+a.Addr())
			if again := server.account(); len(again) == 0 || !sameAccount(account, again) {
				t.Errorf("asked straight, the server did %v; through the agent %v", account, again)
			}
			if direct != proxied || strings.Count(direct, "\n") != c.lines || !strings.Contains(direct, strings.Join(pieces, "")) {
				t.Errorf("straight from the server:\n%s\nthrough the agent:\n%s", direct, proxied)
			}
			var metrics string
			otlptest.Eventually(t, "the exchange that was refused", func() bool {
				_, metrics = get(t, a, "/metrics")
				return metricValue(metrics, "gen_ai_server_request_duration_count", `error_type="429"`) == float64(account["refused"])
			})
			wantGenerations(t, metrics, c.provider, account)
		})
	}
}

// clientSays runs a client against a base URL and gives what it printed.
func clientSays(t *testing.T, cmd *exec.Cmd, base string) string {
	t.Helper()
	cmd.Args = append(cmd.Args, base)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

func sameAccount(a, b map[string]int) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// wantGenerations holds the agent's metrics against what the server says that
// it said.
func wantGenerations(t *testing.T, metrics, provider string, account map[string]int) {
	t.Helper()
	for _, operation := range []string{"chat", "text_completion", "embeddings"} {
		labels := []string{`gen_ai_operation_name="` + operation + `"`, `gen_ai_provider_name="` + provider + `"`, `gen_ai_response_model="`}
		if account[operation] == 0 {
			t.Errorf("the client did no %s: nothing was shown", operation)
		}
		for what, metric := range map[string]string{
			"":        "gen_ai_server_request_duration_count",
			" stream": "gen_ai_server_time_to_first_token_count",
		} {
			if got, want := max(0, metricValue(metrics, metric, labels...)), account[operation+what]; got != float64(want) {
				t.Errorf("%s of %s is %v; the server did %d", metric, operation, got, want)
			}
		}
		for _, kind := range []string{"input", "output"} {
			got := max(0, metricValue(metrics, "gen_ai_client_token_usage_sum", append(labels, `gen_ai_token_type="`+kind+`"`)...))
			if want := account[operation+" "+kind]; got != float64(want) {
				t.Errorf("%v %s tokens of %s; the server said %d", got, kind, operation, want)
			}
		}
	}
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "evenkeel_capture_undecodable") && !strings.HasSuffix(line, " 0\n") {
			t.Errorf("not everything was read: %s", line)
		}
	}
}
