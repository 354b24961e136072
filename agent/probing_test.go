package agent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/probe"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// writeCases puts known cases into a file of the test's.
func writeCases(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cases.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loanCases are ten known cases of the loan model, of which the first wrong ones
// expect what it does not answer.
func loanCases(wrong int) []string {
	var lines []string
	for i := range 10 {
		income, approved := i, 0
		if income > 2 {
			approved = 1
		}
		if i < wrong {
			approved = 1 - approved
		}
		lines = append(lines, fmt.Sprintf(`{"rows": [{"income": %d, "gender": "female"}], "expect": %d}`, income, approved))
	}
	return lines
}

// figure finds the value of the one line of /metrics that has all these parts;
// empty where there is none.
func figure(t testing.TB, a *agent.Agent, name string, parts ...string) string {
	t.Helper()
	_, page := get(t, a, "/metrics")
	found := ""
	for _, line := range strings.Split(page, "\n") {
		ok := strings.HasPrefix(line, name+"{")
		for _, p := range parts {
			ok = ok && strings.Contains(line, p)
		}
		if ok {
			if found != "" {
				t.Fatalf("two lines of %s %q", name, parts)
			}
			found = line[strings.LastIndexByte(line, ' ')+1:]
		}
	}
	return found
}

func atLeast(value string, want float64) bool {
	x, err := strconv.ParseFloat(value, 64)
	return err == nil && x >= want
}

const probeScore = `evenkeel_basis="probe"`

// Known cases go from an agent to the model server, here through another agent's
// tap: the one tells how they are answered, the other counts none of them among
// its requests, and the windows of both hold real requests alone.
func TestKnownCases(t *testing.T) {
	server := startModelServer(t, approve)
	receiver, near := otlptest.Start(t, nil), otlptest.Start(t, nil)
	tap := startAgent(t, loanConfig(t, server.URL, near.URL()), nil)
	c := loanConfig(t, "http://"+tap.Addr(), receiver.URL())
	c.Export.MetricsEvery = config.Duration(20 * time.Millisecond)
	c.Models[0].Probe = agentconfig.Probe{Cases: writeCases(t, loanCases(2)...), Every: config.Duration(10 * time.Millisecond)}
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, 10)
	otlptest.Eventually(t, "two rounds", func() bool {
		return atLeast(figure(t, a, "evenkeel_probe_count", `evenkeel_outcome="differed"`), 4)
	})
	for name, want := range map[string]string{"": "0.8", "_samples": "10"} {
		got := figure(t, a, "evenkeel_performance_score"+name, probeScore, `evenkeel_performance_metric="agreement"`,
			`evenkeel_model_name="loans"`, `evenkeel_model_version="1"`, `evenkeel_scope="instance"`, `evenkeel_convention="agreement/wilson@1"`)
		if got != want {
			t.Errorf("score%s is %s, want %s", name, got, want)
		}
	}
	if low, high := figure(t, a, "evenkeel_performance_score_lower", probeScore), figure(t, a, "evenkeel_performance_score_upper", probeScore); !strings.HasPrefix(low, "0.4901") || !strings.HasPrefix(high, "0.9433") {
		t.Errorf("interval %s to %s", low, high)
	}
	if figure(t, a, "evenkeel_probe_last") == "" || figure(t, a, "evenkeel_probe_duration") == "" || figure(t, a, "evenkeel_probe_info", "evenkeel_probe_digest") != "1" {
		t.Error("the last round is not told")
	}
	if got := figure(t, tap, "evenkeel_probe_passed", `evenkeel_model_name="loans"`); got == "" || got == "0" {
		t.Errorf("%s probes passed the other agent", got)
	}
	otlptest.Eventually(t, "the score at the collector", func() bool {
		for _, p := range receiver.Points(signal.MetricPerformance) {
			if p.Attributes[signal.KeyBasis] == signal.BasisProbe && p.Value == 0.8 {
				return true
			}
		}
		return false
	})
	stopAgent(t, a)
	stopAgent(t, tap)
	for _, r := range []*otlptest.Receiver{receiver, near} {
		var rows, seen, profiled uint64
		for _, d := range incomes(profiles(t, r)) {
			rows, seen, profiled = rows+d.N, seen+d.Capture.Seen, profiled+d.Capture.Profiled
		}
		if rows != 100 || seen != 10 || profiled != 10 {
			t.Errorf("%d rows, %d seen, %d profiled; probes are no requests", rows, seen, profiled)
		}
	}
}

// A model server that is away is a failure that is told, and no score; the agent
// and its probing go on, and the score is back with the server.
func TestKnownCasesWithoutServer(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	server := startModelServer(t, approve)
	away := make(chan struct{})
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-away:
			panic(http.ErrAbortHandler)
		default:
			server.Config.Handler.ServeHTTP(w, r)
		}
	}))
	defer flaky.Close()
	c := loanConfig(t, flaky.URL, receiver.URL())
	c.Models[0].Probe = agentconfig.Probe{Cases: writeCases(t, loanCases(0)...), Every: config.Duration(10 * time.Millisecond)}
	var log lockedBuffer
	a := startAgent(t, c, &log)
	otlptest.Eventually(t, "a score", func() bool { return figure(t, a, "evenkeel_performance_score", probeScore) == "1" })
	close(away)
	otlptest.Eventually(t, "a failure and no score", func() bool {
		return atLeast(figure(t, a, "evenkeel_probe_failures", `evenkeel_reason="unreachable"`), 10) && figure(t, a, "evenkeel_performance_score", probeScore) == ""
	})
	if code, _ := get(t, a, "/healthz"); code != http.StatusOK {
		t.Error(code)
	}
	otlptest.Eventually(t, "the log", func() bool { return strings.Contains(log.String(), "known cases were not answered") })
}

// Cases, their rhythm and whether there are any change while the agent runs; what
// was counted goes on.
func TestKnownCasesAreReloaded(t *testing.T) {
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	c.Models[0].Probe = agentconfig.Probe{Cases: writeCases(t, loanCases(0)...), Every: config.Duration(time.Hour)}
	a := startAgent(t, c, nil)
	digest := func() string {
		_, page := get(t, a, "/metrics")
		for _, line := range strings.Split(page, "\n") {
			if strings.HasPrefix(line, "evenkeel_probe_info{") {
				_, rest, _ := strings.Cut(line, `evenkeel_probe_digest="`)
				return rest[:12]
			}
		}
		return ""
	}
	agreed := func() string { return figure(t, a, "evenkeel_probe_count", `evenkeel_outcome="agreed"`) }
	otlptest.Eventually(t, "a round", func() bool { return agreed() == "10" })
	first := digest()

	if err := os.WriteFile(c.Models[0].Probe.Cases, []byte(strings.Join(loanCases(1), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.Apply(c); err != nil {
		t.Fatal(err)
	}
	otlptest.Eventually(t, "a round of the new cases", func() bool { return agreed() == "19" })
	if digest() == first {
		t.Error("the digest is that of the old cases")
	}
	if err := a.Apply(c); err != nil { // nothing changes: the next round is in an hour
		t.Fatal(err)
	}
	if err := a.Apply(changed(c, func(n *agentconfig.Config) { n.Models[0].Probe.Cases = writeCases(t, "{}") })); err == nil || !strings.Contains(err.Error(), "probe.cases: ") {
		t.Errorf("broken cases are in force: %v", err)
	}
	if got := figure(t, a, "evenkeel_performance_score", probeScore); got != "0.9" {
		t.Errorf("after a refused change the score is %s", got)
	}
	if err := a.Apply(changed(c, func(n *agentconfig.Config) { n.Models[0].Probe = agentconfig.Probe{} })); err != nil {
		t.Fatal(err)
	}
	if got := figure(t, a, "evenkeel_performance_score", probeScore); got != "" || digest() != "" {
		t.Errorf("without cases the score is %s", got)
	}
}

// A probe that a payload logger tells of is known by its id: it is left out on
// purpose, and the account stays whole.
func TestLoggedProbeIsLeftOut(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	a := startAgent(t, loanConfig(t, server.URL, receiver.URL()), nil)
	serveLoans(t, a, server, 0, 3)
	r, err := http.NewRequest(http.MethodPost, "http://"+a.Addr()+"/v2/models/loans/infer", strings.NewReader(string(loanRequest(t, 0))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-Id", probe.IDPrefix+"1") // as if somebody had taken the mark away
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	stopAgent(t, a)
	d := incomes(profiles(t, receiver))
	if len(d) != 1 || d[0].N != 30 || d[0].Capture != (signal.Capture{Seen: 4, Profiled: 3, SampledOut: 1}) {
		t.Errorf("%+v", d[0].Capture)
	}
}
