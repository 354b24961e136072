package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// The load of BenchmarkThroughput: each turn, each connection sends so many
// requests one after another. A turn is long beside what the agent writes behind
// it: predictions go to the disk by the thousand.
const (
	speedConnections = 16
	speedRequests    = 400
	speedSettles     = 700 * time.Millisecond // until predictions that wait are on disk
)

// BenchmarkThroughput sends requests of 1 KB with ten features (Open Inference
// Protocol V2) over 16 connections, by turns through the whole agent and through
// httputil.ReverseProxy. The agent profiles every request against a baseline,
// compares groups, and tells every prediction. A turn of the agent's ends when
// all that was captured is counted; what it still has to write is waited for
// between the turns. ratio is the median over all rounds of the requests per
// second, the agent's over ReverseProxy's; cpu-ratio is the same of requests per
// second of processor time, client and model server included, which other
// programs on the machine disturb less; profiled is the share of the agent's
// requests whose rows were counted.
func BenchmarkThroughput(b *testing.B) {
	model := speedServer(b)
	a := speedAgent(b, model, receiveNothing(b), true)
	ours := speedClients(b, a.Addr())
	plain := speedClients(b, strings.TrimPrefix(plainProxy(b, model), "http://"))
	sent := uint64(0)
	turn := func() time.Duration {
		sent += speedConnections * speedRequests
		return timeTurn(b, ours, func() { waitCounted(a) })
	}
	turn() // connections are made, buffers and pools filled
	timeTurn(b, plain, nil)
	var ratios, cpu []float64
	var our, theirs time.Duration
	for b.Loop() {
		begin := processorTime()
		x := turn()
		time.Sleep(speedSettles)
		used := processorTime()
		y := timeTurn(b, plain, nil)
		our, theirs = our+x, theirs+y
		ratios = append(ratios, y.Seconds()/x.Seconds())
		cpu = append(cpu, (processorTime()-used).Seconds()/(used-begin).Seconds())
	}
	requests := float64(len(ratios)) * speedConnections * speedRequests
	b.ReportMetric(middle(ratios), "ratio")
	b.ReportMetric(middle(cpu), "cpu-ratio")
	b.ReportMetric(float64(rowsCounted(a))/float64(sent), "profiled")
	b.ReportMetric(requests/our.Seconds(), "ours-req/s")
	b.ReportMetric(requests/theirs.Seconds(), "plain-req/s")
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func middle(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// waitCounted waits until nothing that was captured waits to be counted.
func waitCounted(a *Agent) {
	for a.tap.Stats().Held > 0 {
		time.Sleep(50 * time.Microsecond)
	}
}

func rowsCounted(a *Agent) (n uint64) {
	waitCounted(a)
	for _, p := range a.plan().profilers() {
		n += p.Totals().Rows
	}
	return n
}

// timeTurn has every client send its requests and gives the time until all are
// answered, and what follows has returned.
func timeTurn(b *testing.B, clients []*speedClient, follow func()) time.Duration {
	begin := time.Now()
	errs := make([]error, len(clients))
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() { errs[i] = c.send(speedRequests) })
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

// speedClient is one connection that costs little: it is not what is measured.
type speedClient struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func speedClients(b *testing.B, address string) []*speedClient {
	out := make([]*speedClient, speedConnections)
	for i := range out {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		body := speedBody(i)
		head := fmt.Sprintf("POST /v2/models/loans/infer HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\n"+
			"User-Agent: python-requests/2.32\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\nContent-Length: %d\r\n\r\n", len(body))
		out[i] = &speedClient{conn, bufio.NewReader(conn), append([]byte(head), body...)}
	}
	return out
}

func (c *speedClient) send(n int) error {
	for range n {
		if _, err := c.conn.Write(c.request); err != nil {
			return err
		}
		length, status := 0, ""
		for {
			line, err := c.in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if status == "" {
				status = string(line)
			}
			if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				for _, d := range bytes.TrimSpace(value) {
					length = 10*length + int(d-'0')
				}
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := c.in.Discard(length); err != nil {
			return err
		}
		if length != len(speedAnswer) || !strings.HasPrefix(status, "HTTP/1.1 200") {
			return fmt.Errorf("%d bytes, %s", length, status)
		}
	}
	return nil
}

// speedBody is a request of one row: ten features, of which one is a group.
func speedBody(i int) []byte {
	var s strings.Builder
	fmt.Fprintf(&s, `{"id":"request-of-connection-%02d","parameters":{"content_type":"pd"},"inputs":[`, i)
	for f := range 9 {
		fmt.Fprintf(&s, `{"name":"feature_of_applicant_%d","shape":[1,1],"datatype":"FP64","data":[%.6f]},`, f, float64((i*9+f)%40)/10+0.05)
	}
	fmt.Fprintf(&s, `{"name":"gender","shape":[1,1],"datatype":"BYTES","data":[%q]}],"outputs":[{"name":"approved"}]}`, []string{"female", "male"}[i%2])
	for s.Len() < 1<<10 {
		s.WriteByte(' ')
	}
	return []byte(s.String())
}

const speedAnswer = `{"model_name":"loans","model_version":"1","outputs":[{"name":"approved","datatype":"INT64","shape":[1,1],"data":[1]},{"name":"probability","datatype":"FP64","shape":[1,1],"data":[0.73]}]}`

// speedServer is a model that costs nothing.
func speedServer(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, speedAnswer)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// plainProxy is what a careful user of httputil.ReverseProxy would run.
func plainProxy(b *testing.B, upstream string) string {
	target, err := url.Parse(upstream)
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256, DisableCompression: true}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:    func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport:  transport,
		BufferPool: &speedBuffers{},
	})
	b.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	return s.URL
}

type speedBuffers struct{ sync.Pool }

// Get lends memory for a copy.
func (p *speedBuffers) Get() []byte {
	if b, ok := p.Pool.Get().(*[32 << 10]byte); ok {
		return b[:]
	}
	return make([]byte, 32<<10)
}

// Put takes it back.
func (p *speedBuffers) Put(b []byte) { p.Pool.Put((*[32 << 10]byte)(b)) }

// receiveNothing takes OTLP requests and reads them to their end.
func receiveNothing(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// speedAgent is an agent with all that a tabular model can have, that profiles
// every request, and tells every prediction or none.
func speedAgent(b *testing.B, upstream, endpoint string, tells bool) *Agent {
	c := agentconfig.Default()
	c.File = "agent.yaml"
	c.System, c.Environment, c.State = "loan-approval", "bench", b.TempDir()
	c.Listen, c.Admin.Listen, c.Upstream = "127.0.0.1:0", "127.0.0.1:0", upstream
	c.Models = []agentconfig.Model{{
		Name:      "loans",
		Baseline:  speedBaseline(b),
		Outcome:   agentconfig.Outcome{Output: "approved", Score: "probability", Favourable: agentconfig.Favourable{Values: []string{"1"}}},
		Protected: []agentconfig.Protected{{Attribute: "gender"}},
	}}
	if tells {
		c.Models[0].Predictions = agentconfig.Predictions{Send: true, Groups: []signal.FeatureName{"gender"}, LawfulBasis: "a law"}
	}
	c.Export.Endpoint = endpoint
	c.StopTimeout = config.Duration(2 * time.Second)
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

func speedBaseline(b *testing.B) string {
	numeric := func(t signal.Target, name string) signal.FeatureBaseline {
		f := signal.FeatureBaseline{
			Name: signal.FeatureName(name), Target: t, Kind: signal.Numeric,
			N: 4000, Sum: 8000, SumSquares: 21000, Max: 4,
		}
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
	base := &signal.Baseline{
		Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 4000,
		Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male", Declared: true, Counts: []signal.GroupCount{
			{Group: "female", Favourable: 1000, Total: 2000}, {Group: "male", Favourable: 1000, Total: 2000},
		}}},
	}
	for i := range 9 {
		base.Features = append(base.Features, numeric(signal.TargetFeature, fmt.Sprintf("feature_of_applicant_%d", i)))
	}
	base.Features = append(base.Features,
		signal.FeatureBaseline{Name: "gender", Target: signal.TargetFeature, Kind: signal.Categorical, Categories: []string{"female", "male"}, Counts: []uint64{2000, 2000}, N: 4000},
		signal.FeatureBaseline{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: []uint64{2000, 2000}, N: 4000},
		numeric(signal.TargetPrediction, "probability"))
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
