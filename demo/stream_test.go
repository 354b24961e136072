package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// runStream runs the loan stream against a handler until enough requests were made.
func runStream(t *testing.T, s *loanStory, h http.Handler, enough int64) *stream {
	t.Helper()
	server, err := startLocal("model server", h)
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Rate, o.ShiftAfter = 4000, 30*time.Millisecond
	st := newStream(s, &o, server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	turned := make(chan string, 2)
	st.onTurn = func(text string) { turned <- text }
	var once sync.Once
	st.onError = func(err error) { once.Do(func() { t.Logf("first failure: %v", err) }) }
	done := make(chan struct{})
	go func() {
		defer close(done)
		st.Run(ctx)
	}()
	if text := <-turned; text == "" {
		t.Error("the turn says nothing")
	}
	for st.requests.Load() < enough && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if len(turned) != 0 {
		t.Error("the story turned twice")
	}
	return st
}

func TestStreamAsksAndTheModelAnswers(t *testing.T) {
	s := newLoanStory(1)
	st := runStream(t, s, modelserver.Handler(s.Model(), slog.New(slog.DiscardHandler)), 100)
	if st.failures.Load() != 0 || st.rows.Load() != batchRows*st.requests.Load() {
		t.Errorf("%d requests, %d failures, %d rows", st.requests.Load(), st.failures.Load(), st.rows.Load())
	}
}

func TestStreamCountsEveryWrongAnswer(t *testing.T) {
	answers := []string{
		`{"outputs": [{"name": "approved", "data": [1, 1, 1]}]}`, // too few
		`{"outputs": []}`,
		`{"id": "other", "outputs": [{"name": "approved", "data": [1, 1, 1, 1, 1]}]}`,
		`not JSON`,
	}
	n := 0
	st := runStream(t, newLoanStory(1), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if n++; n%5 == 0 {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, answers[n%len(answers)])
	}), 40)
	if st.failures.Load() != st.requests.Load() {
		t.Errorf("%d of %d requests were counted as failures", st.failures.Load(), st.requests.Load())
	}
}

func TestReceiverTellsEachEventOnce(t *testing.T) {
	var told []string
	r := newReceiver(func(d delivery) { told = append(told, d.Type+" "+d.Subject) })
	server, err := startLocal("receiver", r)
	if err != nil {
		t.Fatal(err)
	}
	post := func(body string) int {
		resp, err := http.Post(server.URL, "application/cloudevents+json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	const event = `{"id": "1", "type": "evenkeel.record.opened", "subject": "NC-1"}`
	for body, want := range map[string]int{event: 204, "{": 400, `{"id": "2"}`: 400} {
		if got := post(body); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
	if post(event) != 204 {
		t.Error("a repeated event was refused")
	}
	http.DefaultClient.CloseIdleConnections()
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if len(told) != 1 || told[0] != "evenkeel.record.opened NC-1" {
		t.Errorf("told %q", told)
	}
	if !r.told("evenkeel.record.opened", "NC-1") || r.told("evenkeel.record.cleared", "NC-1") {
		t.Error("what was told about NC-1 is not what is remembered")
	}
}
