package agent_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/agent"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Windows are numbered on over a restart, under the same instance, and the
// window that was open is not lost.
func TestSequenceAndIdentityOutliveARestart(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	for range 3 {
		a := startAgent(t, c, nil)
		serveLoans(t, a, server, 0, 12) // one window, and a fifth of one
		stopAgent(t, a)
	}
	all := awaitWindows(t, receiver, 6)
	if got := sequences(all); got != "1 2 3 4 5 6" {
		t.Errorf("sequences %s", got)
	}
	var rows uint64
	for _, d := range incomes(all) {
		rows += d.N
		if d.Window.Instance != all[0].Window.Instance {
			t.Errorf("window %s is of another instance than %s", d.Window, all[0].Window)
		}
	}
	if rows != 3*120 {
		t.Errorf("%d rows in the windows, %d were served", rows, 3*120)
	}
}

// The agent is killed as the system kills; windows that were closed are on
// disk, and arrive after the next start.
func TestClosedWindowsSurviveKillMinusNine(t *testing.T) {
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	c.Listen, c.Admin.Listen = freePort(t), freePort(t)
	raw, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childConfig+"="+path)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	otlptest.Eventually(t, "the child serves", func() bool {
		resp, err := client.Get("http://" + c.Admin.Listen + "/healthz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	for i := range 50 {
		infer(t, "http://"+c.Listen, "loans", loanRequest(t, i))
	}
	otlptest.Eventually(t, "5 windows closed", func() bool { return closedWindows(t, c.Admin.Listen) == 5*10 })
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed: always an error

	receiver := otlptest.Start(t, nil)
	c.Export.Endpoint = receiver.URL()
	a := startAgent(t, c, nil)
	if got := sequences(awaitWindows(t, receiver, 5)); got != "1 2 3 4 5" {
		t.Errorf("sequences %s", got)
	}
	serveLoans(t, a, server, 0, 10)
	if got := sequences(awaitWindows(t, receiver, 6)); got != "1 2 3 4 5 6" {
		t.Errorf("sequences after the restart %s", got)
	}
}

// closedWindows reads how many requests are in closed windows.
func closedWindows(t testing.TB, admin string) (n int) {
	t.Helper()
	resp, err := client.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for name, value := range parseMetrics(t, resp.Body) {
		if strings.HasPrefix(name, "evenkeel_observation_count{") && strings.Contains(name, `evenkeel_capture="profiled"`) {
			n += int(value)
		}
	}
	return n
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestReadinessFollowsTheModelServer(t *testing.T) {
	server := startModelServer(t, approve)
	a := startAgent(t, loanConfig(t, server.URL, "http://127.0.0.1:1"), nil)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, body := get(t, a, path); status != http.StatusOK || body != want {
			t.Errorf("%s: %d %q, though the model server is up and only the collector is away", path, status, body)
		}
	}
	server.Close()
	if status, body := get(t, a, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "model server is not reachable") {
		t.Errorf("/readyz without the model server: %d %q", status, body)
	}
	if status, _ := get(t, a, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz without the model server: %d", status)
	}
}

func TestPortInUseIsAClearErrorAndLeavesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, admin := range []bool{false, true} {
		c := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
		if admin {
			c.Admin.Listen = taken.Addr().String()
		} else {
			c.Listen = taken.Addr().String()
		}
		err := agent.Run(context.Background(), c, discard)
		if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "in use") {
			t.Errorf("got %v", err)
		}
		c.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
		startAgent(t, c, nil) // the state folder is free again
	}
}

// A token must not travel in clear text unnoticed.
func TestTokenInClearTextIsWarnedOf(t *testing.T) {
	for endpoint, warned := range map[string]bool{
		"http://192.0.2.1": true, "http://192.0.2.1:4318/otlp": true,
		"http://127.0.0.1:1": false, "http://localhost": false, "https://192.0.2.1:4318": false,
	} {
		c := loanConfig(t, "http://127.0.0.1:1", endpoint)
		c.Export.TokenFile = filepath.Join(t.TempDir(), "no-token")
		var log lockedBuffer
		stopAgent(t, startAgent(t, c, &log))
		if got := strings.Contains(log.String(), "clear text"); got != warned {
			t.Errorf("%s: warned %v, want %v", endpoint, got, warned)
		}
	}
}

func TestStateFolderServesOneAgent(t *testing.T) {
	c := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
	startAgent(t, c, nil)
	if err := agent.Run(context.Background(), c, discard); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "another agent") {
		t.Errorf("got %v", err)
	}
}

// A request that hangs in the model server does not keep the agent from
// stopping in time, and Stop may be called again.
func TestStopIsBoundedAndIdempotent(t *testing.T) {
	hang, arrived := make(chan struct{}), make(chan struct{})
	server := startModelServer(t, func(inputs map[string][]any) []tensor {
		close(arrived)
		<-hang
		return approve(inputs)
	})
	defer close(hang)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	c.StopTimeout /= 10
	a := startAgent(t, c, nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		resp, err := client.Post("http://"+a.Addr()+"/v2/models/loans/infer", "application/json", strings.NewReader(`{"inputs":[]}`))
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-arrived
	start := time.Now()
	for range 2 {
		stopAgent(t, a)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("stopping took %s, allowed are %s and the time to write to disk", took, c.StopTimeout)
	}
	<-ended
}
