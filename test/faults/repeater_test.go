package faults

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// repeater sends requests that it has sent before: each kind with a sender's name
// for it and without.
type repeater struct {
	t       *testing.T
	named   *sender
	foreign *sender
	journal *journal
	all     []repeated
}

// repeated is a request that was acknowledged.
type repeated struct {
	from *sender
	n    int
	kind string
	body []byte
}

func newRepeater(t *testing.T, s *site, j *journal) *repeater {
	r := &repeater{t: t, journal: j}
	client := func() http.Client {
		return http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	}
	r.named = &sender{url: "http://" + s.http, name: "repeater", named: true, client: client()}
	r.foreign = &sender{url: "http://" + s.http, name: "foreign", client: client()}
	return r
}

// send sends one new request of each kind, named so, from both.
func (r *repeater) send(name string) {
	r.t.Helper()
	for _, from := range []*sender{r.named, r.foreign} {
		for _, kind := range kinds {
			ids := []string{fmt.Sprintf("%s/%s/%s/%d", kind, from.name, name, len(r.all))}
			r.journal.note(ids, true)
			q := repeated{from: from, n: len(r.all), kind: kind, body: request(kind, ids)}
			r.all = append(r.all, q)
			r.post(q)
		}
	}
}

// again repeats everything that was sent.
func (r *repeater) again() {
	r.t.Helper()
	for _, q := range r.all {
		r.post(q)
	}
}

// post sends a request until it is acknowledged.
func (r *repeater) post(q repeated) {
	r.t.Helper()
	for until := time.Now().Add(deadline); !q.from.post(context.Background(), q.n, q.kind, q.body); {
		if time.Now().After(until) {
			r.t.Fatal("a repeated request is not acknowledged")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
