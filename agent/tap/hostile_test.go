package tap

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// rawServer serves each connection with a function, until the test's end.
func rawServer(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer serving.Wait()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(conn) })
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

// before puts a tap before a model server, and gives its address.
func before(t *testing.T, o Options) string {
	t.Helper()
	proxy, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(proxy)
	server.Start()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); proxy.Close() })
	return server.Listener.Addr().String()
}

// HTTP/2 lets a method pass that is no word; in HTTP/1.1 it would be a request
// line of the client's own making.
func TestAMethodThatIsNoWordIsRefused(t *testing.T) {
	seen := make(chan string, 1)
	upstream := rawServer(t, func(conn net.Conn) {
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		seen <- line
	})
	proxy, err := New(Options{Upstream: &url.URL{Scheme: "http", Host: upstream}})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	r := httptest.NewRequest(http.MethodGet, "/v1", nil)
	r.Method = "GET /admin HTTP/1.1"
	w := httptest.NewRecorder()
	proxy.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("got %d", w.Code)
	}
	select {
	case line := <-seen:
		t.Errorf("the model server got %q", line)
	default:
	}
}

// What a model server says unasked behind an answer is nobody's answer, also
// where TLS has read it already.
func TestAnAnswerNobodyAskedForIsNobodysOverTLS(t *testing.T) {
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	secure := &tls.Config{Certificates: certified.TLS.Certificates}
	upstream := rawServer(t, func(conn net.Conn) {
		joined := &joinedWrites{Conn: conn}
		answerTwice(tls.Server(joined, secure), joined)
	})
	address := before(t, Options{
		Upstream: &url.URL{Scheme: "https", Host: upstream},
		TLS:      &tls.Config{InsecureSkipVerify: true}, IdleTimeout: time.Minute,
	})
	for range 3 {
		answer, err := http.Get("http://" + address + "/")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if string(body) != "mine" {
			t.Fatalf("got %q", body)
		}
	}
}

// joinedWrites holds back what is written until it is told, so that two records
// arrive as one piece.
type joinedWrites struct {
	net.Conn
	hold bool
	held []byte
}

func (c *joinedWrites) Write(b []byte) (int, error) {
	if c.hold {
		c.held = append(c.held, b...)
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// answerTwice answers one request with two answers in two records, and closes
// when the other side has.
func answerTwice(conn net.Conn, joined *joinedWrites) {
	defer conn.Close()
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return
	}
	joined.hold = true
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine")
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother")
	joined.hold = false
	_, _ = joined.Conn.Write(joined.held)
	_, _ = io.Copy(io.Discard, conn)
}

// A model server that says "go on" and resets the connection before it has the
// headers takes nothing but its own answer down.
func TestContinueBeforeAResetHarmsNobody(t *testing.T) {
	proxy, err := New(Options{Upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	ours, theirs := net.Pipe()
	go func() {
		_, _ = io.WriteString(theirs, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
		_ = theirs.Close()
	}()
	l := newLink(noWrites{ours})
	proxy.links.open[l] = struct{}{}
	proxy.links.put(l)
	l.since = time.Now().Add(time.Hour)
	server := httptest.NewServer(proxy)
	defer server.Close()
	r, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Expect", "100-continue")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %d", answer.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}

// noWrites is a connection that takes a byte and breaks.
type noWrites struct{ net.Conn }

func (noWrites) Write([]byte) (int, error) { return 1, net.ErrClosed }
