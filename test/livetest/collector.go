package livetest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/config"
)

// startLimit is how long a step of starting may take on a busy machine.
const startLimit = time.Minute

// Collector is a running collector on loopback, with the embedded engine on a
// folder of its own.
type Collector struct {
	GRPC string // host:port of OTLP/gRPC
	HTTP string // host:port of OTLP/HTTP
	API  string // base URL of the page and the API

	config collector.Config
	cancel context.CancelFunc
	done   chan error
	stop   sync.Once
	log    lockedBuffer
}

// StartCollector starts one and waits until it is ready. change may be nil; it
// sees the configuration before it is used. The collector is stopped when the
// test ends, if it was not before.
func StartCollector(t testing.TB, change func(*collector.Config)) *Collector {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	s := &Collector{
		GRPC: ports.Addr(free.GRPC), HTTP: ports.Addr(free.HTTP), API: "http://" + ports.Addr(free.API),
		config: collector.Default(), done: make(chan error, 1),
	}
	s.config.Data = t.TempDir()
	s.config.OTLP.GRPC.Listen, s.config.OTLP.HTTP.Listen = s.GRPC, s.HTTP
	s.config.API.Listen = ports.Addr(free.API)
	s.config.StopTimeout = config.Duration(30 * time.Second)
	if change != nil {
		change(&s.config)
	}
	if err := s.config.Validate("the test's collector"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	go func() { s.done <- collector.Run(ctx, s.config, log) }()
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("the collector's log:\n%s", s.log.String())
		}
	})
	Eventually(t, startLimit, "the collector is ready", func() bool {
		select {
		case err := <-s.done:
			s.done <- err // for Stop
			t.Fatalf("the collector ended: %v", err)
		default:
		}
		return Answers(s.API + "/readyz")
	})
	return s
}

// Stop ends the collector as a person would: what it acknowledged is stored
// before it goes. Stopping twice does nothing.
func (s *Collector) Stop(t testing.TB) {
	t.Helper()
	s.stop.Do(func() {
		s.cancel()
		if err := <-s.done; err != nil {
			t.Errorf("the collector ended with %v", err)
		}
	})
}

// Open stops the collector, checks that nothing waits in its spool any more and
// that nothing was put aside there, and opens its data with an engine of the
// test's own.
func (s *Collector) Open(t testing.TB) *clickhouse.Store {
	t.Helper()
	s.Stop(t)
	s.nothingWaits(t)
	ctx := context.Background()
	e, err := engine.Start(ctx, engine.Options{Dir: filepath.Join(s.config.Data, "engine"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(ctx); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	store, err := clickhouse.Open(ctx, clickhouse.Options{
		Dial: e.DialContext, User: e.User(), Password: e.Password(), Database: s.config.ClickHouse.Database,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func (s *Collector) nothingWaits(t testing.TB) {
	t.Helper()
	o := spool.Default()
	o.Folder = filepath.Join(s.config.Data, "spool")
	sp, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sp.Close() }()
	if n := sp.Stats().Records; n > 0 {
		t.Errorf("%d requests still wait in the spool", n)
	}
	aside, err := filepath.Glob(filepath.Join(o.Folder, "quarantine", "*"))
	if err != nil || len(aside) > 0 {
		t.Errorf("put aside in the spool: %v, %v", aside, err)
	}
}

// Log is what the collector has logged so far.
func (s *Collector) Log() string { return s.log.String() }

// Answers says whether a GET of the address gives 200.
func Answers(url string) bool {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Eventually asks until ok, and fails the test after the limit.
func Eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
