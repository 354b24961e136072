package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// counter takes labels and holds them to what the store can hold.
type counter struct {
	t     *testing.T
	taken int
}

func (c *counter) TakeLabels(_ context.Context, labels []signal.Label, _ string) error {
	for _, l := range labels {
		if err := l.Validate(); err != nil || l.System == "" || l.Time.After(noonClock().Add(48*time.Hour)) {
			c.t.Errorf("%+v was taken: %v", l, err)
		}
	}
	c.taken += len(labels)
	return nil
}

func (c *counter) RefusedLabels(int) {}

func noonClock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// FuzzLabels holds that whatever arrives is answered, and that what is said to
// be accepted was handed on.
func FuzzLabels(f *testing.F) {
	for _, body := range []string{
		`[{"id":"a#1","row":2,"label":1.5,"time":"2026-01-15T18:13:10Z","source":"x","system":"s"}]`,
		"{\"id\":\"a\",\"label\":true}\n\n{\"id\":1}", "id,label\na,1\n\"b\",\"x\"\"y\"\n", "[", "[]x", "\ufeffid,label\n", "null",
	} {
		for media := range labelMedia {
			f.Add(media, body)
		}
	}
	f.Fuzz(func(t *testing.T, media int, body string) {
		if media < 0 || media >= len(labelMedia) {
			return
		}
		c := &counter{t: t}
		o := Options{Labels: c, Clock: noonClock, MaxLabels: 1 << 16}
		o.fill()
		r := httptest.NewRequest(http.MethodPost, "/labels?system=loans", strings.NewReader(body))
		w := httptest.NewRecorder()
		h := &handler{Options: o}
		source, closeBody, err := h.openLabels(w, r, labelMedia[media])
		if err != nil {
			return
		}
		defer closeBody()
		if answer, _ := h.readLabels(r, source); answer.Accepted != c.taken || len(answer.Errors) > answer.Refused {
			t.Errorf("%+v, but %d were handed on", answer, c.taken)
		}
	})
}

var labelMedia = []string{"application/json", "application/x-ndjson", "text/csv"}
