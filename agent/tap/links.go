package tap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"sync"
	"time"
)

// links are the HTTP/1.1 connections to the model server. A request is written
// and its answer read on the goroutine that serves the client, where net/http's
// own transport hands both to goroutines of the connection: that is most of what
// a proxy costs with small bodies. It also leaves the connection in our hands
// when a client stops to speak (see link.leave).
type links struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	secure  *tls.Config // nil: plain text
	address string
	bound   time.Duration // of connecting
	stall   time.Duration // bound of writing nothing
	idleFor time.Duration
	maxIdle int
	feeding sync.WaitGroup // requests that are still read though they may be answered

	mu       sync.Mutex
	open     map[*link]struct{} // all, until they are closed
	idle     []*link            // those without a request; the one used last stands last
	sweeping bool
	closed   bool
}

func newLinks(o *Options) *links {
	return &links{
		dial:    dialer(o).DialContext,
		secure:  secureFor(o, "http/1.1"),
		address: hostPort(o.Upstream),
		bound:   o.DialTimeout,
		stall:   o.StallTimeout,
		idleFor: o.IdleTimeout,
		maxIdle: o.MaxIdle,
		open:    map[*link]struct{}{},
	}
}

func dialer(o *Options) *net.Dialer {
	return &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 30 * time.Second}
}

// secureFor gives the TLS settings of an https upstream; nil: it is none.
func secureFor(o *Options, protocol string) *tls.Config {
	if o.Upstream.Scheme != "https" {
		return nil
	}
	c := o.TLS.Clone()
	if c == nil {
		c = &tls.Config{}
	}
	if c.ServerName == "" {
		c.ServerName = o.Upstream.Hostname()
	}
	c.NextProtos = []string{protocol}
	return c
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// get gives a connection; used says that others have had it before.
func (p *links) get() (l *link, used bool, err error) {
	for {
		if l = p.takeIdle(); l == nil {
			break
		}
		if l.isQuiet() {
			return l, true, nil
		}
		p.discard(l)
	}
	l, err = p.connect()
	return l, false, err
}

// takeIdle gives the connection that was used last: the others may grow old.
func (p *links) takeIdle() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) - 1
	if n < 0 || time.Since(p.idle[n].since) >= p.idleFor {
		return nil // what is too old is the sweeper's
	}
	l := p.idle[n]
	p.idle[n] = nil
	p.idle = p.idle[:n]
	return l
}

var errClosed = errors.New("the proxy has been closed")

// connect is bounded by DialTimeout, and not by the client: whoever has stopped
// to speak may still listen.
func (p *links) connect() (*link, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.bound)
	defer cancel()
	conn, err := p.dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	moving := &steady{Conn: conn, bound: p.stall}
	l := newLink(conn)
	l.conn = moving
	if p.secure != nil {
		secured := tls.Client(moving, p.secure)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		l.conn = secured
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = l.conn.Close()
		return nil, errClosed
	}
	p.open[l] = struct{}{}
	return l, nil
}

// put takes a connection back whose answer has been read to its end.
func (p *links) put(l *link) {
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < p.maxIdle
	if keep {
		l.since = time.Now()
		p.idle = append(p.idle, l)
		if !p.sweeping {
			p.sweeping = true
			time.AfterFunc(p.idleFor, p.sweep)
		}
	}
	p.mu.Unlock()
	if !keep {
		p.discard(l)
	}
}

func (p *links) discard(l *link) {
	p.mu.Lock()
	delete(p.open, l)
	p.mu.Unlock()
	_ = l.conn.Close() // there is nothing left to lose on it
}

// sweep closes the connections that have been idle for too long, and comes again
// while there are others.
func (p *links) sweep() {
	p.mu.Lock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].since) >= p.idleFor {
		old++
	}
	gone := append([]*link(nil), p.idle[:old]...)
	n := copy(p.idle, p.idle[old:])
	clear(p.idle[n:])
	p.idle = p.idle[:n]
	if p.sweeping = n > 0; p.sweeping {
		time.AfterFunc(p.idleFor-time.Since(p.idle[0].since), p.sweep)
	}
	p.mu.Unlock()
	for _, l := range gone {
		p.discard(l)
	}
}

// close breaks off all connections and waits for what still reads from clients,
// whose server has been closed.
func (p *links) close() {
	p.mu.Lock()
	p.closed = true
	for l := range p.open {
		_ = l.conn.Close()
	}
	clear(p.open)
	p.idle = nil
	p.mu.Unlock()
	p.feeding.Wait()
}
