package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// The load: so many requests of about 1 KB with ten features a second, over so
// many connections, for so long; then nothing for as long.
const (
	perSecond   = 2000
	connections = 16
	phase       = 30 * time.Second
)

// The budgets.
const (
	maxBinary   = 25.0  // MB
	maxResident = 40.0  // MB
	maxIdle     = 0.005 // of one core
)

// TestProgramStaysWithinItsBudgets builds the agent as it is shipped, starts it
// before a model server in Go, with predictions and groups on and every request
// profiled, and prints what it takes. It needs a minute and a quiet machine, so
// EVENKEEL_LOAD asks for it.
func TestProgramStaysWithinItsBudgets(t *testing.T) {
	if os.Getenv("EVENKEEL_LOAD") == "" {
		t.Skip("set EVENKEEL_LOAD=1 to measure the agent for a minute")
	}
	program := build(t)
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	atMost(t, "binary, stripped", "MB", float64(info.Size())/1e6, maxBinary)
	a := start(t, program, model(t), sink(t))

	sent, took := a.drive(t)
	t.Logf("%d requests in %s, %.0f a second, %.3f cores", sent, took.Round(time.Millisecond), float64(sent)/took.Seconds(), a.cpu(t).Seconds()/took.Seconds())
	atMost(t, "resident under load", "MB", a.memory(t, "VmRSS")/1e6, maxResident)
	atMost(t, "resident at most", "MB", a.memory(t, "VmHWM")/1e6, maxResident)

	rest(t, 2*time.Second) // connections and queues become empty
	before, begin := a.cpu(t), time.Now()
	rest(t, phase)
	idle := (a.cpu(t) - before).Seconds() / time.Since(begin).Seconds()
	atMost(t, "idle", "% of a core", 100*idle, 100*maxIdle)
	t.Logf("resident when idle %.1f MB, of which %.1f MB are the program's file", a.memory(t, "VmRSS")/1e6, a.memory(t, "RssFile")/1e6)

	seen, profiled := a.counted(t, "seen"), a.counted(t, "profiled")
	t.Logf("profiled %.4f (%.0f of %.0f requests)", profiled/seen, profiled, seen)
	if seen != float64(sent) {
		t.Errorf("%v requests were seen of %d", seen, sent)
	}
}

// rest lets time pass in which nothing is asked of the agent: it is what is
// measured.
func rest(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

func atMost(t *testing.T, what, unit string, got, budget float64) {
	t.Helper()
	t.Logf("%s %.2f %s, of %.2f", what, got, unit, budget)
	if got > budget {
		t.Errorf("%s: %.2f %s, the budget is %.2f", what, got, unit, budget)
	}
}

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evenkeel-agent")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "../../cmd/evenkeel-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

const answer = `{"model_name":"loans","model_version":"1","outputs":[{"name":"approved","datatype":"INT64","shape":[1,1],"data":[1]},{"name":"probability","datatype":"FP64","shape":[1,1],"data":[0.73]}]}`

// model is a model server that costs nothing.
func model(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// sink takes what the agent exports.
func sink(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// running is the agent's process.
type running struct {
	pid              int
	inference, admin string
}

var up = regexp.MustCompile(`inference=(\S+) .*admin=(\S+)`)

func start(t *testing.T, program, upstream, collector string) *running {
	t.Helper()
	folder := t.TempDir()
	config := fmt.Sprintf(`
system: loan-approval
state: %s
listen: 127.0.0.1:0
upstream: %s
admin: {listen: "127.0.0.1:0"}
models:
  - name: loans
    baseline: %s
    outcome: {output: approved, score: probability, favourable: {values: ["1"]}}
    protected: [{attribute: gender}]
    predictions: {send: true, groups: [gender], lawful_basis: a law}
window: {length: 10s}
export: {endpoint: %q}
`, filepath.Join(folder, "state"), upstream, baseline(t, folder), collector)
	path := filepath.Join(folder, "agent.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &addresses{found: make(chan []string, 1)}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "run", "--config", path)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stop(); <-ended })
	select {
	case at := <-log.found:
		return &running{cmd.Process.Pid, at[1], at[2]}
	case err := <-ended:
		ended <- err
		t.Fatalf("the agent ended: %v\n%s", err, log.text())
	case <-time.After(30 * time.Second):
		t.Fatalf("the agent does not come up\n%s", log.text())
	}
	return nil
}

// addresses finds in a log where the agent listens.
type addresses struct {
	mu    sync.Mutex
	log   bytes.Buffer
	found chan []string
	told  bool
}

// Write takes what is logged.
func (a *addresses) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log.Write(p)
	if m := up.FindStringSubmatch(a.log.String()); m != nil && !a.told {
		a.told = true
		a.found <- m
	}
	return len(p), nil
}

func (a *addresses) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.String()
}

// drive sends requests at an even pace and gives how many were answered.
func (a *running) drive(t *testing.T) (sent uint64, took time.Duration) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	client := &http.Client{Transport: transport}
	defer transport.CloseIdleConnections()
	var answered atomic.Uint64
	var all sync.WaitGroup
	begin := time.Now()
	for c := range connections {
		all.Go(func() {
			every := time.Second * connections / perSecond
			next := begin.Add(every * time.Duration(c) / connections)
			for ; next.Before(begin.Add(phase)); next = next.Add(every) {
				time.Sleep(time.Until(next))
				resp, err := client.Post("http://"+a.inference+"/v2/models/loans/infer", "application/json", bytes.NewReader(body(c)))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Error(resp.Status, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return answered.Load(), time.Since(begin)
}

// body is a request of one row, about 1 KB.
func body(i int) []byte {
	var s strings.Builder
	s.WriteString(`{"inputs":[`)
	for f := range 9 {
		fmt.Fprintf(&s, `{"name":"feature_of_applicant_%d","shape":[1,1],"datatype":"FP64","data":[%.6f]},`, f, float64((i*9+f)%40)/10+0.05)
	}
	fmt.Fprintf(&s, `{"name":"gender","shape":[1,1],"datatype":"BYTES","data":[%q]}]}`, []string{"female", "male"}[i%2])
	for s.Len() < 1<<10 {
		s.WriteByte(' ')
	}
	return []byte(s.String())
}

func baseline(t *testing.T, folder string) string {
	t.Helper()
	numeric := func(target signal.Target, name string) signal.FeatureBaseline {
		f := signal.FeatureBaseline{Name: signal.FeatureName(name), Target: target, Kind: signal.Numeric, N: 4000, Sum: 8000, SumSquares: 21000, Max: 4}
		for cell := range 40 {
			if cell < 39 {
				f.Grid = append(f.Grid, float64(cell+1)/10)
			}
			if cell%4 == 3 && cell < 39 {
				f.Deciles = append(f.Deciles, cell)
			}
			f.Counts = append(f.Counts, 100)
		}
		return f
	}
	two := []uint64{2000, 2000}
	b := &signal.Baseline{
		Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 4000,
		Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male", Declared: true, Counts: []signal.GroupCount{
			{Group: "female", Favourable: 1000, Total: 2000}, {Group: "male", Favourable: 1000, Total: 2000},
		}}},
		Features: []signal.FeatureBaseline{
			{Name: "gender", Target: signal.TargetFeature, Kind: signal.Categorical, Categories: []string{"female", "male"}, Counts: two, N: 4000},
			{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: two, N: 4000},
			numeric(signal.TargetPrediction, "probability"),
		},
	}
	for i := range 9 {
		b.Features = append(b.Features, numeric(signal.TargetFeature, fmt.Sprintf("feature_of_applicant_%d", i)))
	}
	raw, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "baseline.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// memory reads one of the process' figures, in bytes.
func (a *running) memory(t *testing.T, figure string) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(figure + `:\s+(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		t.Fatalf("no %s in\n%s", figure, raw)
	}
	return number(t, string(m[1])) * 1024
}

// cpu is the process' time in user and kernel so far.
func (a *running) cpu(t *testing.T) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", a.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // behind the name, which may hold anything
	f := strings.Fields(rest)
	const perTick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go knows
	return time.Duration(number(t, f[11])+number(t, f[12])) * perTick
}

// counted reads how many requests met a fate.
func (a *running) counted(t *testing.T, fate string) (sum float64) {
	t.Helper()
	resp, err := http.Get("http://" + a.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`evenkeel_observation_count\{[^}]*evenkeel_capture="`+fate+`"[^}]*\} (\S+)`).FindAllSubmatch(page, -1) {
		sum += number(t, string(m[1]))
	}
	return sum
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
