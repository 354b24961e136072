package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// The load of the benchmarks of large bodies: tensors of 100 by 100 numbers, about
// 100 KB, over 16 connections.
const (
	loadSide        = 100
	loadConnections = 16
)

// BenchmarkLargeBodiesBelowCeiling sends tensors of 100 KB (Open Inference
// Protocol V2), by turns through the agent, which may use a tenth of a core for
// profiling, and through httputil.ReverseProxy. It warms up until the ceiling
// has been reached. ratio is the median over all rounds of the requests per
// second, the agent's over ReverseProxy's; profiled is the share of the requests
// whose rows were counted, cores what profiling used.
func BenchmarkLargeBodiesBelowCeiling(b *testing.B) {
	const each = 400 // requests of a connection in a turn
	server := loadServer(b)
	c := loadConfig(b, server)
	c.Sample.MaxCPU = 0.1
	a := startLoadAgent(b, c)
	ours, plain := loadClients(b, a.Addr()), loadClients(b, strings.TrimPrefix(plainProxy(b, server), "http://"))
	for begin := time.Now(); time.Since(begin) < 3*time.Second; {
		loadTurn(b, ours, each, nil)
		loadTurn(b, plain, each, nil)
	}
	before, used, begin := a.captured(a.plan().inOrder()[0].monitored), a.ceiling.Used(), time.Now()
	counted := loadRows(a)
	compareTurns(b, each, func() time.Duration { return loadTurn(b, ours, each, nil) }, func() time.Duration { return loadTurn(b, plain, each, nil) })
	took := time.Since(begin).Nanoseconds()
	seen := a.captured(a.plan().inOrder()[0].monitored).Seen - before.Seen
	b.ReportMetric(float64(loadRows(a)-counted)/loadSide/float64(seen), "profiled")
	b.ReportMetric(float64(a.ceiling.Used()-used)/float64(took), "cores")
}

// BenchmarkLargeBodiesAgainstReadAll sends the same through the agent, which
// profiles every request, and through a proxy that reads bodies whole, decodes
// them with encoding/json and counts them in the same windows. A turn ends when
// all its requests are counted.
func BenchmarkLargeBodiesAgainstReadAll(b *testing.B) {
	const each = 10 // requests of a connection in a turn: all fit the queue
	server := loadServer(b)
	c := loadConfig(b, server)
	a := startLoadAgent(b, c)
	rival := startReadAll(b, server, a.windowOptions(c, a.plan().inOrder()[0].monitored))
	ours, theirs := loadClients(b, a.Addr()), loadClients(b, rival.address)
	turn := func() time.Duration { return loadTurn(b, ours, each, func() { waitCounted(a) }) }
	other := func() time.Duration { return loadTurn(b, theirs, each, rival.waiting.Wait) }
	turn()
	other()
	compareTurns(b, each, turn, other)
	seen := a.captured(a.plan().inOrder()[0].monitored).Seen
	b.ReportMetric(float64(loadRows(a))/loadSide/float64(seen), "profiled")
	if x, y := loadRows(a), rival.rows(); x != y {
		b.Errorf("the agent counted %d rows, the rival %d", x, y)
	}
}

// compareTurns times both by turns and reports the median ratio of their requests
// per second.
func compareTurns(b *testing.B, each int, ours, theirs func() time.Duration) {
	var ratios []float64
	var our, their time.Duration
	for b.Loop() {
		x, y := ours(), theirs()
		our, their = our+x, their+y
		ratios = append(ratios, y.Seconds()/x.Seconds())
	}
	slices.Sort(ratios)
	requests := float64(len(ratios)) * loadConnections * float64(each)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(requests/our.Seconds(), "ours-req/s")
	b.ReportMetric(requests/their.Seconds(), "rival-req/s")
}

func loadRows(a *Agent) (n uint64) {
	waitCounted(a)
	for _, p := range a.plan().profilers() {
		n += p.Totals().Rows
	}
	return n
}

// loadTurn has every client send its requests and gives the time until all are
// answered, and what follows has returned.
func loadTurn(b *testing.B, clients []*loadClient, each int, follow func()) time.Duration {
	begin := time.Now()
	errs := make([]error, len(clients))
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() { errs[i] = c.send(each) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	if follow != nil {
		follow()
	}
	return time.Since(begin)
}

// loadClient is one connection that costs little.
type loadClient struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func loadClients(b *testing.B, address string) []*loadClient {
	body := loadBody()
	head := fmt.Sprintf("POST /v2/models/loans/infer HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	out := make([]*loadClient, loadConnections)
	for i := range out {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		out[i] = &loadClient{conn, bufio.NewReader(conn), append([]byte(head), body...)}
	}
	return out
}

func (c *loadClient) send(n int) error {
	for range n {
		if _, err := c.conn.Write(c.request); err != nil {
			return err
		}
		answer, err := http.ReadResponse(c.in, nil)
		if err != nil {
			return err
		}
		if length, err := io.Copy(io.Discard, answer.Body); err != nil || length != int64(len(loadAnswer)) || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s, %d bytes, %w", answer.Status, length, err)
		}
	}
	return nil
}

func loadFeature(i int) signal.FeatureName {
	return signal.FeatureName(fmt.Sprintf("feature_%02d", i))
}

// loadBody is a tensor of 100 rows and columns, written as numpy's tolist would.
func loadBody() []byte {
	var s bytes.Buffer
	fmt.Fprintf(&s, `{"inputs":[{"name":"x","shape":[%d,%d],"datatype":"FP64","data":[`, loadSide, loadSide)
	for i := range loadSide * loadSide {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, "%.7f", 4*math.Abs(math.Sin(float64(i))))
	}
	s.WriteString(`]}]}`)
	return s.Bytes()
}

var loadAnswer = func() string {
	ones := strings.TrimSuffix(strings.Repeat("1,", loadSide), ",")
	return fmt.Sprintf(`{"model_name":"loans","model_version":"1","outputs":[{"name":"approved","datatype":"INT64","shape":[%d],"data":[%s]}]}`, loadSide, ones)
}()

// loadServer is a model that costs nothing.
func loadServer(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, loadAnswer)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

func loadConfig(b *testing.B, upstream string) *agentconfig.Config {
	c := agentconfig.Default()
	c.File = "agent.yaml"
	c.System, c.Environment, c.State = "loan-approval", "bench", b.TempDir()
	c.Listen, c.Admin.Listen, c.Upstream = "127.0.0.1:0", "127.0.0.1:0", upstream
	m := agentconfig.Model{Name: "loans", Baseline: benchBaseline(b), Outcome: agentconfig.Outcome{Output: "approved", Favourable: agentconfig.Favourable{Values: []string{"1"}}}}
	m.Inputs.Columns = map[string][]signal.FeatureName{"x": nil}
	for i := range loadSide {
		m.Inputs.Columns["x"] = append(m.Inputs.Columns["x"], loadFeature(i))
	}
	c.Models = []agentconfig.Model{m}
	c.Export.Endpoint = receiveNothing(b)
	c.StopTimeout = config.Duration(2 * time.Second)
	return c
}

func benchBaseline(b *testing.B) string {
	base := &signal.Baseline{Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 4000}
	for i := range loadSide {
		f := signal.FeatureBaseline{Name: loadFeature(i), Target: signal.TargetFeature, Kind: signal.Numeric, N: 4000, Sum: 8000, SumSquares: 21000, Max: 4}
		for cell := range 40 {
			if cell < 39 {
				f.Grid = append(f.Grid, float64(cell+1)/10)
			}
			if cell%4 == 3 && cell < 39 {
				f.Deciles = append(f.Deciles, cell)
			}
			f.Counts = append(f.Counts, 100)
		}
		base.Features = append(base.Features, f)
	}
	base.Features = append(base.Features,
		signal.FeatureBaseline{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: []uint64{2000, 2000}, N: 4000})
	raw, err := canonical.JSON(base)
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "baseline.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func startLoadAgent(b *testing.B, c *agentconfig.Config) *Agent {
	a, err := Start(context.Background(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.Stop(); err != nil {
			b.Error(err)
		}
	})
	return a
}

// readAll is a proxy as one writes it first: it reads the request whole, asks the
// model server, reads the answer whole and passes it on. Then it decodes both with
// encoding/json, beside the next requests, and counts the rows.
type readAll struct {
	address string
	windows *window.Set
	waiting sync.WaitGroup
	busy    chan struct{} // bounds what is decoded at once
}

func startReadAll(b *testing.B, upstream string, o window.Options) *readAll {
	o.Sink, o.Carries, o.Capture = func(*window.Closed) {}, nil, nil
	o.Model.Version = "1"
	windows, err := window.NewSet([]window.Options{o})
	if err != nil {
		b.Fatal(err)
	}
	r := &readAll{windows: windows, busy: make(chan struct{}, loadConnections)}
	transport := &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256, DisableCompression: true}
	client := &http.Client{Transport: transport}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		request, err := io.ReadAll(in.Body)
		if err != nil {
			return
		}
		out, err := http.NewRequestWithContext(in.Context(), in.Method, upstream+in.URL.Path, bytes.NewReader(request))
		if err != nil {
			return
		}
		out.Header = in.Header.Clone()
		resp, err := client.Do(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return
		}
		r.waiting.Add(1)
		go func() {
			defer r.waiting.Done()
			r.busy <- struct{}{}
			r.count(request, answer)
			<-r.busy
		}()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(answer)
	}))
	r.address = s.Listener.Addr().String()
	b.Cleanup(func() { s.Close(); transport.CloseIdleConnections(); r.waiting.Wait() })
	return r
}

// count makes of two bodies the observation that the agent makes of them.
func (r *readAll) count(request, answer []byte) {
	type tensor struct {
		Name  string    `json:"name"`
		Shape []int     `json:"shape"`
		Data  []float64 `json:"data"`
	}
	var in struct {
		ID     string   `json:"id"`
		Inputs []tensor `json:"inputs"`
	}
	var out struct {
		Version string   `json:"model_version"`
		Outputs []tensor `json:"outputs"`
	}
	if json.Unmarshal(request, &in) != nil || json.Unmarshal(answer, &out) != nil {
		return
	}
	rows, width := in.Inputs[0].Shape[0], in.Inputs[0].Shape[1]
	obs := &signal.Observation{Model: signal.ModelRef{Name: "loans", Version: out.Version}, Time: time.Now(), Rows: rows, Request: in.ID}
	for column := range width {
		values := make([]float64, rows)
		for row := range values {
			values[row] = in.Inputs[0].Data[row*width+column]
		}
		obs.Columns = append(obs.Columns, signal.Column{Name: loadFeature(column), Target: signal.TargetFeature, Numbers: values})
	}
	obs.Columns = append(obs.Columns, signal.Column{Name: "approved", Target: signal.TargetPrediction, Numbers: out.Outputs[0].Data})
	r.windows.Observe(obs)
}

func (r *readAll) rows() (n uint64) {
	for _, p := range r.windows.Profilers() {
		n += p.Totals().Rows
	}
	return n
}
