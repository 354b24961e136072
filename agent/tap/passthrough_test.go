package tap_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// raw opens a connection to the tap and sends text on it.
func (h *harness) raw(text string) (*net.TCPConn, *bufio.Reader) {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		h.t.Fatal(err)
	}
	return conn.(*net.TCPConn), bufio.NewReader(conn)
}

// A client of HTTP/1.0 gets an answer without chunks, which ends with the
// connection.
func TestHTTP10(t *testing.T) {
	for i, path := range []string{"/chat", "/infer"} { // not copied, and copied
		h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			for _, b := range body { // chunked where the client can read that
				fmt.Fprintf(w, "%c", b)
				w.(http.Flusher).Flush()
			}
		})), nil)
		copied := make(chan string, 1)
		h.drain(func(x *tap.Exchange) { copied <- string(x.Request.Body) + string(x.Response.Body) })
		_, in := h.raw("POST " + path + " HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello")
		all, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(all), "\r\n\r\n")
		if body != "hello" || !strings.Contains(head, " 200 OK") || strings.Contains(head, "chunked") {
			t.Errorf("%s: %q", path, all)
		}
		if i == 1 {
			if c := <-copied; c != "hellohello" {
				t.Errorf("copied %q", c)
			}
		}
	}
}

// A client that asks first is told to go on when the model server says so, and
// keeps its body where that refuses.
func TestExpectContinue(t *testing.T) {
	read := make(chan int, 1)
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Refuse") != "" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		read <- len(body)
		fmt.Fprint(w, "thanks")
	})), nil)
	h.drain(func(*tap.Exchange) {})
	for _, path := range []string{"/chat", "/infer"} {
		conn, in := h.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		if line, err := in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%s: %q, %v", path, line, err)
		}
		if _, err := in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "hello")
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != 200 || <-read != 5 {
			t.Fatalf("%s: %v, %v", path, answer, err)
		}
		conn.Close()

		_, in = h.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Refuse: 1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 413 ") {
			t.Errorf("%s refused: %q, %v", path, line, err)
		}
	}
	if c := h.idle(2); c.Captured != 1 || c.Failed != 1 {
		t.Errorf("%+v", c)
	}
}

// endless gives n bytes that are not alike.
type endless struct{ left, at int }

// Read gives the next bytes.
func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range n {
		p[i] = byte(e.at >> 3 * 31)
		e.at++
	}
	e.left -= n
	return n, nil
}

// 100 MB go through, both ways, chunked or not, in memory that does not grow
// with them.
func TestAHundredMegabytesPassInBoundedMemory(t *testing.T) {
	const size = 100 << 20
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Error(err)
		}
	})), nil)
	h.drain(func(*tap.Exchange) { t.Error("it was copied") })
	want := sha256.New()
	if _, err := io.Copy(want, &endless{left: size}); err != nil {
		t.Fatal(err)
	}
	for i, length := range []int64{size, -1} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := http.NewRequest(http.MethodPost, h.url+"/infer", io.NopCloser(&endless{left: size}))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		answer, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got := sha256.New()
		n, err := io.Copy(got, answer.Body)
		answer.Body.Close()
		if err != nil || n != size || string(got.Sum(nil)) != string(want.Sum(nil)) {
			t.Fatalf("%d bytes of %d, %v", n, size, err)
		}
		runtime.ReadMemStats(&after)
		// All that client, tap and model server took together, garbage included.
		if took := after.TotalAlloc - before.TotalAlloc; took > 24<<20 {
			t.Errorf("%d MiB were taken for %d", took>>20, size>>20)
		}
		if c := h.idle(uint64(i + 1)); c.TooLarge != uint64(i+1) {
			t.Errorf("%+v", c)
		}
	}
}
