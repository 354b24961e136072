package register_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// sharedRegister opens one more register over a store, as another process does.
func sharedRegister(t *testing.T, store interface {
	model.RegisterReader
	model.Writer
},
) *register.Register {
	t.Helper()
	r, err := register.Open(t.Context(), store, store, register.Options{Shared: true, Refresh: time.Hour, Clock: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// meanwhile is the store, in which somebody else does something right before a
// write.
type meanwhile struct {
	*clickhouse.Store
	do func()
}

func (m *meanwhile) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.Store.Write(ctx, batch, rows, doubt)
}

// sound checks that no chain of the store is broken and gives all its records.
func sound(t *testing.T, store *clickhouse.Store) []model.RecordEntry {
	t.Helper()
	r := sharedRegister(t, store)
	if faults := r.Faults(); len(faults) > 0 {
		t.Errorf("broken: %v", faults)
	}
	return r.List(model.RecordFilter{})
}

// TestTheSlowerOfTwoEventsIsNotLost: both processes acknowledge the same record,
// one of them between the other's decision and its write. The slower is told so,
// and its second try comes after the faster one's.
func TestTheSlowerOfTwoEventsIsNotLost(t *testing.T) {
	store := storetest.Open(t)
	slow := &meanwhile{Store: store}
	a, b := sharedRegister(t, slow), sharedRegister(t, store)
	if err := a.Consume(t.Context(), driftRule(t, "> 0.25"), verdict(1, "income", "1", signal.Fail, model.StateFiring, 0.4)); err != nil {
		t.Fatal(err)
	}
	name := a.List(model.RecordFilter{})[0].Record.Ref
	slow.do = func() {
		if _, err := b.Acknowledge(context.Background(), name, model.Actor{ID: "faster", Kind: "person"}, "seen"); err != nil {
			t.Error(err)
		}
	}
	_, err := a.Acknowledge(t.Context(), name, model.Actor{ID: "slower", Kind: "person"}, "seen too")
	if errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("who came second was told: %v", err)
	}
	if _, err := a.Acknowledge(t.Context(), name, model.Actor{ID: "slower", Kind: "person"}, "seen too"); err != nil {
		t.Fatal(err)
	}
	sound(t, store)
	events, err := a.Events(name)
	if err != nil {
		t.Fatal(err)
	}
	var who []string
	for _, e := range events[1:] {
		who = append(who, e.Actor.ID)
	}
	if want := []string{"faster", "slower"}; !slices.Equal(who, want) {
		t.Errorf("acknowledged by %v, want %v", who, want)
	}
}

// TestTwoRecordsNeverShareAReference: another process opens a record between the
// decision to open one and its write.
func TestTwoRecordsNeverShareAReference(t *testing.T) {
	store := storetest.Open(t)
	slow := &meanwhile{Store: store}
	a, b := sharedRegister(t, slow), sharedRegister(t, store)
	rule, other := driftRule(t, "> 0.25"), driftRule(t, "> 0.25")
	other.ID = "DRF-02"
	second := verdict(1, "age", "1", signal.Fail, model.StateFiring, 0.5)
	second.Rule = other.ID
	slow.do = func() {
		if err := b.Consume(context.Background(), other, second); err != nil {
			t.Error(err)
		}
	}
	first := verdict(1, "income", "1", signal.Fail, model.StateFiring, 0.4)
	if err := a.Consume(t.Context(), rule, first); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("who came second was told: %v", err)
	}
	if err := a.Consume(t.Context(), rule, first); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, e := range sound(t, store) {
		refs = append(refs, e.Record.Ref)
	}
	if want := []string{"NC-2026-00002", "NC-2026-00001"}; !slices.Equal(refs, want) {
		t.Errorf("references %v, want %v", refs, want)
	}
}

// TestTheSameEvaluationTwiceOpensOneRecord: two evaluators, which a lease has not
// kept apart, hand the same evaluations over at the same time.
func TestTheSameEvaluationTwiceOpensOneRecord(t *testing.T) {
	store := storetest.Open(t)
	rule := driftRule(t, "> 0.25")
	var both sync.WaitGroup
	for range 2 {
		r := sharedRegister(t, store)
		both.Go(func() {
			for n := range 6 {
				ev := verdict(n+1, "income", "1", signal.Fail, model.StateFiring, 0.4)
				for err := errors.New("not yet"); err != nil; {
					if err = r.Consume(context.Background(), rule, ev); err != nil && !errs.Retryable(err) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	both.Wait()
	records := sound(t, store)
	if len(records) != 1 || records[0].Record.Occurrences != 6 {
		t.Errorf("%d records: %+v", len(records), records)
	}
}

// TestWhatOthersAppendIsTakenIn: records, approvals and the journal of another
// process come without opening the register again, and a change to what is
// already there is a fault.
func TestWhatOthersAppendIsTakenIn(t *testing.T) {
	store := storetest.Open(t)
	a, b := sharedRegister(t, store), sharedRegister(t, store)
	_, grown := b.Journal(0, 10)
	if err := a.Consume(t.Context(), driftRule(t, "> 0.25"), verdict(1, "income", "1", signal.Fail, model.StateFiring, 0.4)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ApproveCriterion(t.Context(), "DRF-01", system, officer, "policy 4"); err != nil {
		t.Fatal(err)
	}
	if len(b.List(model.RecordFilter{})) != 0 {
		t.Fatal("seen before it was read")
	}
	if err := b.TakeIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-grown
	if events, _ := b.Journal(0, 10); len(events) != 1 || len(b.Criteria()) != 1 || len(b.List(model.RecordFilter{})) != 1 {
		t.Errorf("journal %v, criteria %v", events, b.Criteria())
	}
	forged := model.RegisterEvent{ID: "x", Record: a.List(model.RecordFilter{})[0].Record.ID, Seq: 2, Type: register.EventAcknowledged, Time: epoch, Data: []byte("{}")}
	if err := store.Write(t.Context(), model.DerivedBatch(99), &model.Rows{Events: []model.RegisterEvent{forged}}, model.FirstTry); err != nil {
		t.Fatal(err)
	}
	if err := b.TakeIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.Faults()) != 1 || b.List(model.RecordFilter{})[0].Fault == nil {
		t.Error("a forged event is taken for a true one")
	}
}
