package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/ports"
)

const (
	firesSlot     = 6 * time.Second // windows of rules
	firesLookback = 8 * time.Second // of rules by the clock
	outage        = 12 * time.Second
	firesHorizon  = 4 * time.Second // of labels
)

// firesWorld is one collector with its agents, and what is done to them.
type firesWorld struct {
	measured
	state     atomic.Int32 // well, bad, mended
	server    *firesServer
	baselines map[string]string
	collector ports.Set
	skew      *httptest.Server // a proxy before the collector whose clock goes wrong
	silent    *process
	running   *process  // the collector
	turned    time.Time // to the state that is
	records   []firesRecord
	folder    string
	traffic   sync.WaitGroup
	over      chan struct{} // closed at the end
}

func startFires(t *testing.T) *firesWorld {
	t.Helper()
	w := &firesWorld{folder: t.TempDir(), over: make(chan struct{})}
	w.server = newFiresServer(t, &w.state)
	var err error
	if w.collector, err = ports.Free(); err != nil {
		t.Fatal(err)
	}
	w.api = "http://" + ports.Addr(w.collector.API)
	w.buildBaselines(t)
	w.runCollector(t)
	w.writeModel(t, goodWeights)
	w.deployModel(t, goodWeights)
	w.startSkew(t)
	w.startAgents(t)
	w.startTraffic(t)
	return w
}

func (w *firesWorld) buildBaselines(t *testing.T) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	table := [][]string{{"income", "age", "region", "gender", "note", "approved", "probability", "repaid"}}
	for range 6000 {
		a := apply(random, false)
		p := solvency(a.income)
		table = append(table, []string{number(a.income), number(a.age), a.region, a.gender, a.note, yesNo(p >= 0.5), number(p), yesNo(a.repaid)})
	}
	w.baselines = map[string]string{loanModel: w.folder + "/loans.json", tariffModel: w.folder + "/tariffs.json"}
	run(t, "evenkeel", "baseline", "build", "--input", writeCSV(t, w.folder, "loans.csv", table), "--output", w.baselines[loanModel],
		"--model", loanModel, "--version", "1", "--outcome", "approved", "--favourable", "yes", "--protected", "gender", "--reference", "gender=male",
		"--features", "income,age,region", "--predictions", "probability", "--label", "repaid", "--score", "probability", "--text", "note", "--windows", "40")
	table = [][]string{{"area", "tariff"}}
	for range 3000 {
		area := 30 + 90*random.Float64()
		table = append(table, []string{number(area), number(rentOf(area))})
	}
	run(t, "evenkeel", "baseline", "build", "--input", writeCSV(t, w.folder, "tariffs.csv", table), "--output", w.baselines[tariffModel],
		"--model", tariffModel, "--version", "1", "--outcome", "tariff")
}

// runCollector starts the collector; in a bad world with a configuration in
// which the system is not declared and little is kept.
func (w *firesWorld) runCollector(t *testing.T) {
	t.Helper()
	var overrides []any
	for rule, c := range firesCases {
		overrides = append(overrides, merged(map[string]any{"system": measuredSystem, "rule": rule}, flat(c.override)))
	}
	writeYAML(t, w.folder+"/overrides.yaml", map[string]any{"overrides": overrides})
	settings := map[string]any{
		"data": w.folder + "/collector", "otlp": map[string]any{
			"grpc": map[string]any{"listen": ports.Addr(w.collector.GRPC)}, "http": map[string]any{"listen": ports.Addr(w.collector.HTTP)},
		},
		"api": map[string]any{"listen": ports.Addr(w.collector.API)}, "fleet": map[string]any{"grace": "1s", "start_grace": "1s"},
		"rules":  map[string]any{"overrides": w.folder + "/overrides.yaml"},
		"labels": map[string]any{"horizon": firesHorizon.String()}, "stop_timeout": "3s",
		"evaluate": map[string]any{"figures": "3s"},
	}
	if w.isBad() {
		settings["retention"] = map[string]any{"predictions": "60d"}
	} else {
		settings["systems"] = []any{map[string]any{"id": measuredSystem}}
	}
	writeYAML(t, w.folder+"/collector.yaml", settings)
	w.running = start(t, "evenkeel-collector", "run", "--config", w.folder+"/collector.yaml")
	w.isReady(t)
}

func (w *firesWorld) isReady(t *testing.T) {
	t.Helper()
	eventually(t, 60*time.Second, "the collector is ready", func() bool {
		resp, err := http.Get(w.api + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// stopCollector ends it in order.
func (w *firesWorld) stopCollector(t *testing.T) {
	t.Helper()
	if err := w.running.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := w.running.wait(t, 30*time.Second); err != nil {
		t.Fatalf("the collector ended with %v", err)
	}
}

func flat(m map[string]any) []any {
	var out []any
	for k, v := range m {
		out = append(out, k, v)
	}
	return out
}

// startSkew stands between one agent and the collector: in a bad world the
// answers' clock is three seconds ahead.
func (w *firesWorld) startSkew(t *testing.T) {
	t.Helper()
	to, err := url.Parse("http://" + ports.Addr(w.collector.HTTP))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // the collector is stopped in between
	proxy.ModifyResponse = func(r *http.Response) error {
		if w.state.Load() == bad {
			r.Header.Set("Date", time.Now().Add(3*time.Second).UTC().Format(http.TimeFormat))
		}
		return nil
	}
	w.skew = httptest.NewServer(proxy)
	t.Cleanup(w.skew.Close)
}

func (w *firesWorld) startAgents(t *testing.T) {
	t.Helper()
	cases := filepath.Join(w.folder, "cases.jsonl")
	lines := `{"rows": [{"income": 9000, "age": 40, "region": "north", "gender": "female", "note": "please see"}], "expect": "yes"}
{"rows": [{"income": 1000, "age": 40, "region": "north", "gender": "male", "note": "my car"}], "expect": "no"}
`
	if err := os.WriteFile(cases, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	w.agent(t, "main", w.toCollector(), map[string]any{
		"models": []any{
			map[string]any{
				"name": loanModel, "baseline": w.baselines[loanModel], "protected": []any{map[string]any{"attribute": "gender"}},
				"predictions": map[string]any{"send": true, "groups": []string{"gender"}, "lawful_basis": "EU AI Act, article 10(5): detection of bias"},
				"digests":     map[string]any{"model": map[string]any{"file": w.folder + "/model.bin"}, "transform": map[string]any{"header": transformHeader}},
				"probe":       map[string]any{"cases": cases, "every": "1s"},
			},
			map[string]any{"name": tariffModel, "baseline": w.baselines[tariffModel]},
			map[string]any{"name": assistantModel, "protocol": "openai"},
		},
		"tap": map[string]any{"max_body": "64KiB"}, "evaluations": map[string]any{"accept": true},
		"scrape": map[string]any{"every": "1s", "timeout": "1s", "servers": []any{map[string]any{
			"url": w.server.URL + "/metrics", "model_label": "model", "requests": []string{"served_total"}, "saturation": []string{"memory_used"},
		}}},
	})
	w.agent(t, "transformed", w.toCollector(), map[string]any{
		"models": []any{map[string]any{"name": tariffModel, "stage": "transformed", "baseline": w.baselines[tariffModel]}},
	})
	w.agent(t, "clock", w.skew.URL, map[string]any{"models": []any{map[string]any{"name": "idle"}}})
	w.startSilent(t)
}

func (w *firesWorld) toCollector() string { return "http://" + ports.Addr(w.collector.HTTP) }

// agent starts an agent, named by its instance, before the model server.
func (w *firesWorld) agent(t *testing.T, name, endpoint string, settings map[string]any) {
	t.Helper()
	at, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	w.runAgent(t, filepath.Join(w.folder, name), at, w.settings(name, endpoint, settings))
}

// settings adds to an agent's what all of them have.
func (w *firesWorld) settings(name, endpoint string, settings map[string]any) map[string]any {
	settings["instance"], settings["upstream"], settings["window"] = name, w.server.URL, map[string]any{"length": "1s", "min_cell": 1}
	settings["export"] = map[string]any{"endpoint": endpoint, "metrics_every": "1s"}
	return settings
}

// startSilent starts the agent that is killed in a bad world; it keeps its
// state, so that it is the same one afterwards.
func (w *firesWorld) startSilent(t *testing.T) {
	t.Helper()
	folder := filepath.Join(w.folder, "silent")
	if _, err := os.Stat(folder); err != nil {
		at, err := ports.Free()
		if err != nil {
			t.Fatal(err)
		}
		writeAgent(t, folder, at, w.settings("silent", w.toCollector(), map[string]any{"models": []any{map[string]any{"name": "idle"}}}))
	}
	w.silent = start(t, "evenkeel-agent", "run", "--config", folder+"/agent.yaml")
}

// turn changes the state of the world, and does what no traffic does.
func (w *firesWorld) turn(t *testing.T, state int32) {
	t.Helper()
	w.state.Store(state)
	w.stopCollector(t)
	if state == bad {
		time.Sleep(outage) // it is the story: what is due meanwhile is missed
	}
	w.runCollector(t)
	w.turned = time.Now()
	switch state {
	case bad:
		w.writeModel(t, badWeights)
		if err := w.silent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	case mended:
		w.deployModel(t, badWeights) // afterwards: the change becomes a known one
		w.writeModel(t, goodWeights)
		w.startSilent(t)
		for _, b := range w.declared(t) {
			run(t, "evenkeel", "baseline", "approve", b, "--server", w.api, "--by", "ai-risk-owner", "--basis", "validation report 12", "--model", loanModel)
		}
	}
}

const (
	goodWeights     = "weights of the good model"
	badWeights      = "weights that nobody has approved"
	transformHeader = "X-Transform-Digest"
	transformDigest = "sha256:transformation-3"
)

// writeModel puts a model where the model server would load it.
func (w *firesWorld) writeModel(t *testing.T, weights string) {
	t.Helper()
	if err := os.WriteFile(w.folder+"/model.bin", []byte(weights), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deployModel approves a model to be in service.
func (w *firesWorld) deployModel(t *testing.T, weights string) {
	t.Helper()
	sum := sha256.Sum256([]byte(weights))
	run(t, "evenkeel", "deploy", "approve", "--server", w.api, "--system", measuredSystem, "--model", loanModel, "--version", "1",
		"--digest", "model=sha256:"+hex.EncodeToString(sum[:]), "--digest", "transform="+transformDigest, "--by", "ai-risk-owner", "--basis", "change 118")
}

// declared gives the baselines of the loan model.
func (w *firesWorld) declared(t *testing.T) []string {
	t.Helper()
	var list struct {
		Baselines []struct {
			Digest string `json:"digest"`
		} `json:"baselines"`
	}
	w.get(t, "/api/v1/baselines?model="+loanModel, &list)
	var out []string
	for _, b := range list.Baselines {
		out = append(out, strings.TrimPrefix(b.Digest, "sha256:")[:12])
	}
	if out = slices.Compact(out); len(out) != 1 {
		t.Fatalf("baselines of %s: %v", loanModel, list)
	}
	return out
}

// repeat does something again and again until the end.
func (w *firesWorld) repeat(every time.Duration, do func(n int)) {
	w.traffic.Go(func() {
		ticks := time.NewTicker(every)
		defer ticks.Stop()
		for n := 0; ; n++ {
			select {
			case <-w.over:
				return
			case <-ticks.C:
			}
			do(n)
		}
	})
}

// end stops the traffic, before the programs are stopped that it goes to.
func (w *firesWorld) end() {
	close(w.over)
	w.traffic.Wait()
}

// tell sends a body to the collector, again while it is stopped and started.
func (w *firesWorld) tell(t *testing.T, path, contentType, body string) {
	for deadline := time.Now().Add(time.Minute); ; {
		resp, err := http.Post(w.api+path, contentType, strings.NewReader(body))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode < 300 {
				return
			}
			err = fmt.Errorf("%s answered %s", path, resp.Status)
		}
		if time.Now().After(deadline) {
			t.Error(err)
			return
		}
		select {
		case <-w.over:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// say sends a body to an agent or a model server.
func say(t *testing.T, url, contentType, body string) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Content-Type", contentType)
	send(t, req)
}

// send makes a request; what is refused or cannot be sent fails the test, but
// for a model server's errors, which belong to the story.
func send(t *testing.T, req *http.Request) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode != http.StatusInternalServerError {
		t.Error(fmt.Errorf("%s answered %s", req.URL, resp.Status))
	}
}
