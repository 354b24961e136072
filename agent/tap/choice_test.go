package tap_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// What Choose leaves out passes like anything else, is counted by reason and not
// copied; Choose is asked by the name that the client gave. An answer with an
// error counts as failed, left out or not.
func TestWhatIsLeftOutPassesUncopied(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && strings.HasPrefix(string(body), "fail") {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, r.Header.Get("X-Request-Id"))
	}))
	var mu sync.Mutex
	var asked []string
	h := newHarness(t, upstream, func(o *tap.Options) {
		o.Named = func(string) bool { return true }
		o.Choose = func(_ *http.Request, model, id string) tap.Choice {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, model+" "+id)
			n, _ := strconv.Atoi(id)
			return tap.Choice{Out: tap.Out(n % 3), Made: true, Share: 0.5, Draw: uint64(n), ByID: true}
		}
	})
	var copied []tap.Choice
	stop := h.drain(func(x *tap.Exchange) {
		if x.Status == http.StatusOK {
			copied = append(copied, x.Choice)
			if string(x.Request.Body) != "body" || string(x.Response.Body) != x.ID {
				t.Errorf("copied %q and %q", x.Request.Body, x.Response.Body)
			}
		}
	})
	ask := func(id, body string) {
		r, err := http.NewRequest(http.MethodPost, h.url+"/v2/models/loans/infer", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Request-Id", id)
		resp, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if answer, err := io.ReadAll(resp.Body); err != nil || string(answer) != id {
			t.Errorf("request %s was answered %q, %v", id, answer, err)
		}
	}
	for i := range 9 {
		ask(strconv.Itoa(i), "body")
		ask(strconv.Itoa(i), "fail")
	}
	until(t, "all requests to end", func() bool { c := h.tap.Counts("loans"); return c.Seen+c.Failed == 18 && h.tap.Stats().Held == 0 })
	stop()
	if c := h.tap.Counts("loans"); c.Seen != 9 || c.Failed != 9 || c.Captured != 3 || c.LeftOut != 3 || c.OverCeiling != 3 || c.Dropped() != 0 {
		t.Errorf("counts %+v", c)
	}
	if len(copied) != 3 || copied[1] != (tap.Choice{Made: true, Share: 0.5, Draw: 3, ByID: true}) {
		t.Errorf("copied %+v", copied)
	}
	if len(asked) != 18 || asked[0] != "loans 0" {
		t.Errorf("asked for %v", asked)
	}
}

// A panic of Choose costs nobody an answer, and the request is copied.
func TestPanicOfChooseIsRecovered(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(echo)), func(o *tap.Options) {
		o.Choose = func(*http.Request, string, string) tap.Choice { panic("no") }
	})
	h.drain(func(*tap.Exchange) {})
	if status, answer := h.infer("hello"); status != http.StatusOK || answer != "hello" {
		t.Errorf("%d %q", status, answer)
	}
	until(t, "the copy", func() bool { return h.tap.Counts("loans").Captured == 1 && h.tap.Stats().Panics == 1 })
}
