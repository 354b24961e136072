package faults

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// server is a ClickHouse that the collector reaches over a gate.
type server struct {
	*gate
	store *clickhouse.Store // around the gate
	lines string            // for the collector's configuration
}

// startServer starts an engine with a gate before it.
func startServer(t *testing.T) *server {
	t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	e, err := engine.Start(ctx, engine.Options{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	o := clickhouse.Options{Dial: e.DialContext, User: e.User(), Password: e.Password(), Database: "evenkeel"}
	if err := clickhouse.Migrate(ctx, o); err != nil {
		t.Fatal(err)
	}
	s := &server{gate: openGate(t, e.DialContext)}
	if s.store, err = clickhouse.Open(ctx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(e.Password()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.lines = fmt.Sprintf("clickhouse: {addr: \"http://%s\", user: %s, password_file: %s, timeout: 2s}", s.addr(), e.User(), password)
	return s
}

// newSiteAt makes a collector that stores in a server.
func newSiteAt(t *testing.T, server *server, lines ...string) *site {
	t.Helper()
	s := newSite(t, append(lines, server.lines)...)
	s.server = server
	return s
}

// mood is what a gate does with a connection.
type mood int

const (
	open   mood = iota // lets everything pass
	closed             // ends connections at once
	silent             // takes what comes and answers nothing
	deaf               // lets questions pass, and cuts the connection at the first byte of an answer
)

// gate is a TCP proxy whose mood holds for connections that there are, too.
type gate struct {
	listener net.Listener
	dial     func(context.Context, string) (net.Conn, error)
	wg       sync.WaitGroup

	mu      sync.Mutex
	mood    mood
	changed chan struct{} // closed and renewed with each change
	conns   map[net.Conn]bool
	shut    bool
}

func openGate(t *testing.T, dial func(context.Context, string) (net.Conn, error)) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, dial: dial, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	g.wg.Go(g.accept)
	t.Cleanup(func() {
		_ = l.Close()
		g.set(closed, true)
		g.wg.Wait()
	})
	return g
}

func (g *gate) addr() string { return g.listener.Addr().String() }

// be changes the mood.
func (g *gate) be(m mood) { g.set(m, false) }

func (g *gate) set(m mood, shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mood, g.shut = m, g.shut || shut
	close(g.changed)
	g.changed = make(chan struct{})
	if m != closed {
		return
	}
	for c := range g.conns {
		_ = c.Close()
	}
}

func (g *gate) now() (mood, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mood, g.changed
}

func (g *gate) accept() {
	for {
		c, err := g.listener.Accept()
		if err != nil {
			return
		}
		if !g.keep(c) {
			continue
		}
		g.wg.Go(func() { g.serve(c) })
	}
}

// keep notes a connection, unless connections are ended at once.
func (g *gate) keep(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mood == closed || g.shut {
		_ = c.Close()
		return false
	}
	g.conns[c] = true
	return true
}

func (g *gate) drop(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	_ = c.Close()
}

func (g *gate) serve(client net.Conn) {
	defer g.drop(client)
	inner, err := g.dial(context.Background(), "")
	if err != nil || !g.keep(inner) {
		return
	}
	defer g.drop(inner)
	var both sync.WaitGroup
	both.Go(func() { g.copy(inner, client, false); _ = inner.Close(); _ = client.Close() })
	both.Go(func() { g.copy(client, inner, true); _ = inner.Close(); _ = client.Close() })
	both.Wait()
}

// copy passes bytes on as the mood says, until an end is closed.
func (g *gate) copy(to io.Writer, from io.Reader, answers bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			m, changed := g.now()
			for m == silent {
				<-changed
				m, changed = g.now()
			}
			if m == closed || m == deaf && answers {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
