package ingest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
)

// stack is a server over a spool on disk, on free ports of loopback.
type stack struct {
	*Server
	stopServing func()

	spool    *spool.Spool
	health   *Health
	registry *prometheus.Registry
}

func openSpool(t testing.TB, folder string, change func(*spool.Options)) *spool.Spool {
	t.Helper()
	o := spool.Default()
	o.Folder = folder
	if change != nil {
		change(&o)
	}
	sp, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sp.Close(); err != nil {
			t.Errorf("close the spool: %v", err)
		}
	})
	return sp
}

func serve(t testing.TB, change func(*ServerOptions), changeSpool func(*spool.Options)) *stack {
	t.Helper()
	sp := openSpool(t, t.TempDir(), changeSpool)
	registry := prometheus.NewRegistry()
	health, err := NewHealth(registry, sp)
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultServerOptions()
	o.GRPC, o.HTTP = "127.0.0.1:0", "127.0.0.1:0"
	o.Limits.MaxAge = 0 // noon may be long ago
	if change != nil {
		change(&o)
	}
	s, err := Listen(context.Background(), o, sp, health)
	if err != nil {
		t.Fatal(err)
	}
	return &stack{Server: s, stopServing: run(t, s.Run), spool: sp, health: health, registry: registry}
}

// run runs a part until the test ends, and waits for it.
func run(t testing.TB, part func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- part(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func (s *stack) logsClient(t testing.TB) plogotlp.GRPCClient {
	t.Helper()
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return plogotlp.NewGRPCClient(conn)
}

// spooled gives the records that wait.
func (s *stack) spooled(t testing.TB) []spool.Record {
	t.Helper()
	var out []spool.Record
	for {
		b, err := s.spool.Cut()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return out
		}
		out = append(out, b.Records...)
	}
}

// metricValue sums a metric of our own over its labels.
func (s *stack) metricValue(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	metrics:
		for _, m := range f.GetMetric() {
			for i := 0; i+1 < len(labels); i += 2 {
				found := false
				for _, l := range m.GetLabel() {
					found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
				}
				if !found {
					continue metrics
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after 30 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// oneLog is a request with one record of the given body.
func oneLog(bodies ...string) plogotlp.ExportRequest {
	req, records := newLogs()
	for _, b := range bodies {
		records.AppendEmpty().Body().SetStr(b)
	}
	return req
}

// faulty stands in front of a real store and fails as told.
type faulty struct {
	store model.Writer

	hooks  sync.Mutex // one hook runs at a time
	mu     sync.Mutex
	before func(batch model.Batch) error // an error: the store is not reached
	after  func(batch model.Batch) error // an error: it was reached, the answer is lost
	doubts []model.Doubt
}

func (f *faulty) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	f.mu.Lock()
	before, after := f.before, f.after
	f.doubts = append(f.doubts, doubt)
	f.mu.Unlock()
	if before != nil {
		if err := f.hook(before, batch); err != nil {
			return err
		}
	}
	if err := f.store.Write(ctx, batch, rows, doubt); err != nil {
		return fmt.Errorf("the store itself: %w", err)
	}
	if after != nil {
		return f.hook(after, batch)
	}
	return nil
}

func (f *faulty) hook(run func(model.Batch) error, batch model.Batch) error {
	f.hooks.Lock()
	defer f.hooks.Unlock()
	return run(batch)
}

func (f *faulty) set(before, after func(model.Batch) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}
