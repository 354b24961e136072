package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/host"
)

// background outlives the test's own context, which ends before clean-up.
var background = context.Background()

// patience is how long the suite waits for what takes time.
const patience = 20 * time.Second

func (s *Subject) describes(t *testing.T) {
	d, err := s.start(t).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != s.Name || d.Version == "" || d.Summary == "" {
		t.Errorf("got %+v; want the name %q, a version and a summary", d, s.Name)
	}
}

func (s *Subject) refuses(t *testing.T) {
	bad := append(slices.Clone(s.Bad), json.RawMessage(`not JSON`), json.RawMessage(`{"no_such_key_anywhere": 1}`))
	for _, config := range bad {
		p, err := host.Start(t.Context(), s.options(t, config))
		if err == nil {
			t.Errorf("configuration %s was accepted", config)
			_ = p.Stop(background) // the failure is already told
			continue
		}
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("configuration %s: got %v; want an error that is final", config, err)
		}
	}
}

func (s *Subject) repeats(t *testing.T) {
	p := s.start(t)
	opened, rec := newRecord()
	first, err := p.Create(t.Context(), opened, rec)
	if err != nil {
		t.Fatal(err)
	}
	if first.Key == "" {
		t.Fatal("the ticket has no key")
	}
	second, err := p.Create(t.Context(), opened, rec)
	if err != nil || second != first {
		t.Errorf("the same event again: got %+v, %v; want %+v", second, err, first)
	}
	cleared := newEvent(rec, 2, "cleared")
	rec.Condition = "cleared"
	for range 2 {
		updated, err := p.Update(t.Context(), first.Key, cleared, rec)
		if err != nil || updated.Key != first.Key {
			t.Errorf("update: got %+v, %v; want the key %q", updated, err, first.Key)
		}
	}
	if s.Seen == nil {
		return
	}
	for _, id := range []string{opened.ID, cleared.ID} {
		if !slices.Contains(s.Seen(), id) {
			t.Errorf("event %s did not reach the other side", id)
		}
	}
}

func (s *Subject) concurrent(t *testing.T) {
	p := s.start(t)
	const records = 16
	keys := make([]string, records)
	var wg sync.WaitGroup
	for i := range records {
		wg.Go(func() {
			ev, rec := newRecord()
			ticket, err := p.Create(t.Context(), ev, rec)
			if err != nil {
				t.Errorf("record %d: %v", i, err)
			}
			keys[i] = ticket.Key
		})
	}
	wg.Wait()
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != records {
		t.Errorf("%d records have %d tickets", records, n)
	}
}

func (s *Subject) large(t *testing.T) {
	p := s.start(t)
	ev, rec := newRecord()
	rec.JSON = json.RawMessage(`{"ref":"` + string(bytes.Repeat([]byte("x"), 1<<20)) + `"}`)
	if _, err := p.Create(t.Context(), ev, rec); err != nil {
		t.Error(err)
	}
}

// honest checks that each optional call works exactly if Describe says so.
func (s *Subject) honest(t *testing.T) {
	p := s.start(t)
	d, err := p.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ev, rec := newRecord()
	ticket, err := p.Create(t.Context(), ev, rec)
	if err != nil {
		t.Fatal(err)
	}
	_, getErr := p.Get(t.Context(), ticket.Key)
	changes, next, changesErr := p.Changes(t.Context(), "")
	for _, c := range []struct {
		call  string
		said  bool
		fault error
	}{
		{"Comment", d.Comments, p.Comment(t.Context(), ticket.Key, comment(rec))},
		{"Get", d.Reads, getErr},
		{"Changes", d.Changes, changesErr},
	} {
		if c.said && c.fault != nil {
			t.Errorf("%s is said to work: %v", c.call, c.fault)
		}
		if !c.said && errs.KindOf(c.fault) != errs.Denied {
			t.Errorf("%s is not said to work; got %v, want sdk.Unsupported", c.call, c.fault)
		}
	}
	if d.Changes && len(changes) > 0 && next == "" {
		t.Error("there are changes, but no cursor to go on from")
	}
}

func (s *Subject) cancelled(t *testing.T) {
	p := s.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ev, rec := newRecord()
	begun := time.Now()
	if _, err := p.Create(ctx, ev, rec); err == nil {
		t.Error("a call without a caller succeeded")
	}
	if d := time.Since(begun); d > time.Second {
		t.Errorf("it took %s to notice", d)
	}
}

// crashes kills the process and expects it back with its configuration.
func (s *Subject) crashes(t *testing.T) {
	p := s.start(t)
	opened, rec := newRecord()
	ticket, err := p.Create(t.Context(), opened, rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	again, err := p.Create(t.Context(), opened, rec)
	for deadline := time.Now().Add(patience); err != nil; again, err = p.Create(t.Context(), opened, rec) {
		if !errs.Retryable(err) {
			t.Fatalf("while it is down: got %v; want an error that asks to try again", err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("it did not come back: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if again != ticket {
		t.Errorf("after the crash: got %+v; want the ticket of before, %+v", again, ticket)
	}
	if n := p.Status().Restarts; n != 1 {
		t.Errorf("%d restarts were counted; want 1", n)
	}
}

func (s *Subject) ends(t *testing.T) {
	p, err := host.Start(t.Context(), s.options(t, s.Config))
	if err != nil {
		t.Fatal(err)
	}
	pid := p.Status().PID
	for range 2 {
		if err := p.Stop(background); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	ev, rec := newRecord()
	if _, err := p.Create(t.Context(), ev, rec); !errs.Retryable(err) {
		t.Errorf("after the stop: got %v; want unavailable", err)
	}
}
