package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// event is one that a sink is told of.
func event() (sdk.Event, sdk.Record) {
	rec := sdk.Record{ID: "4be0643f", Ref: "NC-2026-00001", System: "loan approval", JSON: json.RawMessage(`{"ref":"NC-2026-00001"}`)}
	return sdk.Event{ID: "e1", Record: rec.ID, Seq: 1, Time: time.Unix(1_800_000_000, 0), Type: "opened", Actor: "evenkeel"}, rec
}

// tell configures a sink and tells it of one event.
func tell(t *testing.T, config string) error {
	t.Helper()
	s := &sink{}
	if err := s.Validate(t.Context(), json.RawMessage(config)); err != nil {
		t.Fatal(err)
	}
	defer s.poster.Load().client.CloseIdleConnections()
	ev, rec := event()
	_, err := s.Create(t.Context(), ev, rec)
	return err
}

func TestStatusDecidesWhetherToTryAgain(t *testing.T) {
	for code, want := range map[int]codes.Code{
		200: codes.OK, 202: codes.OK, 204: codes.OK,
		302: codes.InvalidArgument, 400: codes.InvalidArgument, 410: codes.InvalidArgument,
		401: codes.Unavailable, 403: codes.Unavailable, 404: codes.Unavailable,
		408: codes.Unavailable, 429: codes.Unavailable, 500: codes.Unavailable, 503: codes.Unavailable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(code)
			if code != http.StatusNoContent {
				_, _ = io.WriteString(w, strings.Repeat("long ", 10_000))
			}
		}))
		err := tell(t, `{"allow_private":true,"url":"`+server.URL+`"}`)
		server.Close()
		if got := status.Code(err); got != want {
			t.Errorf("%d: got %v (%v); want %v", code, got, err, want)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%d: an error of %d bytes", code, len(err.Error()))
		}
	}
}

// TestNamesAreGuardedWhenTheyResolve: a name that looks harmless and points to
// this machine is refused when the connection is made, and for good.
func TestNamesAreGuardedWhenTheyResolve(t *testing.T) {
	var reached atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer server.Close()
	err := tell(t, `{"url":"`+strings.Replace(server.URL, "127.0.0.1", "localhost", 1)+`"}`)
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "allow_private: true") {
		t.Errorf("got %v; want a final error that names the cure", err)
	}
	if reached.Load() {
		t.Error("the receiver on loopback was reached")
	}
}

func TestReceiverThatIsAwayOrSlowIsTriedAgain(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	err := tell(t, `{"allow_private":true,"url":"`+gone.URL+`/services/T0/secret"}`)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the URL's path, which is the secret of many receivers, is in an error that is stored and shown: %v", err)
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("nobody listens: got %v", err)
	}
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	if err := tell(t, `{"allow_private":true,"timeout":"50ms","url":"`+slow.URL+`"}`); status.Code(err) != codes.Unavailable {
		t.Errorf("too slow: got %v", err)
	}
}

func TestEventHasTheFormOfCloudEvents(t *testing.T) {
	bodies := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- body
	}))
	defer server.Close()
	if err := tell(t, `{"allow_private":true,"url":"`+server.URL+`"}`); err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"e1","source":"/evenkeel/systems/loan%20approval","type":"evenkeel.record.opened",` +
		`"subject":"NC-2026-00001","time":"2027-01-15T08:00:00Z","datacontenttype":"application/json",` +
		`"data":{"event":{"seq":1,"type":"opened","actor":"evenkeel"},"record":{"ref":"NC-2026-00001"}}}`
	if got := string(<-bodies); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNothingIsSentBeforeValidate(t *testing.T) {
	ev, rec := event()
	if _, err := (&sink{}).Create(t.Context(), ev, rec); status.Code(err) != codes.InvalidArgument {
		t.Errorf("got %v; want a final error", err)
	}
}
