package tap

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a network in memory: a listener, and the dialer to it.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	dialed int
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.accept <- server
	p.dialed++
	return client, nil
}

// Accept waits for a dial.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (p *pipes) Close() error { close(p.closed); return nil }

// Addr is none.
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func newTapFor(t *testing.T, dial func(context.Context, string, string) (net.Conn, error)) *Tap {
	t.Helper()
	p, err := New(Options{
		Upstream: &url.URL{Scheme: "http", Host: "model"},
		Wanted:   func(*http.Request) (string, bool) { return "loans", true },
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.links.dial = dial
	return p
}

func inferVia(t *testing.T, p *Tap, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2/models/loans/infer", strings.NewReader(body)))
	if w.Code != http.StatusOK || w.Body.String() != body {
		t.Errorf("status %d, %d bytes of %d: %.100s", w.Code, w.Body.Len(), len(body), w.Body)
	}
}

// echoBody reads all before it answers.
func echoBody(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// A connection that the model server is about to close is not used any more,
// however close to its timeout the next request comes.
func TestIdleConnectionsAreGivenUpBeforeTheModelServerClosesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newPipes()
		server := &http.Server{Handler: http.HandlerFunc(echoBody), IdleTimeout: 2 * time.Second}
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(network) }()
		p := newTapFor(t, network.dial)
		wait := []time.Duration{
			0, 10 * time.Millisecond, 900 * time.Millisecond, // the same connection
			2*time.Second - time.Nanosecond, 2 * time.Second, 2*time.Second + time.Nanosecond, // a new one each
		}
		for _, idle := range wait {
			time.Sleep(idle) // of the bubble's clock
			inferVia(t, p, "body")
		}
		if network.dialed != 4 {
			t.Errorf("%d connections were made, want 4", network.dialed)
		}
		p.Close()
		_ = server.Close()
		<-done
	})
}

// brokenConn takes nothing any more once it broke.
type brokenConn struct {
	net.Conn
	broken *atomic.Bool
}

// Write fails without having written.
func (c brokenConn) Write(b []byte) (int, error) {
	if c.broken.CompareAndSwap(true, false) {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

// Where nothing was written on a connection that broke, the request is sent
// again, and counted once.
func TestRequestIsSentAgainWhereNothingWasWritten(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echoBody))
	defer server.Close()
	var broken atomic.Bool
	p := newTapFor(t, func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		return brokenConn{conn, &broken}, err
	})
	defer p.Close()
	requests := uint64(0)
	for _, size := range []int{1, 100, 5000, 70_000, 1 << 20} {
		inferVia(t, p, strings.Repeat("x", size))
		broken.Store(true) // the connection is in the pool now
		inferVia(t, p, strings.Repeat("y", size))
		if broken.Load() {
			t.Error("the connection was not used again")
		}
		requests += 2
	}
	if c := p.Counts("loans"); c.Seen != requests || c.Captured != requests {
		t.Errorf("%+v, want %d captured", c, requests)
	}
	for range requests {
		x := <-p.queue
		if string(x.Request.Body) != string(x.Response.Body) {
			t.Errorf("the copy of the request has %d bytes, the answer %d", len(x.Request.Body), len(x.Response.Body))
		}
	}
}

// A request that began to be written may be running: it is not sent again.
func TestRequestIsNotSentAgainWhereItMayHaveArrived(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		echoBody(w, r)
	}))
	defer server.Close()
	p := newTapFor(t, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	})
	defer p.Close()
	inferVia(t, p, "body")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2/models/loans/infer", strings.NewReader("body")))
	if w.Code != http.StatusBadGateway || served.Load() != 2 {
		t.Errorf("status %d, served %d times", w.Code, served.Load())
	}
}

// A request that has no effects and no body is repeated where the model server
// closed the connection instead of answering it; any other is not.
func TestOnlyHarmlessRequestsAreRepeated(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler) // instead of an answer
		}
		_, _ = io.WriteString(w, "here")
	}))
	defer server.Close()
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 502, "DELETE": 502} {
		served.Store(0)
		p := newTapFor(t, func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		})
		for i, status := range []int{200, want} {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequest(method, "/v2/models/loans", nil))
			if w.Code != status {
				t.Errorf("%s %d: status %d, want %d", method, i, w.Code, status)
			}
		}
		p.Close()
	}
}

// Not more connections are kept than MaxIdle, and none after Close.
func TestIdleConnectionsAreBounded(t *testing.T) {
	const together = 8
	var arrived sync.WaitGroup
	arrived.Add(together)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		arrived.Wait() // all are here at once
	}))
	defer server.Close()
	p := newTapFor(t, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	})
	p.links.maxIdle = 3
	var clients sync.WaitGroup
	for range together {
		clients.Go(func() {
			p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		})
	}
	clients.Wait()
	if idle, open := len(p.links.idle), len(p.links.open); idle != 3 || open != 3 {
		t.Errorf("%d idle of %d, want 3", idle, open)
	}
	p.Close()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if len(p.links.open) != 0 || w.Code != http.StatusBadGateway {
		t.Errorf("%d open after Close, status %d", len(p.links.open), w.Code)
	}
}
