package register_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// life is a register on the real store.
type life struct {
	*testing.T
	store model.Store
	reg   *register.Register
}

func newLife(t *testing.T) *life {
	l := &life{T: t, store: storetest.Open(t)}
	l.restart()
	return l
}

func (l *life) restart() {
	l.Helper()
	reg, err := register.Open(l.Context(), l.store, l.store, register.Options{Clock: func() time.Time { return epoch.Add(time.Hour) }})
	if err != nil {
		l.Fatal(err)
	}
	l.reg = reg
}

func (l *life) consume(evs ...model.Evaluation) {
	l.Helper()
	for _, ev := range evs {
		if err := l.reg.Consume(l.Context(), driftRule(l.T, "> 0.25"), ev); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *life) approve() {
	l.Helper()
	if _, err := l.reg.ApproveCriterion(l.Context(), "DRF-01", system, officer, "AI policy 4.2"); err != nil {
		l.Fatal(err)
	}
}

// only gives the one record there must be.
func (l *life) only() model.Record {
	l.Helper()
	list := l.reg.List(model.RecordFilter{})
	if len(list) != 1 {
		l.Fatalf("%d records; want 1", len(list))
	}
	return list[0].Record
}

func (l *life) types(ref string) []string {
	l.Helper()
	events, err := l.reg.Events(ref)
	if err != nil {
		l.Fatal(err)
	}
	var types []string
	for _, ev := range events {
		types = append(types, ev.Type)
	}
	return types
}

func fail(n int, version string, value float64) model.Evaluation {
	return verdict(n, "income", version, signal.Fail, model.StateFiring, value)
}

func pass(n int, version string) model.Evaluation {
	return verdict(n, "income", version, signal.Pass, model.StateOK, 0.05)
}

func TestApprovedCriterionOpensNonconformity(t *testing.T) {
	l := newLife(t)
	l.approve()
	l.restart() // approvals survive
	l.consume(verdict(1, "income", "1", signal.Fail, model.StatePending, 0.4))
	if n := len(l.reg.List(model.RecordFilter{})); n != 0 {
		t.Fatalf("a pending fail opened %d records", n)
	}
	firing := fail(2, "1", 0.31)
	firing.Streak = 2
	l.consume(firing)
	rec := l.only()
	switch {
	case rec.Ref != "NC-2026-00001" || rec.Kind != register.Nonconformity || rec.Severity != "minor" || rec.State != "open":
		t.Errorf("got %s, %s %s, %s", rec.Ref, rec.Severity, rec.Kind, rec.State)
	case rec.Value == nil || *rec.Value != 0.31 || rec.Limit != "> 0.25" || rec.Statement != "income is 0.31, above 0.25":
		t.Errorf("got value %v, limit %q, statement %q", rec.Value, rec.Limit, rec.Statement)
	case rec.Requirements[0] != model.Requirement{Framework: "iso42001", Ref: "9.1"}:
		t.Errorf("the first requirement is %v", rec.Requirements[0])
	case rec.Subject["evenkeel_model_version"] != "" || rec.Subject["service_instance_id"] != "":
		t.Errorf("the subject holds labels that come and go: %v", rec.Subject)
	case !rec.DetectedAt.Equal(epoch.Add(length)) || !rec.OpenedAt.Equal(firing.EvaluatedAt):
		t.Errorf("detected %s, opened %s; want the end of the first failing window, and the evaluation", rec.DetectedAt, rec.OpenedAt)
	}
	l.restart()
	if again := l.only(); again.Head != rec.Head || again.Ref != rec.Ref {
		t.Errorf("after a restart the head is %s; want %s", again.Head, rec.Head)
	}
}

func TestVersionsShareARecordAndTheWorstWins(t *testing.T) {
	l := newLife(t)
	l.approve()
	l.consume(fail(1, "1", 0.31), fail(1, "2", 0.62), fail(2, "1", 0.28), pass(3, "1"))
	rec := l.only()
	if rec.Occurrences != 3 || *rec.Worst != 0.62 || len(rec.ModelVersions) != 2 {
		t.Errorf("got %d occurrences, worst %v, versions %v; want 3, 0.62 and two", rec.Occurrences, *rec.Worst, rec.ModelVersions)
	}
	if rec.Condition != register.Failing {
		t.Errorf("version 2 still fails, but the condition is %s", rec.Condition)
	}
	l.consume(pass(4, "2"), pass(4, "1"))
	if rec = l.only(); rec.Condition != register.Cleared || rec.ClearedAt == nil || rec.State != "open" {
		t.Errorf("both pass: condition %s, cleared at %v, state %s; want cleared and still open", rec.Condition, rec.ClearedAt, rec.State)
	}
	l.consume(fail(5, "1", 0.5))
	if rec = l.only(); rec.Condition != register.Failing || rec.ClearedAt != nil || rec.Occurrences != 4 {
		t.Errorf("failing again: condition %s, cleared at %v, %d occurrences", rec.Condition, rec.ClearedAt, rec.Occurrences)
	}
	want := []string{"opened", "occurrence", "occurrence", "passing", "cleared", "failing"}
	if got := l.types(rec.Ref); len(got) != len(want) {
		t.Errorf("events %v; want %v", got, want)
	} else {
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("events %v; want %v", got, want)
				break
			}
		}
	}
}

func TestUnapprovedOpensObservationAndTheNextFailPromotes(t *testing.T) {
	l := newLife(t)
	l.consume(fail(1, "1", 0.3))
	if rec := l.only(); rec.Kind != register.Observation || rec.State != "candidate" || rec.Severity != "" {
		t.Fatalf("got %s, %s, severity %q; want an observation that waits for judgement", rec.Kind, rec.State, rec.Severity)
	}
	l.approve()
	if rec := l.only(); rec.Kind != register.Observation {
		t.Fatal("an approval reached back")
	}
	l.consume(fail(2, "1", 0.3))
	l.restart()
	if rec := l.only(); rec.Kind != register.Nonconformity || rec.State != "open" || rec.Severity != "minor" || rec.Occurrences != 2 {
		t.Errorf("got %s, %s, %q, %d occurrences; want a minor nonconformity, open, 2", rec.Kind, rec.State, rec.Severity, rec.Occurrences)
	}
}

func TestSilenceOpensAnObservation(t *testing.T) {
	l := newLife(t)
	l.approve()
	silent := verdict(1, "income", "1", signal.NoData, model.StateFiring, 0)
	silent.Value = nil
	l.consume(silent)
	if rec := l.only(); rec.Kind != register.Observation || rec.Condition != register.SilentCause || rec.Value != nil {
		t.Errorf("got %s, %s, value %v", rec.Kind, rec.Condition, rec.Value)
	}
}

func TestSystemsDoNotShareARecord(t *testing.T) {
	l := newLife(t)
	first, second := fail(1, "1", 0.3), fail(2, "1", 0.3)
	second.System = "triage"
	delete(first.Subject, "evenkeel_system_id")
	delete(second.Subject, "evenkeel_system_id")
	l.consume(first, second)
	if n := len(l.reg.List(model.RecordFilter{})); n != 2 {
		t.Errorf("two systems have %d records", n)
	}
}

func TestShortSilenceChangesNothing(t *testing.T) {
	l := newLife(t)
	l.approve()
	silent := func(n int, state model.RuleState) model.Evaluation {
		ev := verdict(n, "income", "1", signal.NoData, state, 0)
		ev.Value = nil
		return ev
	}
	l.consume(fail(1, "1", 0.3), silent(2, model.StatePending))
	if rec := l.only(); rec.Condition != register.Failing {
		t.Errorf("one silent window made the condition %s", rec.Condition)
	}
	l.consume(silent(3, model.StateFiring))
	if rec := l.only(); rec.Condition != register.SilentCause || rec.Occurrences != 1 {
		t.Errorf("lasting silence: condition %s, %d occurrences; want no_data, 1", rec.Condition, rec.Occurrences)
	}
	l.consume(fail(4, "1", 0.3))
	if rec := l.only(); rec.Condition != register.Failing || rec.Occurrences != 2 {
		t.Errorf("failing again: condition %s, %d occurrences", rec.Condition, rec.Occurrences)
	}
}

func TestSubjectWithoutVersionClears(t *testing.T) {
	l := newLife(t)
	failing, passing := fail(1, "1", 0.3), pass(2, "1")
	delete(failing.Subject, "evenkeel_model_version")
	delete(passing.Subject, "evenkeel_model_version")
	l.consume(failing, passing)
	if rec := l.only(); rec.Condition != register.Cleared || len(rec.ModelVersions) != 0 {
		t.Errorf("condition %s, versions %v; want cleared, none", rec.Condition, rec.ModelVersions)
	}
}

func TestAcknowledge(t *testing.T) {
	l := newLife(t)
	l.consume(fail(1, "1", 0.3))
	ref := l.only().Ref
	if _, err := l.reg.Acknowledge(t.Context(), ref, model.Actor{Kind: "person"}, ""); errs.KindOf(err) != errs.Invalid {
		t.Errorf("nobody acknowledged: got %v", err)
	}
	if _, err := l.reg.Acknowledge(t.Context(), "NC-2026-99999", officer, ""); errs.KindOf(err) != errs.NotFound {
		t.Errorf("no such record: got %v", err)
	}
	if _, err := l.reg.Acknowledge(t.Context(), ref, officer, "looking at it"); err != nil {
		t.Fatal(err)
	}
	first := l.only()
	other := model.Actor{ID: "b.other", Kind: "person"}
	if _, err := l.reg.Acknowledge(t.Context(), first.ID, other, "me too"); err != nil {
		t.Fatal(err)
	}
	l.restart()
	if rec := l.only(); !rec.AwareAt.Equal(*first.AwareAt) || rec.AcknowledgeBy.ID != officer.ID || rec.Seq != 3 {
		t.Errorf("aware at %v by %v after %d events; want the first person's", rec.AwareAt, rec.AcknowledgeBy, rec.Seq)
	}
}

func TestChangedStoreIsFound(t *testing.T) {
	store := storetest.Open(t)
	l := &life{T: t, store: store}
	l.restart()
	l.consume(fail(1, "1", 0.31), fail(2, "1", 0.32), verdict(2, "age", "1", signal.Fail, model.StateFiring, 0.4))
	if faults := l.reg.Faults(); len(faults) != 0 {
		t.Fatal(faults)
	}
	err := store.Conn().Exec(context.Background(),
		"ALTER TABLE register_events UPDATE data = replaceOne(data, '0.32', '0.12') WHERE seq = 2 SETTINGS mutations_sync = 2")
	if err != nil {
		t.Fatal(err)
	}
	l.restart()
	faults := l.reg.Faults()
	if len(faults) != 1 || faults[0].Seq != 2 {
		t.Fatalf("found %v; want one fault at seq 2", faults)
	}
	for _, e := range l.reg.List(model.RecordFilter{}) {
		if flagged := e.Fault != nil; flagged != (e.Record.ID == faults[0].Record) {
			t.Errorf("%s: flagged %v", e.Record.Ref, flagged)
		}
	}
	l.consume(fail(3, "1", 0.33)) // evidence goes on being kept
	if n := len(l.reg.List(model.RecordFilter{})); n != 2 {
		t.Errorf("%d records; want 2", n)
	}
}

func TestWorstFollowsTheLimit(t *testing.T) {
	for _, c := range []struct {
		limit  string
		values []float64
		worst  float64
	}{
		{"> 0.25", []float64{0.3, 0.9, 0.4}, 0.9},
		{"< 0.8", []float64{0.7, 0.2, 0.5}, 0.2},
		{"outside [-0.1, 0.1]", []float64{0.2, -0.5, 0.3}, -0.5},
	} {
		l := newLife(t)
		for i, v := range c.values {
			if err := l.reg.Consume(t.Context(), driftRule(t, c.limit), fail(i+1, "1", v)); err != nil {
				t.Fatal(err)
			}
		}
		if got := *l.only().Worst; got != c.worst {
			t.Errorf("%s: worst of %v is %v; want %v", c.limit, c.values, got, c.worst)
		}
	}
}
