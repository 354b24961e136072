package mlserver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/test/livetest"
)

const (
	pythonVariable = "EVENKEEL_MLSERVER_PYTHON" // an interpreter that has requirements.txt
	system         = "loans"
)

func TestMain(m *testing.M) { livetest.Main(m) }

// account is what client.py says.
type account struct {
	HTTPRequests int                `json:"http_requests"`
	HTTPRows     int                `json:"http_rows"`
	GRPCRequests int                `json:"grpc_requests"`
	GRPCRows     int                `json:"grpc_rows"`
	Refused      int                `json:"refused"`
	KS           map[string]float64 `json:"ks"`
}

// A model of scikit-learn behind MLServer: clients notice nothing of the agents,
// every row that was asked is in the store, the drift of the one input that moved
// is what SciPy finds, and a record is opened for it.
func TestMLServer(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skip(pythonVariable + " is not set; run make e2e-mlserver, which makes the Python environment")
	}
	folder := filepath.Join(t.TempDir(), "loan") // MLServer likes it to be called as the model is
	server := startServer(t, python, folder)
	baseline := buildBaseline(t, folder)
	site := livetest.StartCollector(t, judging(t, folder))
	overHTTP := startAgent(t, folder, "http", server.http, site.HTTP, baseline, server.metrics)
	overGRPC := startAgent(t, folder, "grpc", server.grpc, site.HTTP, baseline)

	stdout, _ := livetest.Foreign{Path: python, Args: []string{
		"client.py", server.http, server.grpc, overHTTP, overGRPC, filepath.Join(folder, "reference.csv"),
	}}.Run(t)
	var said account
	if err := json.Unmarshal([]byte(stdout), &said); err != nil {
		t.Fatalf("the client's account: %v\n%s", err, stdout)
	}
	t.Logf("the client says %s", stdout)
	if said.HTTPRows < 1000 || said.GRPCRows < 1000 || said.Refused == 0 {
		t.Fatal("the client has not done what it is for")
	}

	livetest.Eventually(t, time.Minute, "fleet windows over every row", func() bool {
		return site.Scalar(t, fleetScore("_samples", "income", "psi", "sum(sum_over_time(%s[1h]))")) == float64(said.HTTPRows+said.GRPCRows)
	})
	wantDrift(t, site, said)
	wantServersCount(t, site, said)
	livetest.Eventually(t, time.Minute, "a record of DRF-01 for income", func() bool { return opened(t, site, "DRF-01", "income") })
	wantRows(t, site.Open(t), said)
}

// serverAt is where MLServer listens.
type serverAt struct{ http, grpc, metrics string }

// startServer trains the model and serves it.
func startServer(t *testing.T, python, folder string) serverAt {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	livetest.Foreign{Path: python, Args: []string{"train.py", folder, fmt.Sprint(free.HTTP), fmt.Sprint(free.GRPC), fmt.Sprint(free.Admin)}}.Run(t)
	at := serverAt{http: ports.Addr(free.HTTP), grpc: ports.Addr(free.GRPC), metrics: "http://" + ports.Addr(free.Admin) + "/metrics"}
	livetest.Serve(t, "MLServer", "http://"+at.http+"/v2/models/loan/ready", filepath.Join(filepath.Dir(python), "mlserver"), "start", folder)
	return at
}

func buildBaseline(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "baseline.json")
	livetest.Foreign{Path: livetest.Program(t, "evenkeel"), Args: []string{
		"baseline", "build", "--input", filepath.Join(folder, "reference.csv"), "--output", path, "--model", "loan", "--version", "v1",
		"--outcome", "predict", "--favourable", "1", "--predictions", "approve", "--score", "approve",
		"--categorical", "region", "--features", "income,age,region", "--protected", "region",
	}}.Run(t)
	return path
}

// judging makes the collector seal short windows and judge each by itself.
func judging(t *testing.T, folder string) func(*collector.Config) {
	t.Helper()
	path := filepath.Join(folder, "overrides.yaml")
	livetest.WriteYAML(t, path, map[string]any{"overrides": []any{
		map[string]any{"system": system, "rule": "DRF-01", "window": "2s", "for": "1 window", "min_samples": 200},
	}})
	return func(c *collector.Config) {
		c.Rules.Overrides = path
		c.Fleet.Grace = config.Duration(3 * time.Second)
		c.Systems = []collector.System{{ID: system}}
	}
}

// startAgent puts an agent before one of the server's ports and gives the
// address that clients use. It reads the server's own counters from pages.
func startAgent(t *testing.T, folder, name, upstream, endpoint, baseline string, pages ...string) string {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "agent-"+name+".yaml")
	admin := map[string]any{"listen": ports.Addr(free.Admin)}
	if name == "grpc" {
		admin["ready_path"] = "none" // that port answers gRPC only
	}
	servers := []any{}
	for _, page := range pages {
		servers = append(servers, map[string]any{
			"url": page, "model_label": "model", "requests": []string{"model_infer_request_success_total", "model_infer_request_failure_total"},
		})
	}
	livetest.WriteYAML(t, path, map[string]any{
		"system": system, "instance": name, "state": filepath.Join(folder, "state-"+name),
		"listen": ports.Addr(free.Inference), "admin": admin, "upstream": "http://" + upstream,
		"models": []any{map[string]any{
			"name": "loan", "baseline": baseline,
			"inputs":    map[string]any{"columns": map[string]any{"applicants": []string{"income", "age", "region"}}},
			"outputs":   map[string]any{"columns": map[string]any{"predict_proba": []string{"refuse", "approve"}}},
			"protected": []any{map[string]any{"attribute": "region"}},
		}},
		"window": map[string]any{"length": "1s"}, "heartbeat": "1s", "scrape": map[string]any{"every": "1s", "servers": servers},
		"export":       map[string]any{"endpoint": "http://" + endpoint, "metrics_every": "1s"},
		"stop_timeout": "5s",
	})
	livetest.Serve(t, "the agent before "+name, "http://"+ports.Addr(free.Admin)+"/readyz", livetest.Program(t, "evenkeel-agent"), "run", "--config", path)
	return ports.Addr(free.Inference)
}
