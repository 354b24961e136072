package tap

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// steady is a connection whose writes fail when nothing of them has moved for a
// while. A write that moves, however slowly, goes on. Where whoever holds the
// connection has set a deadline for writing, that one holds instead.
type steady struct {
	net.Conn
	bound time.Duration
	other atomic.Bool // a deadline is set that is not ours
	ended atomic.Bool // a write has been given up: no other is tried
}

// stalledError is why a write was given up.
type stalledError struct{ bound time.Duration }

// Error names the bound.
func (e stalledError) Error() string {
	return fmt.Sprintf("it has taken nothing of what is sent to it for %s", e.bound)
}

// Timeout is true, and Temporary is false: what a net.Error asks for.
func (stalledError) Timeout() bool { return true }

// Temporary is false: part of what was to be written may be lost.
func (stalledError) Temporary() bool { return false }

// Write writes all of b, as long as some of it moves within the bound.
func (c *steady) Write(b []byte) (written int, err error) {
	if c.ended.Load() {
		return 0, stalledError{c.bound}
	}
	if c.other.Load() {
		return c.Conn.Write(b)
	}
	for {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(c.bound)) // fails on closed connections only, as writing will
		n, err := c.Conn.Write(b[written:])
		written += n
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded) || c.other.Load():
			return written, err
		case n == 0:
			c.ended.Store(true)
			return written, stalledError{c.bound}
		}
	}
}

// SetWriteDeadline sets a deadline in place of the bound; zero: the bound again.
func (c *steady) SetWriteDeadline(at time.Time) error {
	c.other.Store(!at.IsZero())
	return c.Conn.SetWriteDeadline(at)
}

// SetDeadline sets both deadlines, likewise.
func (c *steady) SetDeadline(at time.Time) error {
	c.other.Store(!at.IsZero())
	return c.Conn.SetDeadline(at)
}

// CloseWrite closes one direction, where the connection can.
func (c *steady) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Steady gives a listener whose connections are broken off when the client has
// taken nothing of what is written to it for the time of bound, which is above 0.
// A client that reads slowly is not.
func Steady(l net.Listener, bound time.Duration) net.Listener { return &steadyListener{l, bound} }

type steadyListener struct {
	net.Listener
	bound time.Duration
}

// Accept waits for the next connection.
func (l *steadyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &steady{Conn: conn, bound: l.bound}, nil
}
