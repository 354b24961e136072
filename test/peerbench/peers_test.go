package peerbench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// feed is how long telemetrygen sends in one turn.
const feed = 20 * time.Second

// load is one kind of telemetry, and where each collector puts it.
type load struct {
	name        string // of telemetrygen's command
	more        []string
	ours, peers string // tables
}

var loads = []load{
	{name: "logs", ours: "otel_logs", peers: "otel_logs"},
	{name: "metrics", more: []string{"--metric-type", "Gauge"}, ours: "samples", peers: "otel_metrics_gauge"},
}

// TestPeers prints, for each kind of telemetry, what both collectors stored and
// what it cost them, and fails where ours costs more than 0.6 of the peer's CPU
// for a million. Both are measured on a machine that has the generator and
// ClickHouse to run as well, so only the ratios mean something.
func TestPeers(t *testing.T) {
	if os.Getenv("EVENKEEL_PEERS") == "" {
		t.Skip("make bench-peers runs it: it builds an OpenTelemetry Collector first")
	}
	built := build(t)
	server := startServer(t)
	for _, l := range loads {
		t.Run(l.name, func(t *testing.T) {
			var ours, peer total
			for range 2 { // by turns, so that a slow minute hits both
				ours.add(built.measure(t, server, l, (*programs).startOurs, l.ours))
				peer.add(built.measure(t, server, l, (*programs).startPeer, l.peers))
			}
			t.Logf("ours  %s", ours)
			t.Logf("peer  %s", peer)
			cpu, rate := ours.cpuPerMillion()/peer.cpuPerMillion(), ours.rate()/peer.rate()
			t.Logf("ratio of CPU per million %.2f (at most 0.60), of throughput %.2f (at least 1)", cpu, rate)
			if cpu > 0.6 {
				t.Errorf("%s: %.2f of the peer's CPU", l.name, cpu)
			}
		})
	}
}

// total is what turns of one collector add up to.
type total struct {
	records   uint64
	took, cpu time.Duration
	resident  int64 // bytes, the most that was seen
}

func (s *total) add(o total) {
	s.records, s.took, s.cpu, s.resident = s.records+o.records, s.took+o.took, s.cpu+o.cpu, max(s.resident, o.resident)
}

func (s total) rate() float64 { return float64(s.records) / s.took.Seconds() }

func (s total) cpuPerMillion() float64 { return s.cpu.Seconds() / float64(s.records) * 1e6 }

func (s total) String() string {
	return fmt.Sprintf("%9d stored, %7.0f/s, %5.2f CPU seconds per million, %3d MiB resident", s.records, s.rate(), s.cpuPerMillion(), s.resident>>20)
}

// measure starts a collector, feeds it, waits until all is stored, and stops it.
func (p *programs) measure(t *testing.T, s *server, l load, start func(*programs, *testing.T, *server) *running, table string) total {
	t.Helper()
	c := start(p, t, s)
	defer c.stop(t)
	begin := time.Now()
	cpu := c.cpu(t)
	p.generate(t, l, c.listen)
	stored := s.settled(t, c.database, table)
	took := time.Since(begin) - settle
	out := total{records: stored, took: took, cpu: c.cpu(t) - cpu, resident: c.resident(t)}
	if stored == 0 {
		t.Fatalf("%s: nothing is stored", c.name)
	}
	return out
}

// generate runs telemetrygen for a turn.
func (p *programs) generate(t *testing.T, l load, listen string) {
	t.Helper()
	args := append([]string{l.name, "--otlp-insecure", "--otlp-endpoint", listen, "--rate", "0", "--workers", "2", "--duration", feed.String()}, l.more...)
	ctx, cancel := context.WithTimeout(t.Context(), feed+time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, p.telemetrygen, args...).CombinedOutput(); err != nil {
		t.Fatalf("telemetrygen: %v\n%s", err, out)
	}
}

// programs are the programs that are measured, built.
type programs struct{ ours, peer, telemetrygen, configuration string }

// build makes the programs. The module of the peer is not ours.
func build(t *testing.T) *programs {
	t.Helper()
	folder := t.TempDir()
	p := &programs{
		ours: filepath.Join(folder, "evenkeel-collector"), peer: filepath.Join(folder, "peers"), telemetrygen: filepath.Join(folder, "telemetrygen"),
	}
	var err error
	if p.configuration, err = filepath.Abs("../peers/peers.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"build", "-trimpath", "-o", p.ours, "../../cmd/evenkeel-collector"},
		{"build", "-C", "../peers", "-o", p.peer, "."},
		{"build", "-C", "../peers", "-o", p.telemetrygen, "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen"},
	} {
		if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	return p
}
