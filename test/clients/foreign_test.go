package clients

import (
	"os"
	"testing"

	"github.com/evenkeel/evenkeel/test/livetest"
)

// The environment that make e2e-clients sets.
const (
	pythonVariable       = "EVENKEEL_CLIENTS_PYTHON"       // an interpreter that has python/requirements.txt
	nodeModulesVariable  = "EVENKEEL_CLIENTS_NODE_MODULES" // what npm ci made of javascript/package-lock.json
	telemetrygenVariable = "EVENKEEL_TELEMETRYGEN"         // the program
)

// provided gives what make e2e-clients set, and skips the test where it did not.
func provided(t *testing.T, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Skip(variable + " is not set; run make e2e-clients, which makes what foreign clients need")
	}
	return value
}

// The OpenTelemetry SDK of Python, unchanged.
func TestPythonSDK(t *testing.T) {
	python := provided(t, pythonVariable)
	site := livetest.StartCollector(t, nil)
	foreignSDK(t, site, map[string][]string{
		"python-grpc":      {python, "python/otel_client.py", "python-grpc", "grpc", site.GRPC, "none"},
		"python-grpc-gzip": {python, "python/otel_client.py", "python-grpc-gzip", "grpc", site.GRPC, "gzip"},
		"python-http":      {python, "python/otel_client.py", "python-http", "http", site.HTTP, "none"},
		"python-http-gzip": {python, "python/otel_client.py", "python-http-gzip", "http", site.HTTP, "gzip"},
	})
}

// The OpenTelemetry SDK of JavaScript, unchanged; it speaks JSON as well.
func TestJavaScriptSDK(t *testing.T) {
	t.Setenv("NODE_PATH", provided(t, nodeModulesVariable))
	site := livetest.StartCollector(t, nil)
	foreignSDK(t, site, map[string][]string{
		"js-grpc":       {"node", "javascript/otel_client.cjs", "js-grpc", "grpc", site.GRPC, "none"},
		"js-grpc-gzip":  {"node", "javascript/otel_client.cjs", "js-grpc-gzip", "grpc", site.GRPC, "gzip"},
		"js-proto":      {"node", "javascript/otel_client.cjs", "js-proto", "proto", site.HTTP, "none"},
		"js-proto-gzip": {"node", "javascript/otel_client.cjs", "js-proto-gzip", "proto", site.HTTP, "gzip"},
		"js-json":       {"node", "javascript/otel_client.cjs", "js-json", "json", site.HTTP, "none"},
		"js-json-gzip":  {"node", "javascript/otel_client.cjs", "js-json-gzip", "json", site.HTTP, "gzip"},
	})
}

// foreignSDK runs each command, which does the work under the service's name,
// and holds the store against all their accounts.
func foreignSDK(t *testing.T, site *livetest.Collector, commands map[string][]string) {
	t.Helper()
	said := map[string]account{}
	for service, command := range commands {
		stdout, stderr := livetest.Foreign{Path: command[0], Args: command[1:]}.Run(t)
		if stderr != "" {
			t.Logf("%s says: %s", service, stderr)
		}
		said[service] = readAccount(t, stdout)
	}
	store := site.Open(t)
	for service := range commands {
		t.Run(service, func(t *testing.T) { wantWork(t, store, service, said[service]) })
	}
}
