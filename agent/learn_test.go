package agent_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// awaitOrigin waits until the model's baseline is of an origin, and gives its
// digest as it is shown.
func awaitOrigin(t testing.TB, a *agent.Agent, origin string) string {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		shown := byLabel(t, a.AdminAddr(), "evenkeel_baseline_info", "evenkeel_baseline_id", `evenkeel_baseline_origin="`+origin+`"`)
		for id := range shown {
			return id
		}
		select {
		case <-deadline:
			t.Fatalf("the baseline is not %s", origin)
		case <-time.After(5 * time.Millisecond): // polling, bounded by the deadline
		}
	}
}

func declaredBaseline(t testing.TB, r *otlptest.Receiver) *signal.Baseline {
	t.Helper()
	var last *signal.Baseline
	otlptest.Eventually(t, "a baseline declared", func() bool {
		for _, e := range r.Events(signal.EventBaseline) {
			b, err := signal.ParseBaseline([]byte(e.Body))
			if err != nil {
				t.Fatal(err)
			}
			last = b
		}
		return last != nil
	})
	return last
}

// Without a baseline the agent makes one of the first rows, compares the next
// ones with it, and says in the log, the figures and the declaration what it is.
// It outlives a restart.
func TestBaselineIsLearntAndOutlivesARestart(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models[0].Baseline = ""
	c.Models[0].Learn = agentconfig.Learn{Rows: 400}
	var log lockedBuffer
	a := startAgent(t, c, &log)
	awaitOrigin(t, a, "learning")
	serveLoans(t, a, server, 0, 40)
	digest := awaitOrigin(t, a, "learned")
	serveLoans(t, a, server, 40, 60)
	if status, page := get(t, a, "/"); status != http.StatusOK || !strings.Contains(page, "learned") {
		t.Errorf("%d %s", status, page)
	}
	stopAgent(t, a)

	b := declaredBaseline(t, receiver)
	d, err := b.Digest()
	if err != nil || d.Short() != digest || b.Rows != 400 || !strings.HasPrefix(b.Source, "learned by agent") {
		t.Errorf("declared %s of %d rows, %q; shown %s; %v", d, b.Rows, b.Source, digest, err)
	}
	if f := b.Feature(signal.TargetFeature, "income"); f == nil || f.N != 400 || len(f.Grid) < 10 {
		t.Errorf("income: %+v", f)
	}
	if g := b.Group("gender"); g == nil || len(g.Counts) != 2 || b.Feature(signal.TargetFeature, "gender") != nil {
		t.Errorf("groups %+v", b.Groups)
	}
	var under uint64
	for _, w := range incomes(profiles(t, receiver)) {
		if w.Baseline == d {
			under += w.N
		} else if w.Baseline != "" {
			t.Errorf("window %s is under %s", w.Window, w.Baseline)
		}
	}
	if under != 200 {
		t.Errorf("%d rows were compared with it, want the 200 that came after", under)
	}
	for _, says := range []string{"one is learnt from the first rows", "a baseline was learnt"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log lacks %q", says)
		}
	}

	again := startAgent(t, c, nil)
	if id := awaitOrigin(t, again, "learned"); id != digest {
		t.Errorf("after a restart %s, want %s", id, digest)
	}
}

// What looks like an identifier or is rare does not get into what is learnt,
// which leaves the agent.
func TestRareTextsAreNotLearnt(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models[0].Baseline, c.Models[0].Protected = "", nil
	c.Models[0].Learn = agentconfig.Learn{Rows: 200}
	a := startAgent(t, c, nil)
	for i := range 200 {
		town := "common"
		if i == 7 {
			town = "rarissima"
		}
		id := "person-" + canonical.Sum([]byte{byte(i)})
		if status, body := infer(t, "http://"+a.Addr(), "loans", encode(t, numbers("income", float64(i%40)), texts("id", id), texts("town", town))); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	awaitOrigin(t, a, "learned")
	stopAgent(t, a)
	for _, e := range receiver.Events(signal.EventBaseline) {
		if strings.Contains(e.Body, "person-") || strings.Contains(e.Body, "rarissima") {
			t.Errorf("a rare text leaves the agent: %s", e.Body)
		}
	}
	b := declaredBaseline(t, receiver)
	if f := b.Feature(signal.TargetFeature, "town"); f == nil || f.Other != 1 || len(f.Categories) != 1 {
		t.Errorf("town: %+v", f)
	}
}

// A baseline is fetched by its digest, with the token, from a collector that
// comes later than the agent; requests are served and counted meanwhile. What is
// not what the digest says is not taken.
func TestBaselineIsFetchedByDigest(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	raw, err := canonical.JSON(loanBaseline())
	if err != nil {
		t.Fatal(err)
	}
	digest := canonical.Sum(raw)
	var asked atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/baselines/"+digest || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("%s %q", r.URL, r.Header.Get("Authorization"))
		}
		switch asked.Add(1) {
		case 1:
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		case 2:
			other, _ := canonical.JSON(otherBaseline())
			_, _ = w.Write(other)
		default:
			_, _ = w.Write(raw)
		}
	}))
	defer collector.Close()
	c := loanConfig(t, server.URL, receiver.URL())
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Models[0].Baseline, c.Models[0].Outcome = digest, agentconfig.Outcome{}
	c.Models[0].Protected = nil
	c.Baselines.Endpoint, c.Baselines.TokenFile, c.Baselines.Every = collector.URL, token, config.Duration(20*time.Millisecond)
	var log lockedBuffer
	a := startAgent(t, c, &log)
	serveLoans(t, a, server, 0, 1)
	if id := awaitOrigin(t, a, "collector"); !strings.Contains(digest, id) {
		t.Errorf("%s, want %s", id, digest)
	}
	serveLoans(t, a, server, 1, 11)
	stopAgent(t, a)
	var under uint64
	for _, w := range incomes(profiles(t, receiver)) {
		if string(w.Baseline) == digest {
			under += w.N
		}
	}
	if under != 100 || asked.Load() != 3 {
		t.Errorf("%d rows were compared with it; asked %d times", under, asked.Load())
	}
	for _, says := range []string{"503", "gave another baseline"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log lacks %q:\n%s", says, log.String())
		}
	}
	collector.Close()
	again := startAgent(t, c, nil) // the collector is away, and not needed
	awaitOrigin(t, again, "collector")
}

// Learning is bounded by memory, and by time.
func TestLearningEndsAtItsBounds(t *testing.T) {
	server := startModelServer(t, approve)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	c.Models[0].Baseline = ""
	c.Models[0].Learn = agentconfig.Learn{Rows: 1 << 40, MaxMemory: 64 << 10}
	a := startAgent(t, c, nil)
	for i := 0; ; i++ {
		serveLoans(t, a, server, i, i+1)
		if len(byLabel(t, a.AdminAddr(), "evenkeel_baseline_info", "evenkeel_baseline_id", `origin="learned"`)) == 1 {
			break
		}
		if i > 1000 {
			t.Fatal("64 KiB do not fill up")
		}
	}
}

// The figures of the model server's own page are told on under our names.
func TestModelServersCountersAreToldOn(t *testing.T) {
	server := startModelServer(t, approve)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE vllm:request_success_total counter\n" +
			`vllm:request_success_total{model_name="loans",finished_reason="stop"} 40` + "\n" +
			`vllm:request_success_total{model_name="loans",finished_reason="length"} 2` + "\n" +
			`vllm:kv_cache_usage_perc{model_name="loans"} 0.75` + "\n" +
			`vllm:num_requests_waiting{model_name="loans"} 1` + "\n" + `vllm:num_requests_running{model_name="loans"} 3` + "\n"))
	}))
	defer page.Close()
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Scrape.Every = config.Duration(10 * time.Millisecond)
	c.Scrape.Servers = []agentconfig.ScrapeServer{{URL: page.URL, Preset: "vllm"}}
	c.Export.MetricsEvery = config.Duration(20 * time.Millisecond)
	startAgent(t, c, nil)
	otlptest.Eventually(t, "both figures and the clock's", func() bool {
		requests, saturation := receiver.Points("evenkeel.server.request.count"), receiver.Points("evenkeel.server.saturation")
		return len(requests) > 0 && requests[0].Value == 42 && len(saturation) > 0 && saturation[0].Value == 0.75 &&
			saturation[0].Attributes[signal.KeyModelName] == "loans" && len(receiver.Points(signal.MetricClockOffset)) > 0
	})
	for _, p := range receiver.Points(signal.MetricClockOffset) {
		if p.Value < -1.5 || p.Value > 1.5 { // both are this machine's clock
			t.Errorf("the collector's clock is said to be %v s ahead", p.Value)
		}
	}
}

// The status page says what an operator asks for, and profiles are served only
// where they are wanted, to this machine.
func TestStatusPageAndProfiles(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	a := startAgent(t, c, nil)
	if status, _ := get(t, a, "/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles without admin.pprof: %d", status)
	}
	serveLoans(t, a, server, 0, 10)
	infer(t, "http://"+a.Addr(), "loans", []byte("{}"))
	awaitWindows(t, receiver, 1)
	_, page := get(t, a, "/")
	for _, says := range []string{"evenkeel-agent", "loan-approval", "configuration", "sha256:", "loans", "file", "queue", "spool", "last export", "lost", "undecodable"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page lacks %q:\n%s", says, page)
		}
	}
	stopAgent(t, a)

	c.Admin.Pprof = true
	b := startAgent(t, c, nil)
	if status, text := get(t, b, "/debug/pprof/goroutine?debug=1"); status != http.StatusOK || !strings.Contains(text, "goroutine profile") {
		t.Errorf("%d %s", status, text)
	}
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+b.AdminAddr()+"/debug/pprof/heap", nil)
	req.Host = "attacker.example"
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign name is answered: %s", resp.Status)
	}
}

// Readiness is asked at the configured path, whose answer counts.
func TestReadinessAtAConfiguredPath(t *testing.T) {
	var health atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := int(health.Load())
		if r.URL.Path != "/health" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(r.URL.Path)
	}))
	defer server.Close()
	c := loanConfig(t, server.URL, "http://127.0.0.1:1")
	c.Admin.ReadyPath = "/health"
	a := startAgent(t, c, nil)
	for answer, want := range map[int]int{200: 200, 204: 200, 404: 503, 500: 503, 503: 503} {
		health.Store(int64(answer))
		if status, text := get(t, a, "/readyz"); status != want {
			t.Errorf("the model server answers %d, the agent %d %s", answer, status, text)
		}
	}
	stopAgent(t, a)
	c.Admin.ReadyPath, c.Upstream = "none", "http://127.0.0.1:1"
	if status, text := get(t, startAgent(t, c, nil), "/readyz"); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}
