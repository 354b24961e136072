package engine

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// DialContext connects to the engine wherever it listens now; the address
// asked for does not matter. While the engine is being restarted it waits
// until ctx ends. After Stop it is errs.Unavailable. The engine's stopping
// closes the connection.
func (e *Engine) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	for {
		e.mu.Lock()
		address, changed := e.address, e.changed
		e.mu.Unlock()
		if address != "" {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, errs.E("connect to the engine", errs.Unavailable, err, "")
			}
			return e.connections.add(conn), nil
		}
		select {
		case <-changed:
		case <-e.done:
			return nil, errs.E("connect to the engine", errs.Unavailable, errors.New("it was stopped"), "")
		case <-ctx.Done():
			return nil, errs.E("connect to the engine", errs.Unavailable, context.Cause(ctx), "")
		}
	}
}

// connections are those to the engine that are open. A stopping engine waits
// for idle ones as well, so they are closed before it is asked to leave.
type connections struct {
	mu   sync.Mutex
	open map[*connection]struct{}
}

type connection struct {
	net.Conn
	of *connections
}

func (c *connections) add(conn net.Conn) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[*connection]struct{}{}
	}
	tracked := &connection{Conn: conn, of: c}
	c.open[tracked] = struct{}{}
	return tracked
}

// Close closes the connection and forgets it.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// closeAll closes what is open; whoever uses one gets an error.
func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Conn.Close()
	}
	clear(c.open)
}
