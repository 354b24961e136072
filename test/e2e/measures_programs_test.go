package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/ports"
)

// measured is a collector and two agents before one model server.
type measured struct {
	api      string
	agents   []string // inference addresses
	admins   []string
	patience time.Time
}

func startMeasured(t *testing.T) *measured {
	t.Helper()
	folder := t.TempDir()
	server := newModelServer(t)
	loan, rent, topic := writeReference(t, folder)
	build := func(input, name string, more ...string) string {
		output := filepath.Join(folder, name+".json")
		run(t, "evenkeel", append([]string{"baseline", "build", "--input", input, "--output", output, "--model", name, "--version", "1"}, more...)...)
		return output
	}
	baselines := map[string]string{
		loanModel: build(loan, loanModel, "--outcome", "approved", "--favourable", "yes", "--protected", "gender,region", "--reference", "gender=male", "--reference", "region=north", "--intersect",
			"--features", "income,age,region",
			"--predictions", "probability", "--label", "repaid", "--score", "probability",
			"--text", "note", "--embedding", "v=v.", "--joint", "4", "--windows", "40"),
		rentModel:  build(rent, rentModel, "--outcome", "rent"),
		topicModel: build(topic, topicModel, "--outcome", "topic"),
	}
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	m := &measured{api: "http://" + ports.Addr(free.API), patience: time.Now().Add(70 * time.Second)}
	m.startCollector(t, folder, free)
	for i, rate := range []float64{1, 0.5} { // of two replicas, one profiles half of its requests
		at := free
		if i > 0 {
			if at, err = ports.Free(); err != nil {
				t.Fatal(err)
			}
		}
		m.startAgent(t, measuredAgent{
			folder: filepath.Join(folder, fmt.Sprint("agent", i)), upstream: server.URL, collector: ports.Addr(free.HTTP),
			ports: at, baselines: baselines, rate: rate,
		})
	}
	return m
}

func (m *measured) startCollector(t *testing.T, folder string, free ports.Set) {
	t.Helper()
	var overrides []any
	for _, rule := range []string{"DRF-01", "DRF-02", "DRF-03", "DRF-04", "DQ-01", "DQ-02", "FAI-01", "FAI-02", "FAI-03", "FAI-04"} {
		overrides = append(overrides, map[string]any{"system": measuredSystem, "rule": rule, "window": measuredSlot.String(), "for": "1 window", "min_samples": 50})
	}
	writeYAML(t, folder+"/overrides.yaml", map[string]any{"overrides": overrides})
	writeYAML(t, folder+"/collector.yaml", map[string]any{
		"data": folder + "/collector", "otlp": map[string]any{
			"grpc": map[string]any{"listen": ports.Addr(free.GRPC)}, "http": map[string]any{"listen": ports.Addr(free.HTTP)},
		},
		"api": map[string]any{"listen": ports.Addr(free.API)}, "fleet": map[string]any{"grace": "1s"},
		"rules":   map[string]any{"overrides": folder + "/overrides.yaml"},
		"labels":  map[string]any{"horizon": labelHorizon.String()},
		"systems": []any{map[string]any{"id": measuredSystem}}, "stop_timeout": "3s",
	})
	p := start(t, "evenkeel-collector", "run", "--config", folder+"/collector.yaml")
	ready(t, p, "the collector", m.api+"/readyz")
}

// measuredAgent is what differs between the agents.
type measuredAgent struct {
	folder, upstream, collector string
	ports                       ports.Set
	baselines                   map[string]string
	rate                        float64
}

func (m *measured) startAgent(t *testing.T, a measuredAgent) {
	t.Helper()
	whole := a.rate == 1
	models := []any{map[string]any{
		"name": loanModel, "baseline": a.baselines[loanModel], "sample": map[string]any{"rate": a.rate},
		"protected":     []any{map[string]any{"attribute": "gender"}, map[string]any{"attribute": "region"}},
		"intersections": [][]string{{"gender", "region"}},
		"predictions": map[string]any{
			"send": whole, "groups": []string{"gender", "gender x region"}, "lawful_basis": "EU AI Act, article 10(5): detection of bias",
		},
	}}
	if whole {
		for _, name := range []string{rentModel, topicModel} {
			models = append(models, map[string]any{"name": name, "baseline": a.baselines[name], "predictions": map[string]any{"send": true}})
		}
		cases := filepath.Join(filepath.Dir(a.folder), "cases.jsonl")
		known := fmt.Sprintf("{\"rows\": [{\"area\": 50, \"floor\": 2}], \"expect\": %s}\n", number(rentOf(50)))
		if err := os.WriteFile(cases, []byte(known), 0o600); err != nil {
			t.Fatal(err)
		}
		models[1].(map[string]any)["probe"] = map[string]any{"cases": cases, "every": "2s"}
	}
	m.runAgent(t, a.folder, a.ports, map[string]any{
		"upstream": a.upstream, "models": models, "tap": map[string]any{"max_body": "64KiB"}, "window": map[string]any{"length": "1s"},
		"evaluations": map[string]any{"accept": true},
		"export":      map[string]any{"endpoint": "http://" + a.collector, "metrics_every": "1s"},
	})
}

// runAgent starts an agent in a new folder, with these settings and those that
// all agents of the tests share.
func (m *measured) runAgent(t *testing.T, folder string, at ports.Set, settings map[string]any) {
	t.Helper()
	writeAgent(t, folder, at, settings)
	p := start(t, "evenkeel-agent", "run", "--config", folder+"/agent.yaml")
	ready(t, p, "the agent", "http://"+ports.Addr(at.Admin)+"/readyz")
	m.agents = append(m.agents, "http://"+ports.Addr(at.Inference))
	m.admins = append(m.admins, "http://"+ports.Addr(at.Admin))
}

// writeAgent writes the configuration of an agent into a new folder: these
// settings and those that all agents of the tests share.
func writeAgent(t *testing.T, folder string, at ports.Set, settings map[string]any) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	maps.Copy(settings, map[string]any{
		"system": measuredSystem, "state": folder + "/state", "heartbeat": "1s", "stop_timeout": "2s",
		"listen": ports.Addr(at.Inference), "admin": map[string]any{"listen": ports.Addr(at.Admin)},
	})
	writeYAML(t, folder+"/agent.yaml", settings)
}

func writeYAML(t *testing.T, path string, content any) {
	t.Helper()
	raw, err := json.Marshal(content) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ready waits until a program answers, and stops it at the end of the test.
func ready(t *testing.T, p *process, who, url string) {
	t.Helper()
	eventually(t, 60*time.Second, who+" is ready", func() bool {
		select {
		case err := <-p.done:
			t.Fatalf("%s ended: %v\n%s", who, err, p.stderr.String())
		default:
		}
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	t.Cleanup(func() {
		_ = p.Process.Signal(os.Interrupt) // an error means that it has ended
		if err := p.wait(t, 30*time.Second); err != nil {
			t.Errorf("%s ended with %v", who, err)
		}
	})
}
