package tap_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// The first byte of an answer is noted when it passes, not when the answer is
// complete; an answer without a body has none.
func TestFirstByteIsNoted(t *testing.T) {
	read := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/empty" {
			return
		}
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-read
		_, _ = io.WriteString(w, "last\n")
	}))
	defer server.Close()
	upstream, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	under, err := tap.New(tap.Options{Upstream: upstream, Wanted: func(*http.Request) (string, bool) { return "m", true }})
	if err != nil {
		t.Fatal(err)
	}
	defer under.Close()
	front := httptest.NewServer(under)
	defer front.Close()

	before := time.Now()
	resp, err := http.Post(front.URL+"/stream", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(resp.Body)
	if line, err := body.ReadString('\n'); err != nil || line != "first\n" {
		t.Fatal(line, err)
	}
	seen := time.Now()
	close(read)
	if _, err := io.Copy(io.Discard, body); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp, err = http.Post(front.URL+"/empty", "text/plain", nil); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()

	ctx, stop := context.WithCancel(context.Background())
	var got []tap.Exchange
	under.Drain(ctx, func(x *tap.Exchange) {
		if got = append(got, *x); len(got) == 2 {
			stop()
		}
	})
	stop()
	if first := got[0].FirstByte; first.Before(before) || first.After(seen) || first.Before(got[0].Start) {
		t.Errorf("%v is not from %v to %v", first, before, seen)
	}
	if !got[1].FirstByte.IsZero() {
		t.Errorf("%v, though there was no body", got[1].FirstByte)
	}
}
