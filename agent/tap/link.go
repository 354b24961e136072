package tap

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"syscall"
	"time"
)

// link is one connection to the model server. It carries one request at a time.
type link struct {
	conn  net.Conn
	in    *bufio.Reader
	room  int64     // bytes that may be read before an answer's headers must end
	since time.Time // idle since then

	raw   syscall.RawConn // nil: it cannot be asked whether it is quiet
	ask   func(fd uintptr) bool
	quiet bool // what ask found
}

// maxAnswerHead bounds the status line and the headers of an answer, in bytes.
const maxAnswerHead = 10 << 20

var errLongHead = errors.New("the answer's headers are too long")

func newLink(conn net.Conn) *link {
	l := &link{conn: conn, room: math.MaxInt64}
	l.in = bufio.NewReader(l)
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			l.raw = raw
			l.ask = func(fd uintptr) bool { l.quiet = nothingToRead(fd); return true }
		}
	}
	return l
}

// Read reads from the connection, within the room that there is.
func (l *link) Read(b []byte) (int, error) {
	if l.room <= 0 {
		return 0, errLongHead
	}
	n, err := l.conn.Read(b)
	l.room -= int64(n)
	return n, err
}

// isQuiet says that the model server has neither closed the connection nor said
// anything on it since its last answer.
func (l *link) isQuiet() bool {
	if l.in.Buffered() > 0 {
		return false
	}
	if l.raw != nil && (l.raw.Read(l.ask) != nil || !l.quiet) {
		return false
	}
	_, secured := l.conn.(*tls.Conn)
	return !secured || l.hasNoRecord()
}

// hasNoRecord says that TLS, which reads ahead, holds nothing for us. At a
// deadline that has passed it looks through what it has and reads no more.
func (l *link) hasNoRecord() bool {
	_ = l.conn.SetReadDeadline(time.Unix(1, 0)) // fails on closed connections only, as reading will
	_, err := l.in.Peek(1)
	l.wait(0)
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// leave tells the model server that the client says nothing more: as the client
// has told us, by closing one direction of the connection. Whether the client
// has gone or listens for the answer cannot be known; what to make of it is the
// model server's decision, as it would be without a proxy. Most take it for the
// end of the request and stop to work on it.
func (l *link) leave() {
	if c, ok := l.conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		return
	}
	_ = l.conn.Close() // it is to be broken off
}

// abort breaks off what is under way.
func (l *link) abort() { _ = l.conn.Close() }

// wait bounds the time until the next bytes; 0: none.
func (l *link) wait(d time.Duration) {
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	_ = l.conn.SetReadDeadline(at) // fails on closed connections only, as reading will
}

// begins waits for the first byte of an answer.
func (l *link) begins() error {
	_, err := l.in.Peek(1)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return errNoAnswer
	}
	return err
}

var errNoAnswer = errors.New("it closed the connection without an answer")
