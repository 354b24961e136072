package tap_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// Headers that are asked for come with the exchange, of the request and of the
// answer apart; others do not, nor one that is too long. They pass all the same.
func TestHeadersOfBothSidesAreKept(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Digest", "server")
		w.Header().Set("X-Long", strings.Repeat("y", 300))
		w.Header().Set("X-Other", "o")
		w.Header().Set("X-Saw", r.Header.Get("X-Run"))
		_, _ = w.Write([]byte("{}"))
	}))
	h := newHarness(t, upstream, func(o *tap.Options) {
		o.Keep = func() []string { return []string{"X-Digest", "X-Run", "x-long"} }
	})
	var request, answer map[string]string
	stop := h.drain(func(x *tap.Exchange) { request, answer = x.Headers, x.Answered })
	r, err := http.NewRequest(http.MethodPost, h.url+"/v2/models/loans/infer", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Run", "r1")
	r.Header.Set("X-Digest", "client")
	resp, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if len(resp.Header.Get("X-Long")) != 300 || resp.Header.Get("X-Saw") != "r1" || resp.Header.Get("X-Digest") != "server" {
		t.Errorf("passed: %v", resp.Header)
	}
	until(t, "the exchange", func() bool { return h.tap.Counts("loans").Captured == 1 })
	stop()
	if want := map[string]string{"X-Run": "r1", "X-Digest": "client"}; !maps.Equal(request, want) {
		t.Errorf("of the request %v, want %v", request, want)
	}
	if want := map[string]string{"X-Digest": "server"}; !maps.Equal(answer, want) {
		t.Errorf("of the answer %v, want %v", answer, want)
	}
}
