package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// childConfig makes the test binary the agent itself, so that a test can kill
// it as the system would.
const childConfig = "EVENKEEL_TEST_AGENT_CONFIG"

func TestMain(m *testing.M) {
	if path := os.Getenv(childConfig); path != "" {
		os.Exit(runChild(path))
	}
	goleak.VerifyTestMain(m)
}

func runChild(path string) int {
	c, err := agentconfig.Load(path)
	if err == nil {
		err = agent.Run(context.Background(), c, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// tensor is a tensor of the V2 protocol; Data holds numbers or strings.
type tensor struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Datatype string `json:"datatype"`
	Data     []any  `json:"data"`
}

type inferRequest struct {
	ID     string   `json:"id,omitempty"`
	Inputs []tensor `json:"inputs"`
}

type inferResponse struct {
	ModelName    string   `json:"model_name"`
	ModelVersion string   `json:"model_version"`
	ID           string   `json:"id,omitempty"`
	Outputs      []tensor `json:"outputs"`
}

func numbers(name string, values ...float64) tensor {
	t := tensor{Name: name, Shape: []int{len(values)}, Datatype: "FP64"}
	for _, v := range values {
		t.Data = append(t.Data, v)
	}
	return t
}

func texts(name string, values ...string) tensor {
	t := tensor{Name: name, Shape: []int{len(values), 1}, Datatype: "BYTES"}
	for _, v := range values {
		t.Data = append(t.Data, v)
	}
	return t
}

// modelServer serves the V2 protocol: predict turns the inputs into outputs.
// Its answers depend on nothing else, so that they can be compared.
type modelServer struct {
	*httptest.Server

	mu      sync.Mutex
	version string
}

func startModelServer(t testing.TB, predict func(inputs map[string][]any) []tensor) *modelServer {
	s := &modelServer{version: "1"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/health/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v2/models/{model}/infer", func(w http.ResponseWriter, r *http.Request) {
		var in inferRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, `{"error":"not JSON"}`, http.StatusBadRequest)
			return
		}
		inputs := map[string][]any{}
		for _, i := range in.Inputs {
			inputs[i.Name] = i.Data
		}
		s.mu.Lock()
		out := inferResponse{ModelName: r.PathValue("model"), ModelVersion: s.version, ID: in.ID, Outputs: predict(inputs)}
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// setVersion makes the server answer as another version of its model.
func (s *modelServer) setVersion(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = v
}

// approve is the test's model: approved where the income is above 2.
func approve(inputs map[string][]any) []tensor {
	out := tensor{Name: "approved", Datatype: "INT64", Shape: []int{len(inputs["income"])}}
	for _, v := range inputs["income"] {
		decision := 0
		if x, ok := v.(float64); ok && x > 2 {
			decision = 1
		}
		out.Data = append(out.Data, decision)
	}
	return []tensor{out}
}

// loanBaseline has four cells of income, (-inf,1] (1,2] (2,3] (3,inf).
func loanBaseline() *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 100,
		Features: []signal.FeatureBaseline{
			{Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: []float64{1, 2, 3}, Deciles: []int{0, 1, 2}, Counts: []uint64{25, 25, 25, 25}, N: 100, Sum: 200, SumSquares: 525, Min: 0.1, Max: 4},
			{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: []uint64{50, 50}, N: 100},
		},
		Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male", Declared: true, Counts: []signal.GroupCount{
			{Group: "female", Favourable: 25, Total: 50}, {Group: "male", Favourable: 25, Total: 50},
		}}},
	}
}

// writeBaseline puts a baseline into the test's folder.
func writeBaseline(t testing.TB, b *signal.Baseline) string {
	t.Helper()
	raw, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "baseline.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// century makes windows that only a count closes: their time ends in 2069.
const century = config.Duration(100 * 365 * 24 * time.Hour)

// loanConfig is an agent before a model server, with windows of 100 rows.
func loanConfig(t testing.TB, upstream, endpoint string) *agentconfig.Config {
	c := agentconfig.Default()
	c.File = "agent.yaml"
	c.System, c.Environment, c.State = "loan-approval", "test", t.TempDir()
	c.Listen, c.Admin.Listen, c.Upstream = "127.0.0.1:0", "127.0.0.1:0", upstream
	c.Models = []agentconfig.Model{{
		Name:      "loans",
		Baseline:  writeBaseline(t, loanBaseline()),
		Outcome:   agentconfig.Outcome{Output: "approved", Favourable: agentconfig.Favourable{Values: []string{"1"}}},
		Protected: []agentconfig.Protected{{Attribute: "gender"}},
	}}
	c.Window.Length, c.Window.Count = century, 100
	c.Export.Endpoint = endpoint
	c.StopTimeout = config.Duration(2 * time.Second)
	return c
}

func startAgent(t testing.TB, c *agentconfig.Config, log io.Writer) *agent.Agent {
	t.Helper()
	if log == nil {
		log = io.Discard
	}
	a, err := agent.Start(context.Background(), c, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAgent(t, a) })
	return a
}

func stopAgent(t testing.TB, a *agent.Agent) {
	t.Helper()
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}

// infer posts a body to a model of a server or agent.
func infer(t testing.TB, base, model string, body []byte) (status int, answer []byte) {
	t.Helper()
	resp, err := client.Post(base+"/v2/models/"+model+"/infer", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func encode(t testing.TB, inputs ...tensor) []byte {
	t.Helper()
	raw, err := json.Marshal(inferRequest{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// loanRequest is request number i: ten applicants, of whom three are women.
func loanRequest(t testing.TB, i int) []byte {
	incomes := make([]float64, 10)
	genders := make([]string, 10)
	for row := range incomes {
		incomes[row] = float64((i*10+row)%40)/10 + 0.05
		genders[row] = "male"
		if row%4 == 1 {
			genders[row] = "female"
		}
	}
	return encode(t, numbers("income", incomes...), texts("gender", genders...))
}

// serveLoans sends requests from..to through the agent and checks that the
// client gets what the model server says, byte for byte.
func serveLoans(t testing.TB, a *agent.Agent, server *modelServer, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		body := loanRequest(t, i)
		status, got := infer(t, "http://"+a.Addr(), "loans", body)
		_, want := infer(t, server.URL, "loans", body)
		if status != http.StatusOK || !bytes.Equal(got, want) {
			t.Fatalf("request %d: %d %s\nthe model server says %s", i, status, got, want)
		}
	}
}

// get asks the admin port.
func get(t testing.TB, a *agent.Agent, path string) (int, string) {
	t.Helper()
	resp, err := client.Get("http://" + a.AdminAddr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// lockedBuffer collects a log that several goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String gives all so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
