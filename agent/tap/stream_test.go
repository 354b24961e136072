package tap_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// TestEventsArriveWhenTheyAreSent: the model server sends the second event only
// when the client has read the first one.
func TestEventsArriveWhenTheyAreSent(t *testing.T) {
	for _, path := range []string{"/infer", "/v1/chat/completions"} { // copied and not
		more := make(chan struct{})
		h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: 1\n\n")
			w.(http.Flusher).Flush()
			select {
			case <-more:
				fmt.Fprint(w, "data: 2\n\n")
			case <-r.Context().Done():
			}
		})), nil)
		copied := make(chan string, 1)
		h.drain(func(x *tap.Exchange) { copied <- string(x.Response.Body) })
		r, err := h.client.Post(h.url+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(r.Body)
		if line, err := lines.ReadString('\n'); err != nil || line != "data: 1\n" {
			t.Fatalf("%s: first event %q, %v", path, line, err)
		}
		close(more)
		rest, err := io.ReadAll(lines)
		if err != nil || string(rest) != "\ndata: 2\n\n" {
			t.Fatalf("%s: rest %q, %v", path, rest, err)
		}
		r.Body.Close()
		if path == "/infer" {
			if c := <-copied; c != "data: 1\n\ndata: 2\n\n" {
				t.Errorf("copied %q", c)
			}
		}
	}
}

// TestUpgradedConnectionsPass sends bytes both ways over a connection that has
// left HTTP, as a websocket does.
func TestUpgradedConnectionsPass(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
		line, _ := rw.ReadString('\n')
		fmt.Fprint(conn, strings.ToUpper(line))
	})), nil)
	for i, path := range []string{"/chat", "/infer"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n", path)
		in := bufio.NewReader(conn)
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%s: %v, %v", path, answer, err)
		}
		fmt.Fprint(conn, "hello\n")
		if line, err := in.ReadString('\n'); err != nil || line != "HELLO\n" {
			t.Errorf("%s: %q, %v", path, line, err)
		}
		conn.Close()
		if c := h.idle(uint64(i)); c.Upgraded != uint64(i) {
			t.Errorf("%s: %+v", path, c)
		}
	}
}

// TestAnAnswerMayBeginBeforeTheRequestEnds talks line by line over one HTTP/1.1
// exchange.
func TestAnAnswerMayBeginBeforeTheRequestEnds(t *testing.T) {
	for _, path := range []string{"/chat", "/infer"} { // not copied, and copied
		h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
				t.Error(err)
			}
			w.WriteHeader(200)
			in := bufio.NewReader(r.Body)
			for {
				w.(http.Flusher).Flush()
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				fmt.Fprint(w, strings.ToUpper(line))
			}
		})), nil)
		copied := make(chan string, 1)
		h.drain(func(x *tap.Exchange) { copied <- string(x.Request.Body) + string(x.Response.Body) })
		body, send := io.Pipe()
		answer, err := h.client.Post(h.url+path, "", body)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(answer.Body)
		for range 3 {
			fmt.Fprintln(send, "abc")
			if line, err := lines.ReadString('\n'); err != nil || line != "ABC\n" {
				t.Fatalf("%s: %q, %v", path, line, err)
			}
		}
		send.Close()
		if _, err := io.Copy(io.Discard, lines); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if path == "/infer" {
			if c := <-copied; c != "abc\nabc\nabc\nABC\nABC\nABC\n" {
				t.Errorf("copied %q", c)
			}
		}
	}
}

// h2c is a client that speaks HTTP/2 without TLS.
func h2c(t *testing.T) *http.Client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &p, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestHTTP2ClientsReachAnHTTP1ModelServer(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		echo(w, r)
	})), nil)
	copied := make(chan string, 1)
	h.drain(func(x *tap.Exchange) { copied <- string(x.Request.Body) + string(x.Response.Body) })
	r, err := h2c(t).Post(h.url+"/infer", "application/json", strings.NewReader("abc"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); err != nil || string(body) != "abc" || r.ProtoMajor != 2 || r.Header.Get("X-Proto") != "HTTP/1.1" {
		t.Errorf("%q, %v, %s, upstream %s", body, err, r.Proto, r.Header.Get("X-Proto"))
	}
	if c := <-copied; c != "abcabc" {
		t.Errorf("copied %q", c)
	}
}

// TestGRPCStreamsBothWays exchanges messages one by one over one call and reads
// the status in the trailers.
func TestGRPCStreamsBothWays(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		w.Header().Set("X-Te", r.Header.Get("Te"))
		w.WriteHeader(200)
		in := bufio.NewReader(r.Body)
		for {
			w.(http.Flusher).Flush()
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			fmt.Fprint(w, strings.ToUpper(line))
		}
		w.Header().Set("Grpc-Status", "0")
	})), nil)
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.url+"/inference.GRPCInferenceService/ModelInfer", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("Te", "trailers")
	answer, err := h2c(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for _, word := range []string{"a", "b", "c"} {
		fmt.Fprintln(send, word)
		if line, err := lines.ReadString('\n'); err != nil || line != strings.ToUpper(word)+"\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	send.Close()
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	if s, te := answer.Trailer.Get("Grpc-Status"), answer.Header.Get("X-Te"); s != "0" || te != "trailers" {
		t.Errorf("status %q in the trailers, TE %q", s, te)
	}
}
