package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/applicants"
	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/signal"
)

const (
	undisturbedRequests = 10_000 // for each condition of the collector
	undisturbedWorkers  = 4
	undisturbedBodies   = 64 // different requests
	p99Margin           = 2 * time.Millisecond
	bodyDigest          = "Test-Body-Digest" // of the request as the model server received it
)

// What the agent does behind an inference request must not be felt by it,
// whatever state the collector is in. Four agents stand before one model
// server, each with a collector in another state; every client sends to all
// four in turn, so that what else the machine does hits all of them alike.
//
// That no request fails and no byte differs is always asserted. Times are
// printed, and asserted only with EVENKEEL_TIMING=1: a machine that does other
// things meanwhile proves nothing about 2 ms.
func TestInferenceUndisturbed(t *testing.T) {
	upstream := newUpstream(t)
	baseline := buildBaseline(t)
	up, slow, full := &condition{name: "up"}, &condition{name: "slow"}, &condition{name: "full"}
	up.endpoint, slow.endpoint, full.endpoint = acknowledging(t, &up.sent), silent(t, &slow.sent), refusing(t, &full.sent)
	down := &condition{name: "down", endpoint: "http://" + ports.Addr(closedPort(t))}
	conditions := []*condition{up, down, slow, full}
	for _, c := range conditions {
		c.startAgent(t, upstream.URL, baseline)
	}
	bodies := requestBodies(t)
	answers := make([][]byte, len(bodies))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: undisturbedWorkers}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for i, body := range bodies { // what the model server answers without an agent
		var err error
		if answers[i], _, err = infer(client, upstream.URL, body); err != nil {
			t.Fatal(err)
		}
	}

	var turn atomic.Int64
	var wg sync.WaitGroup
	for range undisturbedWorkers {
		wg.Go(func() {
			for {
				n := int(turn.Add(1)) - 1
				if n >= undisturbedRequests*len(conditions) {
					return
				}
				i := n / len(conditions) % len(bodies)
				conditions[n%len(conditions)].ask(client, bodies[i], answers[i])
			}
		})
	}
	wg.Wait()
	report(t, conditions)
	for _, c := range []*condition{up, slow, full} {
		if c.sent.Load() == 0 {
			t.Errorf("the agent before a collector that is %s sent nothing: nothing was shown", c.name)
		}
	}
}

func report(t *testing.T, conditions []*condition) {
	t.Helper()
	up := conditions[0].quantile(0.99)
	for _, c := range conditions {
		if len(c.took) != undisturbedRequests || c.failed > 0 || c.differed > 0 {
			t.Errorf("collector %s: %d requests, %d failed, %d with a differing byte; first: %v",
				c.name, len(c.took), c.failed, c.differed, c.first)
		}
		p99 := c.quantile(0.99)
		t.Logf("collector %-4s  p50 %-10s p99 %-10s  %+.3f ms against up", c.name, c.quantile(0.5), p99, float64(p99-up)/1e6)
		if os.Getenv("EVENKEEL_TIMING") == "1" && p99-up > p99Margin {
			t.Errorf("collector %s: p99 is %s, more than %s above %s with the collector up", c.name, p99, p99Margin, up)
		}
	}
}

// condition is one agent and the state of its collector.
type condition struct {
	name     string
	endpoint string       // of the collector
	url      string       // of the agent
	sent     atomic.Int64 // requests, or connections where none is answered, that the collector got

	mu       sync.Mutex
	took     []time.Duration
	failed   int
	differed int
	first    error // failure or difference
}

// startAgent runs a real agent with short windows, so that there is always
// something that it wants to send.
func (c *condition) startAgent(t *testing.T, upstream, baseline string) {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	text, err := json.Marshal(map[string]any{ // JSON is YAML
		"system": "loan-approval", "state": filepath.Join(folder, "state"),
		"listen": ports.Addr(free.Inference), "admin": map[string]any{"listen": ports.Addr(free.Admin)}, "upstream": upstream,
		"models": []any{map[string]any{
			"name": modelserver.LoanModel, "baseline": baseline,
			"outcome":   map[string]any{"output": "approved", "favourable": map[string]any{"values": []string{"1"}}},
			"protected": []any{map[string]any{"attribute": "gender", "reference": "male"}},
		}},
		"window": map[string]any{"length": "1s"}, "heartbeat": "1s",
		"export":       map[string]any{"endpoint": c.endpoint, "timeout": "1s", "metrics_every": "1s"},
		"stop_timeout": "1s",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "agent.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "evenkeel-agent", "run", "--config", path)
	eventually(t, 30*time.Second, "the agent before a collector that is "+c.name+" is ready", func() bool {
		select {
		case err := <-p.done:
			t.Fatalf("the agent ended: %v", err)
		default:
		}
		resp, err := http.Get("http://" + ports.Addr(free.Admin) + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	c.url = "http://" + ports.Addr(free.Inference)
	t.Cleanup(func() {
		_ = p.Process.Signal(os.Interrupt) // an error means that it has ended
		if err := p.wait(t, 20*time.Second); err != nil {
			t.Errorf("the agent before a collector that is %s ended with %v", c.name, err)
		}
	})
}

// ask makes one request and holds the answer against the model server's own.
func (c *condition) ask(client *http.Client, body, want []byte) {
	begun := time.Now()
	got, received, err := infer(client, c.url, body)
	took := time.Since(begun)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, took)
	switch {
	case err != nil:
		c.failed++
	case !bytes.Equal(got, want) || received != digest(body):
		c.differed++
		err = fmt.Errorf("asked %s\nanswered %s\nwanted %s", body, got, want)
	}
	if err != nil && c.first == nil {
		c.first = err
	}
}

func (c *condition) quantile(q float64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[int(q*float64(len(c.took)-1))]
}

// infer gives the answer and the digest of the request that the model server
// has received.
func infer(client *http.Client, base string, body []byte) (answer []byte, received string, err error) {
	resp, err := client.Post(base+"/v2/models/"+modelserver.LoanModel+"/infer", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s: %s", resp.Status, answer)
	}
	return answer, resp.Header.Get(bodyDigest), err
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// newUpstream is the demo's model server, which also tells what it received.
func newUpstream(t *testing.T) *httptest.Server {
	t.Helper()
	inner := modelserver.Handler(modelserver.NewLoan(modelserver.Sound()), slog.New(slog.DiscardHandler))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set(bodyDigest, digest(raw))
		r.Body = io.NopCloser(bytes.NewReader(raw))
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// requestBodies are requests of one to many rows.
func requestBodies(t *testing.T) [][]byte {
	t.Helper()
	source := applicants.New(17)
	bodies := make([][]byte, undisturbedBodies)
	for i := range bodies {
		request := modelserver.Request{ID: strconv.Itoa(i)}
		for _, c := range applicants.Table(source.Take(1 + i%8)) {
			request.Inputs = append(request.Inputs, tensor(c))
		}
		raw, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		bodies[i] = raw
	}
	return bodies
}

func tensor(c signal.Column) modelserver.Tensor {
	if c.Strings != nil {
		return modelserver.Texts(string(c.Name), c.Strings, c.Missing)
	}
	return modelserver.Numbers(string(c.Name), c.Numbers)
}

// buildBaseline writes reference data as CSV and lets the command line make
// the baseline of it.
func buildBaseline(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	input, output := filepath.Join(folder, "reference.csv"), filepath.Join(folder, "baseline.json")
	writeDecisions(t, input, applicants.New(3).Take(2000), modelserver.Sound(), nil, modelserver.Sound())
	run(t, "evenkeel", "baseline", "build", "--input", input, "--output", output, "--model", modelserver.LoanModel, "--version", "1",
		"--outcome", "approved", "--favourable", "1", "--protected", "gender", "--reference", "gender=male")
	return output
}

// The collector's four states.

func acknowledging(t *testing.T, sent *atomic.Int64) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer: everything was taken
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func refusing(t *testing.T, sent *atomic.Int64) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the spool is full", http.StatusTooManyRequests)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// silent takes connections and never answers.
func silent(t *testing.T, sent *atomic.Int64) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break // closed: the test is over
			}
			sent.Add(1)
			open = append(open, c)
		}
		for _, c := range open {
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

// closedPort is one where nothing listens.
func closedPort(t *testing.T) int {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free.HTTP
}
