package tap_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// serve runs a handler on a real port until the test ends and gives its URL.
func serve(t testing.TB, h http.Handler) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := tap.NewServer(h, 0, slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(l); err != http.ErrServerClosed {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// harness is a tap in front of a model server, on real ports.
type harness struct {
	t      testing.TB
	tap    *tap.Tap
	url    string
	client *http.Client
}

func isInfer(r *http.Request) (string, bool) {
	return "loans", r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/infer")
}

func newHarness(t testing.TB, upstream *url.URL, change func(*tap.Options)) *harness {
	t.Helper()
	o := tap.Options{Upstream: upstream, Wanted: isInfer, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	p, err := tap.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &harness{t: t, tap: p, url: serve(t, p).String(), client: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// drain consumes until the test ends, or stop is called.
func (h *harness) drain(consume func(*tap.Exchange)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.tap.Drain(ctx, consume)
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	h.t.Cleanup(stop)
	return stop
}

func (h *harness) post(path, body string) (status int, answer string, err error) {
	r, err := h.client.Post(h.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

func (h *harness) infer(body string) (status int, answer string) {
	h.t.Helper()
	status, answer, err := h.post("/v2/models/loans/infer", body)
	if err != nil {
		h.t.Fatal(err)
	}
	return status, answer
}

// until polls a condition that another goroutine brings about.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// idle checks the account when all requests have ended: every one is captured
// or dropped, and no memory is held.
func (h *harness) idle(seen uint64) tap.Counts {
	h.t.Helper()
	var c tap.Counts
	until(h.t, "all requests to end, the account to add up, and all memory to come back", func() bool {
		s := h.tap.Stats()
		c = h.tap.Counts("loans")
		return c.Seen+c.Failed == seen && c.Captured+c.Dropped() == c.Seen && s.Held == 0 && s.Waiting == 0
	})
	if n := h.tap.Stats().Panics; n != 0 {
		h.t.Errorf("%d panics", n)
	}
	return c
}

// echo reads all before it answers, as HTTP/1.1 servers do.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}
