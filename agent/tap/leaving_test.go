package tap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// patient answers when it has learnt that the client says nothing more, as a
// server does that does not take this for the client's end.
func patient(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if r.Header.Get("X-Leaves") != "" {
		<-r.Context().Done()
	}
	fmt.Fprintf(w, "%s of %d bytes", r.Method, len(body))
}

// A client that closes its side when it has asked gets its answer, and the model
// server learns what the client did. The connection is not used again.
func TestAClientThatClosesItsSideGetsItsAnswer(t *testing.T) {
	outcomes := make(chan tap.Outcome, 1)
	h := newHarness(t, serve(t, http.HandlerFunc(patient)), func(o *tap.Options) { o.Finished = func(_ string, o tap.Outcome, _ time.Duration) { outcomes <- o } })
	h.drain(func(*tap.Exchange) {})
	long := strings.Repeat("x", 200_000)
	seen := uint64(0)
	for _, path := range []string{"/chat", "/v2/models/loans/infer"} { // not copied, and copied
		for request, want := range map[string]string{
			"GET " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\n\r\n":                                                           "GET of 0 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nContent-Length: 5\r\n\r\nhello":                                "POST of 5 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nContent-Length: 200000\r\n\r\n" + long:                         "POST of 200000 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n":     "POST of 5 bytes",
			"POST " + path + " HTTP/1.0\r\nX-Leaves: 1\r\nContent-Length: 5\r\n\r\nhello":                                           "POST of 5 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello":        "POST of 5 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello":           "POST of 5 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nContent-Length: 0\r\n\r\n":                                     "POST of 0 bytes",
			"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Leaves: 1\r\nConnection: X-Gone\r\nX-Gone: 1\r\nContent-Length: 1\r\n\r\na": "POST of 1 bytes",
		} {
			conn, in := h.raw(request)
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(in, nil)
			for err == nil && answer.StatusCode == http.StatusContinue {
				answer, err = http.ReadResponse(in, nil)
			}
			if err != nil {
				t.Fatalf("%.60q: %v", request, err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != 200 || string(body) != want {
				t.Errorf("%.60q: %s, %q, %v", request, answer.Status, body, err)
			}
			if path != "/chat" && strings.HasPrefix(request, "POST") {
				seen++
				if o := <-outcomes; o != tap.OK {
					t.Errorf("%.60q: outcome %s", request, o)
				}
			}
			if status, answer, err := h.post("/chat", "next"); err != nil || status != 200 || answer != "POST of 4 bytes" {
				t.Fatalf("the next request: %d, %q, %v", status, answer, err)
			}
		}
	}
	if c := h.idle(seen); c.Captured != seen {
		t.Errorf("%+v, want %d captured", c, seen)
	}
}

// A client that goes away in whatever manner ends the request at the model
// server too.
func TestAClientThatGoesAwayEndsTheRequest(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		if r.URL.Query().Has("streams") {
			fmt.Fprint(w, "begins")
			w.(http.Flusher).Flush()
		}
		arrived <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
		panic(http.ErrAbortHandler)
	})), nil)
	h.drain(func(*tap.Exchange) { t.Error("half an exchange was handed over") })
	aborted := uint64(0)
	for _, query := range []string{"", "?streams"} {
		for _, reset := range []bool{false, true} {
			conn, in := h.raw("POST /infer" + query + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
			<-arrived
			if query != "" {
				if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != 200 {
					t.Fatal(answer, err)
				}
			}
			if reset {
				if err := conn.SetLinger(0); err != nil {
					t.Fatal(err)
				}
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			<-left
			aborted++
			if c := h.idle(aborted); c.Aborted != aborted {
				t.Errorf("%+v, want %d aborted", c, aborted)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/infer", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	two := h2c(t)
	go func() {
		answer, err := two.Do(r)
		if err == nil {
			answer.Body.Close()
		}
		failed <- err
	}()
	<-arrived
	cancel()
	<-left
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the client of HTTP/2 got %v", err)
	}
	h.idle(aborted + 1)
}

// A client that goes away while its body is under way ends the request, whether
// or not the model server reads.
func TestAClientThatGoesAwayInItsBodyEndsTheRequest(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan error)
	h := newHarness(t, serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		left <- err
	})), nil)
	h.drain(func(*tap.Exchange) { t.Error("half a request was handed over") })
	for i, head := range []string{"Content-Length: 100000\r\n\r\nbegins", "Transfer-Encoding: chunked\r\n\r\n6\r\nbegins\r\n"} {
		conn, _ := h.raw("POST /infer HTTP/1.1\r\nHost: x\r\n" + head)
		<-arrived
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-left; err == nil {
			t.Errorf("%.20q: the model server takes a part for the whole", head)
		}
		if c := h.idle(uint64(i + 1)); c.Aborted != uint64(i+1) {
			t.Errorf("%+v", c)
		}
	}
}
