package tap

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// A model server that stops to read holds a request no longer than the bound.
func TestAModelServerThatStopsToRead(t *testing.T) {
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	for _, scheme := range []string{"http", "https"} {
		for _, length := range []int64{256 << 20, -1} {
			over := make(chan struct{})
			upstream := rawServer(t, func(conn net.Conn) {
				defer conn.Close()
				if scheme == "https" {
					conn = tls.Server(conn, &tls.Config{Certificates: certified.TLS.Certificates})
				}
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				<-over
			})
			proxy, err := New(Options{
				Upstream: &url.URL{Scheme: scheme, Host: upstream}, StallTimeout: 200 * time.Millisecond,
				TLS: &tls.Config{InsecureSkipVerify: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, 256<<20))
			r.ContentLength = length
			w := httptest.NewRecorder()
			proxy.ServeHTTP(w, r)
			close(over)
			if w.Code != http.StatusGatewayTimeout || proxy.Stats().Unreachable != 1 {
				t.Errorf("%s, length %d: got %d %s, %d counted", scheme, length, w.Code, w.Body, proxy.Stats().Unreachable)
			}
			proxy.Close()
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// slowConn takes a byte at each deadline.
type slowConn struct {
	net.Conn
	took bytes.Buffer
	most int
}

func (c *slowConn) SetWriteDeadline(time.Time) error { return nil }

func (c *slowConn) Write(b []byte) (int, error) {
	if c.took.Len() == c.most {
		return 0, timeoutOf(c.Conn)
	}
	c.took.WriteByte(b[0])
	if len(b) == 1 {
		return 1, nil
	}
	return 1, timeoutOf(c.Conn)
}

// timeoutOf is what a real connection says at its deadline.
func timeoutOf(conn net.Conn) error {
	_ = conn.SetWriteDeadline(time.Unix(1, 0))
	_, err := conn.Write([]byte{0})
	return err
}

// Whatever moves begins the time anew.
func TestAWriteThatMovesGoesOn(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	slow := &slowConn{Conn: ours, most: 1000}
	if n, err := (&steady{Conn: slow, bound: time.Hour}).Write(make([]byte, 1000)); n != 1000 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	n, err := (&steady{Conn: slow, bound: time.Hour}).Write([]byte("more"))
	if _, stalled := err.(stalledError); n != 0 || !stalled {
		t.Errorf("wrote %d, %v", n, err)
	}
}

// A client that stops to read is broken off.
func TestAClientThatStopsToRead(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	server := NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, zeros{})
		gone <- err
	}), 0, slog.New(slog.DiscardHandler))
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(Steady(inner, 200*time.Millisecond)) }()
	client, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: m\r\n\r\n")
	if err := <-gone; err == nil {
		t.Error("no error")
	}
	_ = client.Close()
	_ = server.Close()
	<-served
}
