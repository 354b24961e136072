package agent_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

// changed is a copy of a configuration that is changed.
func changed(c *agentconfig.Config, change func(*agentconfig.Config)) *agentconfig.Config {
	next := *c
	next.Models = append([]agentconfig.Model(nil), c.Models...)
	change(&next)
	return &next
}

// otherBaseline differs from loanBaseline in its digest alone.
func otherBaseline() *signal.Baseline {
	b := loanBaseline()
	b.Source = "another month"
	return b
}

// A new baseline takes over between two requests: the open window is closed under
// the old one, none mixes the two, and no request is lost or counted twice, while
// clients go on.
func TestBaselineIsSwappedBetweenTwoRequests(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Window.Count = 0
	a := startAgent(t, c, nil)
	next := changed(c, func(n *agentconfig.Config) { n.Models[0].Baseline = writeBaseline(t, otherBaseline()) })

	serveLoans(t, a, server, 0, 1) // from now on the version is known, which has windows
	awaitCounted(t, a, "loans", 1)
	const clients, each = 4, 60
	var sending sync.WaitGroup
	for range clients {
		sending.Go(func() {
			for i := range each {
				resp, err := client.Post("http://"+a.Addr()+"/v2/models/loans/infer", "application/json", bytes.NewReader(loanRequest(t, i)))
				if err != nil {
					t.Error(err)
					return
				}
				if resp.StatusCode != http.StatusOK {
					t.Errorf("request %d: %s", i, resp.Status)
				}
				_ = resp.Body.Close()
			}
		})
	}
	for i := range 10 { // back and forth
		if err := a.Apply([]*agentconfig.Config{next, c}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	sending.Wait()
	stopAgent(t, a)
	old, _ := loanBaseline().Digest()
	other, _ := otherBaseline().Digest()
	var seen, profiled, rows uint64
	found := map[signal.Digest]bool{}
	for i, d := range incomes(profiles(t, receiver)) {
		if d.Window.Sequence != uint64(i+1) || d.Baseline != []signal.Digest{old, other}[i%2] {
			t.Errorf("window %d: sequence %d under %s", i, d.Window.Sequence, d.Baseline.Short())
		}
		if d.N != 10*d.Capture.Profiled {
			t.Errorf("window %s: %d rows, %+v", d.Window, d.N, d.Capture)
		}
		found[d.Baseline] = true
		seen, profiled, rows = seen+d.Capture.Seen, profiled+d.Capture.Profiled, rows+d.N
	}
	if len(found) != 2 || seen != clients*each+1 || profiled != seen || rows != 10*seen {
		t.Errorf("%d baselines, seen %d, profiled %d, rows %d; want 2, %d", len(found), seen, profiled, rows, clients*each+1)
	}
}

// A model that a change does not touch goes on in the same window.
func TestUntouchedModelKeepsItsWindow(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models = append(c.Models, agentconfig.Model{Name: "offers"})
	a := startAgent(t, c, nil)
	send := func(model string, n int) {
		for i := range n {
			if status, body := infer(t, "http://"+a.Addr(), model, loanRequest(t, i)); status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
		}
	}
	send("loans", 4)
	send("offers", 3)
	awaitCounted(t, a, "offers", 3)
	if err := a.Apply(changed(c, func(n *agentconfig.Config) {
		n.Models = n.Models[:1] // offers goes
		n.Models = append(n.Models, agentconfig.Model{Name: "prices"})
	})); err != nil {
		t.Fatal(err)
	}
	send("loans", 6) // fills the window of 100 rows
	send("prices", 10)
	send("offers", 5) // passes, and is not counted
	stopAgent(t, a)
	for model, want := range map[string]string{"loans": "100/10/10", "offers": "30/3/3", "prices": "100/10/10"} {
		var got []string
		for _, d := range incomes(profiles(t, receiver)) {
			if d.Model.Name == model && d.N > 0 {
				got = append(got, fmt.Sprintf("%d/%d/%d", d.N, d.Capture.Seen, d.Capture.Profiled))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", model, got, want)
		}
	}
	var ends []string
	for _, e := range receiver.Events(signal.EventLineageRun) {
		if e.Attributes[signal.KeyModelName] == "offers" {
			ends = append(ends, e.Attributes[signal.KeyLineageEventType].(string))
		}
	}
	if len(ends) < 2 || ends[0] != "START" || ends[len(ends)-1] != "COMPLETE" {
		t.Errorf("the run of the model that went: %v", ends)
	}
}

// The sampling can be changed, and the account stays whole.
func TestSamplingChangesWithoutLosingCount(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	a := startAgent(t, c, nil)
	all := 0
	for i, rate := range []float64{0.5, 0.25, 1} {
		if err := a.Apply(changed(c, func(n *agentconfig.Config) { n.Models[0].Sample.Rate = &rate })); err != nil {
			t.Fatal(err)
		}
		profiled := 0
		for n := range 40 {
			id := fmt.Sprint("request-", i*40+n)
			named(t, "http://"+a.Addr(), string(loanRequest(t, n)), "X-Request-Id", id)
			if fraction(id) < rate {
				profiled++
			}
		}
		awaitCounted(t, a, "loans", profiled)
		all += profiled
	}
	stopAgent(t, a)
	var sum signal.Capture
	for _, d := range incomes(profiles(t, receiver)) {
		sum.Add(d.Capture)
	}
	if n := uint64(all); sum.Seen != 120 || sum.Profiled != n || sum.SampledOut != 120-n || sum.Unread != 120-n || sum.OverCeiling > 0 {
		t.Errorf("%d are profiled, the account is %+v", n, sum)
	}
}

// fraction is where an id lies among all, as the page about sampling has it.
func fraction(id string) float64 {
	sum := sha256.Sum256([]byte(id))
	return float64(binary.BigEndian.Uint64(sum[:8])) / 0x1p64
}

// awaitCounted waits until so many of a model's requests are profiled, under the
// configuration in force, as the status page has it.
func awaitCounted(t testing.TB, a *agent.Agent, model string, profiled int) {
	t.Helper()
	otlptest.Eventually(t, fmt.Sprintf("%d requests of %s", profiled, model), func() bool {
		_, page := get(t, a, "/")
		for _, line := range strings.Split(page, "\n") {
			f := strings.Fields(line)
			if len(f) >= 11 && f[0] == model {
				return f[7] == fmt.Sprint(profiled)
			}
		}
		return false
	})
}

// The collector's address changes, and what waited goes to the new one.
func TestCollectorChangesWhileRequestsWait(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, "http://127.0.0.1:1") // nobody is there
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, 10)
	if err := a.Apply(changed(c, func(n *agentconfig.Config) { n.Export.Endpoint = receiver.URL() })); err != nil {
		t.Fatal(err)
	}
	if d := awaitWindows(t, receiver, 1); d[0].N != 100 {
		t.Errorf("%d rows", d[0].N)
	}
}

// What cannot change is refused by name, what is broken with its faults, and the
// configuration in force stays; the figures tell.
func TestRefusedConfigurationLeavesTheLastGoodOne(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	a := startAgent(t, c, nil)
	before := byLabel(t, a.AdminAddr(), "evenkeel_config_info", "evenkeel_config_digest")
	for says, change := range map[string]func(*agentconfig.Config){
		"state, listen: cannot change": func(n *agentconfig.Config) { n.Listen, n.State = "127.0.0.1:9", t.TempDir() },
		"export.spool: cannot change":  func(n *agentconfig.Config) { n.Export.Spool.Max *= 2 },
		"models: none":                 func(n *agentconfig.Config) { n.Models = nil },
		"nowhere.json":                 func(n *agentconfig.Config) { n.Models[0].Baseline = "nowhere.json" },
		"is no prediction":             func(n *agentconfig.Config) { n.Models[0].Outcome.Output = "granted" },
	} {
		err := a.Apply(changed(c, change))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	after := byLabel(t, a.AdminAddr(), "evenkeel_config_info", "evenkeel_config_digest")
	if len(before) != 1 || len(after) != 1 || fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("%v became %v", before, after)
	}
	if n := metric(t, a, "evenkeel_config_failures"); n != 5 {
		t.Errorf("%v failures", n)
	}
	serveLoans(t, a, server, 0, 10)
	awaitWindows(t, receiver, 1)
}

// metric gives the one value of a metric.
func metric(t testing.TB, a *agent.Agent, name string) float64 {
	t.Helper()
	_, page := get(t, a, "/metrics")
	for key, value := range parseMetrics(t, strings.NewReader(page)) {
		if key == name || strings.HasPrefix(key, name+"{") {
			return value
		}
	}
	t.Fatalf("%s is not shown:\n%s", name, page)
	return 0
}

// A ConfigMap changes by a link being swapped; the agent notices, also through
// files that are broken in between.
func TestSwappedConfigMapIsNoticed(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	folder := t.TempDir()
	template := `system: loan-approval
state: %s
listen: 127.0.0.1:0
upstream: %s
admin: {listen: "127.0.0.1:0"}
reload: {watch: 20ms}
models: [%s]
export: {endpoint: "%s"}
`
	state := filepath.Join(folder, "state")
	publish := func(name, models string) {
		version := filepath.Join(folder, name)
		text := fmt.Sprintf(template, state, server.URL, models, receiver.URL())
		for _, err := range []error{
			os.Mkdir(version, 0o700),
			os.WriteFile(filepath.Join(version, "agent.yaml"), []byte(text), 0o600),
			os.Symlink(name, filepath.Join(folder, "..data.tmp")),
			os.Rename(filepath.Join(folder, "..data.tmp"), filepath.Join(folder, "..data")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	publish("v1", "{name: loans}")
	path := filepath.Join(folder, "agent.yaml")
	if err := os.Symlink(filepath.Join("..data", "agent.yaml"), path); err != nil {
		t.Fatal(err)
	}
	c, err := agentconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, c, nil)
	until := func(what string, ok func() bool) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for !ok() {
			select {
			case <-deadline:
				t.Fatal("not seen: " + what)
			case <-time.After(5 * time.Millisecond): // polling, bounded by the deadline
			}
		}
	}
	first := byLabel(t, a.AdminAddr(), "evenkeel_config_info", "evenkeel_config_digest")
	publish("v2", "{name: loans, speling: 1}")
	until("the fault", func() bool { return metric(t, a, "evenkeel_config_failures") == 1 })
	if now := byLabel(t, a.AdminAddr(), "evenkeel_config_info", "evenkeel_config_digest"); fmt.Sprint(now) != fmt.Sprint(first) {
		t.Errorf("%v, want the last good one, %v", now, first)
	}
	publish("v3", "{name: loans}, {name: offers}")
	until("the new model", func() bool {
		return len(byLabel(t, a.AdminAddr(), "evenkeel_baseline_info", "evenkeel_model_name")) == 2
	})
	if now := byLabel(t, a.AdminAddr(), "evenkeel_config_info", "evenkeel_config_digest"); fmt.Sprint(now) == fmt.Sprint(first) {
		t.Error("the digest is the old one")
	}
}
