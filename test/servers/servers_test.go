package servers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/test/livetest"
)

const (
	pythonVariable = "EVENKEEL_SERVERS_PYTHON" // an interpreter that has requirements.txt
	system         = "servers"
)

func TestMain(m *testing.M) { livetest.Main(m) }

// site is a server with its agent.
type site struct {
	kind     string // as client.py calls it
	upstream string // host:port
	ready    string // admin.ready_path
	protocol string // empty: the URL tells
}

// account is what client.py says.
type account struct{ Requests, Rows int }

// Real servers of other kinds: clients notice nothing of the agent, and every
// row that was asked is in the store.
func TestServers(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skip(pythonVariable + " is not set; run make e2e-servers, which makes the Python environment")
	}
	t.Setenv("PATH", filepath.Dir(python)+string(os.PathListSeparator)+os.Getenv("PATH")) // MLflow starts its server by name
	collector := livetest.StartCollector(t, nil)
	mlflow := startMLflow(t, python)
	kserve, kserveGRPC := startKServe(t, python)
	said := map[string]account{}
	for _, s := range []site{
		{kind: "mlflow", upstream: mlflow, ready: "/ping", protocol: "mlflow"},
		{kind: "kserve", upstream: kserve},
		{kind: "kserve_grpc", upstream: kserveGRPC, ready: "none"}, // that port answers gRPC only
	} {
		agent, stop := startAgent(t, s, collector.HTTP)
		stdout, _ := livetest.Foreign{Path: python, Args: []string{"client.py", s.kind, s.upstream, agent}}.Run(t)
		var a account
		if err := json.Unmarshal([]byte(stdout), &a); err != nil {
			t.Fatalf("the client's account: %v\n%s", err, stdout)
		}
		said[s.kind] = a
		stop() // its last window goes out
	}
	store := collector.Open(t)
	for kind, a := range said {
		t.Run(kind, func(t *testing.T) { wantRows(t, store, kind, a) })
	}
}

func startMLflow(t *testing.T, python string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "model")
	livetest.Foreign{Path: python, Args: []string{"mlflow_model.py", folder}}.Run(t)
	free := freePorts(t)
	livetest.Serve(t, "MLflow", "http://"+ports.Addr(free.HTTP)+"/ping", python, "-m", "mlflow", "models", "serve",
		"--model-uri", folder, "--host", "127.0.0.1", "--port", fmt.Sprint(free.HTTP), "--env-manager", "local")
	return ports.Addr(free.HTTP)
}

func startKServe(t *testing.T, python string) (http, grpc string) {
	t.Helper()
	free := freePorts(t)
	livetest.Serve(t, "KServe", "http://"+ports.Addr(free.HTTP)+"/v2/models/loan/ready", python, "kserve_server.py", fmt.Sprint(free.HTTP), fmt.Sprint(free.GRPC))
	return ports.Addr(free.HTTP), ports.Addr(free.GRPC)
}

func freePorts(t *testing.T) ports.Set {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// startAgent puts an agent before a server. However a table is sent, its columns
// get the same names.
func startAgent(t *testing.T, s site, endpoint string) (address string, stop func()) {
	t.Helper()
	free, folder := freePorts(t), t.TempDir()
	columns := map[string]any{"input": []string{"income", "age"}, "applicants": []string{"income", "age"}}
	path := filepath.Join(folder, "agent.yaml")
	livetest.WriteYAML(t, path, map[string]any{
		"system": system, "instance": s.kind, "state": filepath.Join(folder, "state"), "upstream": "http://" + s.upstream,
		"listen": ports.Addr(free.Inference), "admin": map[string]any{"listen": ports.Addr(free.Admin), "ready_path": s.ready},
		"models": []any{map[string]any{
			"name": "loan", "protocol": s.protocol, "inputs": map[string]any{"columns": columns},
			"outputs": map[string]any{"columns": map[string]any{"prediction": []string{"approved"}}},
		}},
		"window": map[string]any{"length": "1s"}, "export": map[string]any{"endpoint": "http://" + endpoint, "metrics_every": "1s"},
		"stop_timeout": "20s",
	})
	stop = livetest.Serve(t, "the agent before "+s.kind, "http://"+ports.Addr(free.Admin)+"/readyz", livetest.Program(t, "evenkeel-agent"), "run", "--config", path)
	return ports.Addr(free.Inference), stop
}

// wantRows counts in the store: every row of every request, whole and understood.
func wantRows(t *testing.T, store *clickhouse.Store, instance string, said account) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, column := range []string{"income", "age", "approved"} {
		var rows, faulty, seen, profiled uint64
		err := store.Conn().QueryRow(ctx, `SELECT sum(n), sum(missing + invalid), sum(seen), sum(profiled) FROM distributions
			WHERE system = ? AND model_name = 'loan' AND instance = ? AND feature = ?`, system, instance, column).Scan(&rows, &faulty, &seen, &profiled)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: said %d requests, %d rows; stored %d and %d", column, said.Requests, said.Rows, seen, rows)
		if said.Rows < 1000 || int(rows) != said.Rows || faulty != 0 || int(seen) != said.Requests || profiled != seen {
			t.Errorf("%s: %d rows, %d of them not understood, of %d requests seen and %d profiled; sent were %d rows in %d requests",
				column, rows, faulty, seen, profiled, said.Rows, said.Requests)
		}
	}
}
