package agent_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/agent"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// profiles decodes every window event that was accepted, in order.
func profiles(t testing.TB, r *otlptest.Receiver) []*signal.Distribution {
	t.Helper()
	var out []*signal.Distribution
	for _, e := range r.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// of gives the distributions of one column.
func of(all []*signal.Distribution, target signal.Target, name signal.FeatureName) []*signal.Distribution {
	var out []*signal.Distribution
	for _, d := range all {
		if d.Target == target && d.Feature == name {
			out = append(out, d)
		}
	}
	return out
}

func incomes(all []*signal.Distribution) []*signal.Distribution {
	return of(all, signal.TargetFeature, "income")
}

func awaitWindows(t testing.TB, r *otlptest.Receiver, n int) []*signal.Distribution {
	t.Helper()
	otlptest.Eventually(t, fmt.Sprintf("%d windows", n), func() bool { return len(incomes(profiles(t, r))) >= n })
	return profiles(t, r)
}

func sequences(all []*signal.Distribution) string {
	var out []string
	for _, d := range incomes(all) {
		out = append(out, fmt.Sprint(d.Window.Sequence))
	}
	return strings.Join(out, " ")
}

// From HTTP to OTLP, real at both ends: what the window says is what was
// served, counted here once more by hand.
func TestWindowHoldsExactlyWhatWasServed(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, 10)
	all := awaitWindows(t, receiver, 1)

	income := incomes(all)[0]
	// 100 rows over 40 incomes 0.05, 0.15 .. 3.95: 0..19 thrice, 20..39 twice.
	if want := []uint64{30, 30, 20, 20}; !slices.Equal(income.Counts, want) || income.N != 100 || income.Missing != 0 || income.Invalid != 0 {
		t.Errorf("income %v of %d, want %v", income.Counts, income.N, want)
	}
	if income.Min != 0.05 || math.Abs(income.Max-3.95) > 1e-12 {
		t.Errorf("income from %v to %v", income.Min, income.Max)
	}
	approved := of(all, signal.TargetPrediction, "approved")[0]
	if want := []uint64{60, 40}; !slices.Equal(approved.Counts, want) {
		t.Errorf("approved %v, want %v", approved.Counts, want)
	}
	groups := of(all, signal.TargetGroup, "gender")[0].Groups
	for i := range groups {
		groups[i].Requests = nil // how the rows came is the window's own test's matter
	}
	if want := wantGroups(); !slices.Equal(groups, want) {
		t.Errorf("groups %v, want %v", groups, want)
	}
	digest, err := loanBaseline().Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Model != (signal.ModelRef{Name: "loans", Version: "1"}) || d.Window.Sequence != 1 || d.Parts != 4 || d.Baseline != digest || d.Capture != all[0].Capture {
			t.Errorf("%s: model %s, window %s, parts %d, baseline %s, capture %+v", d.Feature, d.Model, d.Window, d.Parts, d.Baseline.Short(), d.Capture)
		}
	}
	if got := all[0].Capture; got.Profiled != 10 || got.Dropped != 0 || got.Undecodable != 0 {
		t.Errorf("capture %+v, want 10 profiled", got)
	}
}

// wantGroups counts the served rows by hand.
func wantGroups() []signal.GroupCount {
	female, male := signal.GroupCount{Group: "female"}, signal.GroupCount{Group: "male"}
	for i := range 100 {
		g := &male
		if i%10%4 == 1 {
			g = &female
		}
		g.Total++
		if float64(i%40)/10+0.05 > 2 {
			g.Favourable++
		}
	}
	return []signal.GroupCount{female, male}
}

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

// Whatever the collector does, the clients see nothing, and when it is back
// every window arrives once and in order.
func TestCollectorAwaySlowOrRefusingCostsNothing(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	for name, answer := range map[string]otlptest.Answer{
		"refusing":        {Status: http.StatusServiceUnavailable},
		"unauthenticated": {Status: http.StatusUnauthorized},
		"full":            {Status: http.StatusTooManyRequests, RetryAfter: "0"},
		"hanging":         {Hold: hold},
	} {
		t.Run(name, func(t *testing.T) {
			server := startModelServer(t, approve)
			receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer { return answer })
			c := loanConfig(t, server.URL, receiver.URL())
			c.Export.Timeout = c.StopTimeout / 10
			a := startAgent(t, c, nil)
			serveLoans(t, a, server, 0, 30)
			otlptest.Eventually(t, "an attempt", func() bool { return len(receiver.Arrived()) > 0 })
			if n := len(receiver.Accepted()); n != 0 {
				t.Fatalf("%d requests were accepted by a collector that takes none", n)
			}
			receiver.Answer(nil)
			if got := sequences(awaitWindows(t, receiver, 3)); got != "1 2 3" {
				t.Errorf("sequences %s", got)
			}
		})
	}
	t.Run("away", func(t *testing.T) {
		server := startModelServer(t, approve)
		c := loanConfig(t, server.URL, "http://127.0.0.1:1")
		a := startAgent(t, c, nil)
		serveLoans(t, a, server, 0, 30)
		stopAgent(t, a)
		receiver := otlptest.Start(t, nil)
		c.Export.Endpoint = receiver.URL()
		startAgent(t, c, nil)
		// The fourth is empty: it was open when the agent stopped.
		if got := sequences(awaitWindows(t, receiver, 4)); got != "1 2 3 4" {
			t.Errorf("sequences %s", got)
		}
	})
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

// What cannot be decoded goes through untouched, is counted by reason, and is
// described in the log without a value of it. An error of the model server is no
// fault of decoding.
func TestUndecodablePayloadsPassUntouchedAndAreCounted(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	var log lockedBuffer
	a := startAgent(t, loanConfig(t, server.URL, receiver.URL()), &log)
	wide := slices.Repeat([]float64{31337}, 1025)
	image := numbers("image", wide...)
	image.Shape = []int{1, len(wide)}
	for _, body := range []string{
		string(encode(t, numbers("income", 1), image)),                                // decoded, but for the image
		`{"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[31337]}]}`, // the shape lies
		`not JSON 31337`,
	} {
		status, got := infer(t, "http://"+a.Addr(), "loans", []byte(body))
		wantStatus, want := infer(t, server.URL, "loans", []byte(body))
		if status != wantStatus || string(got) != string(want) {
			t.Errorf("%s: %d %s, the model server says %d %s", body, status, got, wantStatus, want)
		}
	}
	serveLoans(t, a, server, 0, 10)
	all := awaitWindows(t, receiver, 1)
	if got := all[0].Capture; got.Undecodable != 1 || got.Profiled != 11 {
		t.Errorf("capture %+v, want 1 undecodable and 11 profiled: what the server refused is neither", got)
	}
	want := map[string]float64{"shape_mismatch": 1, "too_wide": 1}
	shown := byLabel(t, a.AdminAddr(), "evenkeel_capture_undecodable", "evenkeel_reason")
	if panics := byLabel(t, a.AdminAddr(), "evenkeel_agent_panics", "evenkeel_agent_part"); len(panics) != 10 {
		t.Errorf("panics %v, want the 10 parts of the agent", panics)
	}
	stopAgent(t, a)
	sent := map[string]float64{}
	for _, p := range receiver.Points("evenkeel.capture.undecodable") {
		sent[p.Attributes[signal.KeyReason].(string)] = p.Value
	}
	for _, counts := range []map[string]float64{shown, sent} {
		if len(counts) != len(wire.Reasons())+2 { // and those of too many versions and of a model that went
			t.Errorf("%d reasons, want each of them, also with 0", len(counts))
		}
		for reason, n := range counts {
			if n != want[reason] {
				t.Errorf("%s: %v, want %v", reason, n, want[reason])
			}
		}
	}
	text := log.String()
	if strings.Count(text, "payload not decoded") != 1 || !strings.Contains(text, "shape_mismatch") || strings.Contains(text, "31337") {
		t.Errorf("the log does not describe the payload, or shows a value:\n%s", text)
	}
	if !strings.Contains(text, "tensor not profiled") || strings.Contains(text, "error_status") {
		t.Errorf("the log is silent about the image, or calls an error of the model server a fault:\n%s", text)
	}
}

// A new version has windows of its own, and is declared.
func TestNewModelVersionHasItsOwnWindowsAndIsDeclared(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	a := startAgent(t, loanConfig(t, server.URL, receiver.URL()), nil)
	serveLoans(t, a, server, 0, 10)
	server.setVersion("2")
	serveLoans(t, a, server, 10, 20)
	var models []string
	for _, d := range incomes(awaitWindows(t, receiver, 2)) {
		models = append(models, fmt.Sprint(d.Model, " ", d.Window.Sequence))
	}
	if got := strings.Join(models, ", "); got != "loans@1 1, loans@2 1" {
		t.Errorf("windows %s", got)
	}
	var versions []string
	for _, e := range receiver.Events(signal.EventBaseline) {
		versions = append(versions, fmt.Sprintf("%q", e.Attributes[signal.KeyModelVersion]))
	}
	if got := strings.Join(versions, " "); got != `"" "1" "2"` {
		t.Errorf("baselines declared for versions %s", got)
	}
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
