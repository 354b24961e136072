package evaluate_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// After an outage the agents hold back what they counted. Nobody is judged
// before they had the time to send it, and what was not judged is counted.
func TestNobodyIsCalledSilentRightAfterAnOutage(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	w.systems = []signal.SystemID{"bank"}
	w.grace = 90 * time.Second
	w.restart()
	w.beat("a", 0, 1)
	w.at(15 * time.Second) // an empty store has nothing to wait for
	if len(w.consumed) != 1 {
		t.Fatalf("at the first start: %+v", w.consumed)
	}
	w.consumed = nil
	w.restart() // ten minutes later; the agent beats on into its own spool and pauses for 45 s
	for _, second := range []int{611, 630, 645, 700} {
		w.at(time.Duration(second) * time.Second)
	}
	w.consumed = slices.DeleteFunc(w.consumed, func(ev model.Evaluation) bool { return ev.WindowEnd.Equal(noon.Add(15 * time.Second)) })
	if len(w.consumed) != 0 {
		t.Errorf("judged within the grace: %+v", w.consumed)
	}
	w.beat("a", 690*time.Second, 1)
	w.at(705 * time.Second)
	if len(w.consumed) != 1 || w.consumed[0].Verdict != signal.Pass {
		t.Errorf("after the grace: %+v", w.consumed)
	}
	if missed := w.counter("evenkeel_evaluate_missed"); missed != 45 {
		t.Errorf("%v missed ticks, want 45 in 690 s", missed)
	}
}

// A tick waits until what was acknowledged before it is stored, and is then
// judged as of its own time.
func TestATickWaitsForTheSpool(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	w.systems = []signal.SystemID{"bank"}
	stored := false
	var asked []time.Duration
	w.settled = func(at time.Time) bool {
		asked = append(asked, at.Sub(noon))
		return stored
	}
	w.restart()
	w.at(301 * time.Second)
	w.at(302 * time.Second)
	if len(w.consumed) != 0 {
		t.Fatalf("judged with heartbeats in the spool: %+v", w.consumed)
	}
	w.beat("a", 290*time.Second, 1)
	stored = true
	w.at(320 * time.Second)
	w.at(321 * time.Second)
	if want := []string{"@5m0s a pass ok 1", "@5m15s a pass ok 2"}; !slices.Equal(w.stored("LOG-02"), want) {
		t.Errorf("got %q, want %q", w.stored("LOG-02"), want)
	}
	if want := []time.Duration{301 * time.Second, 301 * time.Second, 301 * time.Second, 321 * time.Second}; !slices.Equal(asked, want) {
		t.Errorf("asked about %v, want %v: a time that is asked for anew is never reached under load", asked, want)
	}
}

// away is a register whose store does not come back.
type away struct{ asked chan struct{} }

func (a away) Consume(context.Context, *rules.Effective, model.Evaluation) error {
	select {
	case a.asked <- struct{}{}:
	default:
	}
	return errs.E("append event", errs.Unavailable, errors.New("connection refused"), "")
}

// Whoever stops fleet does not wait for a tick that tries for ever.
func TestSealedEndsWithItsContext(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	register := away{make(chan struct{}, 1)}
	e, err := evaluate.New(evaluate.Options{
		Store: w.store, Queries: query.New(w.store, query.Options{}), Rules: w.set, Register: register,
		Systems: []signal.SystemID{"bank"}, Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	ticking, stopTicking := context.WithCancel(context.Background())
	stepped := make(chan error, 1)
	go func() { stepped <- e.Step(ticking) }()
	<-register.asked // it has its turn and keeps it
	stopped, stop := context.WithCancel(context.Background())
	sealed := make(chan struct{})
	go func() {
		defer close(sealed)
		e.Sealed(stopped, model.FleetWindow{System: "bank", Model: loans, Length: length, Start: noon, End: noon.Add(length)})
	}()
	stop()
	select {
	case <-sealed:
	case <-time.After(20 * time.Second):
		t.Error("Sealed hangs behind a tick")
	}
	stopTicking()
	if err := <-stepped; err == nil {
		t.Error("the tick came through with the register away")
	}
	<-sealed
}
