package tap_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// script is a model server that reads a request's headers and then does as it is
// told, on every connection.
func script(t *testing.T, act func(conn net.Conn, r *http.Request, in *bufio.Reader)) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					act(conn, r, in)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// What is no HTTP, or breaks off before an answer began, is a 502 for the client;
// the next request is not harmed by it.
func TestAnswersThatAreNone(t *testing.T) {
	var mu sync.Mutex
	var say string
	h := newHarness(t, script(t, func(conn net.Conn, r *http.Request, _ *bufio.Reader) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.WriteString(conn, say)
		if !strings.Contains(say, "fine") {
			conn.Close()
		}
	}), nil)
	h.drain(func(*tap.Exchange) {})
	wanted := uint64(0)
	tell := func(answer string, want int) {
		t.Helper()
		mu.Lock()
		say = answer
		mu.Unlock()
		wanted++
		if status, body := h.infer("{}"); status != want {
			t.Errorf("%.60q: status %d, %.200s", answer, status, body)
		}
	}
	const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
	for _, odd := range []string{
		"", "SSH-2.0-server\r\n\r\n", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("l", 11<<20),
	} {
		tell(odd, http.StatusBadGateway)
		tell(fine, http.StatusOK)
	}
	// Bytes behind an answer belong to no request.
	tell(fine+"HTTP/1.1 500 Never asked for\r\nContent-Length: 0\r\n\r\n", http.StatusOK)
	tell(fine, http.StatusOK)
	tell("HTTP/1.0 200 OK\r\n\r\nuntil the end", http.StatusOK)
	if c := h.idle(wanted); c.Seen+c.Failed != wanted {
		t.Errorf("%+v", c)
	}
}

// A client that asks first is told once to go on, whether the model server says
// so or says nothing.
func TestContinueIsSaidOnce(t *testing.T) {
	for _, says := range []bool{true, false} {
		h := newHarness(t, script(t, func(conn net.Conn, r *http.Request, _ *bufio.Reader) {
			if r.Header.Get("Expect") != "100-continue" {
				t.Errorf("Expect: %q", r.Header.Get("Expect"))
			}
			if says {
				fmt.Fprint(conn, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if !says { // too late
				fmt.Fprint(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}), nil)
		h.drain(func(*tap.Exchange) {})
		conn, in := h.raw("POST /infer HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		told := 0
		for {
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode == http.StatusContinue {
				told++
				fmt.Fprint(conn, "hello")
				continue
			}
			if answer.StatusCode < 200 {
				continue
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || string(body) != "hello" || told != 1 {
				t.Errorf("%q, %v, told %d times to go on", body, err, told)
			}
			break
		}
		if c := h.idle(1); c.Captured != 1 {
			t.Errorf("%+v", c)
		}
	}
}

// What HTTP/2 lets pass in a target, or a trailer holds, cannot end a line of the
// request that the model server reads.
func TestNoLineEndsEarly(t *testing.T) {
	got := make(chan string, 1)
	h := newHarness(t, script(t, func(conn net.Conn, r *http.Request, _ *bufio.Reader) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- fmt.Sprint(r.RequestURI, " ", r.Trailer)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}), nil)
	r, err := http.NewRequest(http.MethodPost, h.url, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = "/a HTTP/1.0" // sent as it is
	answer, err := h2c(t).Do(r)
	if err == nil {
		answer.Body.Close()
		if line := <-got; answer.StatusCode != 200 || line != "/a%20HTTP/1.0 map[]" {
			t.Errorf("%d, %q", answer.StatusCode, line)
		}
	} else if !strings.Contains(err.Error(), "path") {
		t.Error(err)
	}
	_, in := h.raw("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n0\r\nX-Sum: a\rX-More: b\r\n\r\n")
	if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != 200 && answer.StatusCode != 502 {
		t.Fatal(answer, err)
	} else if answer.StatusCode == 200 {
		if line := <-got; line != "/ map[X-Sum:[a X-More: b]]" {
			t.Errorf("%q", line)
		}
	}
}
