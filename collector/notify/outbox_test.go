package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/notify"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/sdk"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tracker is the far side: it keeps what arrives and fails as it is told.
type tracker struct {
	mu    sync.Mutex
	calls []call
	fail  func(ev sdk.Event, nth int) error // nth call for this event, from 1
	tries map[string]int
}

type call struct {
	create    bool
	key, id   string
	kind, ref string
	condition string
}

func (k *tracker) Name() string { return "tracker" }

func (k *tracker) Create(_ context.Context, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	return k.take(true, "T-"+rec.Ref, ev, rec)
}

func (k *tracker) Update(_ context.Context, key string, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	return k.take(false, key, ev, rec)
}

func (k *tracker) take(create bool, key string, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tries == nil {
		k.tries = map[string]int{}
	}
	k.tries[ev.ID]++
	if k.fail != nil {
		if err := k.fail(ev, k.tries[ev.ID]); err != nil {
			return sdk.Ticket{}, err
		}
	}
	k.calls = append(k.calls, call{create, key, ev.ID, ev.Type, rec.Ref, rec.Condition})
	return sdk.Ticket{Key: key}, nil
}

// of gives what arrived about one record, in order.
func (k *tracker) of(ref string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []string
	for _, c := range k.calls {
		if c.ref == ref {
			list = append(list, c.kind+"/"+c.condition)
		}
	}
	return list
}

// scene is a register on the real store with an outbox.
type scene struct {
	*testing.T
	store model.Store
	reg   *register.Register
	n     int
}

func newScene(t *testing.T) *scene {
	s := &scene{T: t, store: storetest.Open(t)}
	s.reopen()
	return s
}

func (s *scene) reopen() {
	s.Helper()
	reg, err := register.Open(s.Context(), s.store, s.store, register.Options{Clock: func() time.Time { return epoch.Add(time.Hour) }})
	if err != nil {
		s.Fatal(err)
	}
	s.reg = reg
}

func (s *scene) say(feature string, v signal.Verdict) {
	s.Helper()
	limit, err := rules.ParseLimit("> 0.25")
	if err != nil {
		s.Fatal(err)
	}
	s.n++
	value, end := 0.31, epoch.Add(time.Duration(s.n)*10*time.Second)
	rule := &rules.Effective{Rule: rules.Rule{
		ID: "DRF-01", Version: 1, Title: "Input feature drift", Fail: limit, Subject: []string{"evenkeel_feature_name"},
		OnFail: rules.OnFail{Opens: rules.OpensObservation},
	}}
	state := model.StateOK
	if v == signal.Fail {
		state = model.StateFiring
	}
	err = s.reg.Consume(s.Context(), rule, model.Evaluation{
		ID: fmt.Sprintf("evaluation %d", s.n), Rule: "DRF-01", System: "loan", Verdict: v, State: state, Value: &value,
		Subject: map[string]string{"evenkeel_feature_name": feature}, WindowStart: end.Add(-10 * time.Second), WindowEnd: end, EvaluatedAt: end,
	})
	if err != nil {
		s.Fatal(err)
	}
}

// run runs an outbox until done says so, and stops it.
func (s *scene) run(sink notify.Sink, done func(o *notify.Outbox) bool) *notify.Outbox {
	s.Helper()
	return s.runWith(notify.Options{RetryMin: time.Millisecond, RetryMax: 10 * time.Millisecond, Window: 4}, sink, done)
}

func (s *scene) runWith(o notify.Options, sink notify.Sink, done func(o *notify.Outbox) bool) *notify.Outbox {
	s.Helper()
	outbox, err := notify.Open(s.Context(), s.reg, s.store, []notify.Sink{sink}, o)
	if err != nil {
		s.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.Context())
	finished := make(chan struct{})
	go func() { defer close(finished); outbox.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); !done(outbox); {
		if time.Now().After(deadline) {
			stop()
			<-finished
			s.Fatalf("not done in time: %+v", outbox.Status())
		}
		time.Sleep(2 * time.Millisecond)
	}
	stop()
	<-finished
	return outbox
}

func delivered(n uint64) func(*notify.Outbox) bool {
	return func(o *notify.Outbox) bool { return o.Status()[0].Delivered == n }
}

func TestLifeArrivesInOrderAndOnceAcrossRestarts(t *testing.T) {
	s := newScene(t)
	s.say("income", signal.Fail)
	for range 6 { // occurrences are not handed over, and fill more than one window of the journal
		s.say("income", signal.Fail)
	}
	s.say("age", signal.Fail)
	s.say("income", signal.Pass)
	far := &tracker{}
	s.run(far, delivered(3))

	s.say("income", signal.Fail)
	s.reopen()
	outbox := s.run(far, delivered(4))
	want := []string{"opened/failing", "cleared/cleared", "failing/failing"}
	if got := far.of("NC-2026-00001"); !slices.Equal(got, want) {
		t.Errorf("income: %v; want %v", got, want)
	}
	if got := far.of("NC-2026-00002"); !slices.Equal(got, []string{"opened/failing"}) {
		t.Errorf("age: %v; want it once", got)
	}
	for _, c := range far.calls {
		if c.create != (c.kind == "opened") || c.key != "T-"+c.ref {
			t.Errorf("%+v: want Create for the first event only, under one key", c)
		}
	}
	id := s.reg.List(model.RecordFilter{})[1].Record.ID
	if got := outbox.Tickets(id)["tracker"]; got != "T-NC-2026-00001" {
		t.Errorf("after a restart the ticket is %q", got)
	}
}

func TestRetryHoldsBackOnlyItsOwnRecord(t *testing.T) {
	s := newScene(t)
	s.say("income", signal.Fail)
	for range 9 { // occurrences take no place in the window of four
		s.say("income", signal.Fail)
	}
	s.say("income", signal.Pass)
	s.say("age", signal.Fail)
	far := &tracker{}
	others := make(chan struct{})
	far.fail = func(ev sdk.Event, nth int) error {
		var d struct{ Ref string }
		if json.Unmarshal(ev.Data, &d) == nil && d.Ref == "NC-2026-00002" {
			close(others)
		}
		select {
		case <-others:
			if nth > 2 || ev.Seq > 1 || d.Ref == "NC-2026-00002" {
				return nil
			}
		default:
		}
		return errs.E("create", errs.Unavailable, errors.New("away"), "")
	}
	s.run(far, delivered(3))
	if got := far.calls[0].ref; got != "NC-2026-00002" {
		t.Errorf("the first to arrive is %s; the other record was held back", got)
	}
	if got, want := far.of("NC-2026-00001"), []string{"opened/failing", "cleared/cleared"}; !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
	past, err := s.store.Deliveries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range past {
		if !d.OK {
			t.Errorf("the newest delivery of %s failed: %s", d.Event, d.Error)
		}
	}
}

func TestRefusalIsFinalAcrossRestarts(t *testing.T) {
	s := newScene(t)
	s.say("income", signal.Fail)
	far := &tracker{fail: func(sdk.Event, int) error {
		return errs.E("create", errs.Invalid, errors.New("no such project"), "")
	}}
	refused := func(o *notify.Outbox) bool { return o.Status()[0].Refused == 1 }
	s.run(far, refused)
	s.reopen()
	s.say("age", signal.Fail)
	outbox := s.run(far, func(o *notify.Outbox) bool { return o.Status()[0].Refused == 2 })
	if s := outbox.Status()[0]; s.LastError == "" || s.Delivered != 0 {
		t.Errorf("got %+v; want the refusal to be seen", s)
	}
	for id, n := range far.tries {
		if n != 1 {
			t.Errorf("event %s was tried %d times; want once", id, n)
		}
	}
}

func TestAttemptsGoOnCountingAfterARestart(t *testing.T) {
	s := newScene(t)
	s.say("income", signal.Fail)
	far := &tracker{fail: func(sdk.Event, int) error { return errs.E("create", errs.Unavailable, errors.New("away"), "") }}
	tried := func(n int) func(*notify.Outbox) bool {
		return func(*notify.Outbox) bool {
			past, err := s.store.Deliveries(t.Context())
			return err == nil && len(past) == 1 && past[0].Attempt >= n
		}
	}
	s.run(far, tried(3))
	far.mu.Lock()
	far.fail = nil
	far.mu.Unlock()
	s.reopen()
	s.run(far, delivered(1))
	past, err := s.store.Deliveries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(past) != 1 || !past[0].OK || past[0].Attempt < 4 || past[0].Ticket != "T-NC-2026-00001" {
		t.Errorf("got %+v; want one delivery, its attempt above 3", past)
	}
}
