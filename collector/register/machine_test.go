package register_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// faulty is the real store, which fails on demand: before or after it keeps a
// batch, and with a byte that comes back other than it was written.
type faulty struct {
	*clickhouse.Store
	fault    string                     // "before" or "after": the next write fails there
	tampered map[string]json.RawMessage // by event: the data that is read
}

func (f *faulty) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	fault := f.fault
	f.fault = ""
	away := errs.E("write", errs.Other, errors.New("injected"), "") // tried again by the caller, not inside
	if fault == "before" {
		return away
	}
	if doubt != model.InDoubt {
		return errors.New("the register must always write in doubt")
	}
	if err := f.Store.Write(ctx, batch, rows, doubt); err != nil || fault != "after" {
		return err
	}
	return away
}

func (f *faulty) RegisterEvents(ctx context.Context) ([]model.RegisterEvent, error) {
	events, err := f.Store.RegisterEvents(ctx)
	for i := range events {
		if data, ok := f.tampered[events[i].ID]; ok {
			events[i].Data = data
		}
	}
	return events, err
}

// machine drives a register through any sequence of acts.
type machine struct {
	t      *testing.T
	store  *faulty
	reg    *register.Register
	window int
	past   []model.Evaluation
	now    time.Time
}

func (m *machine) open(t *rapid.T) {
	reg, err := register.Open(t.Context(), m.store, m.store, register.Options{Clock: func() time.Time { return m.now }})
	if err != nil {
		t.Fatal(err)
	}
	m.reg = reg
}

// consume hands an evaluation over, again and again until it is stored.
func (m *machine) consume(t *rapid.T, ev model.Evaluation) {
	for m.reg.Consume(t.Context(), driftRule(m.t, "> 0.25"), ev) != nil {
	}
}

// stored gives every event that the store holds.
func (m *machine) stored(t *rapid.T) []model.RegisterEvent {
	events, err := m.store.RegisterEvents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func (m *machine) evaluate(t *rapid.T) {
	v := rapid.SampledFrom([]signal.Verdict{signal.Pass, signal.Warn, signal.Fail, signal.Fail, signal.NoData, signal.Error}).Draw(t, "verdict")
	state := model.StateOK
	if v == signal.Fail || v == signal.NoData {
		state = rapid.SampledFrom([]model.RuleState{model.StatePending, model.StateFiring, model.StateFiring}).Draw(t, "state")
	}
	m.window++
	m.now = epoch.Add(time.Duration(m.window)*length + 1500*time.Millisecond)
	ev := verdict(m.window,
		rapid.SampledFrom([]string{"income", "age"}).Draw(t, "feature"),
		rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version"),
		v, state, rapid.Float64Range(0, 3).Draw(t, "value"))
	m.past = append(m.past, ev)
	m.store.fault = rapid.SampledFrom([]string{"", "", "before", "after"}).Draw(t, "fault")
	m.consume(t, ev)
	m.store.fault = "" // an evaluation without an event writes nothing
}

func (m *machine) repeat(t *rapid.T) {
	if len(m.past) == 0 {
		t.Skip("nothing to repeat")
	}
	before := m.stored(t)
	ev := rapid.SampledFrom(m.past).Draw(t, "evaluation")
	caused := slices.ContainsFunc(before, func(e model.RegisterEvent) bool { return strings.Contains(string(e.Data), ev.ID) })
	if !caused {
		t.Skip("an evaluation without an event may cause one later")
	}
	m.consume(t, ev)
	if len(m.stored(t)) != len(before) {
		t.Fatalf("evaluation %s caused a second event", ev.ID)
	}
}

func (m *machine) acknowledge(t *rapid.T) {
	list := m.reg.List(model.RecordFilter{})
	if len(list) == 0 {
		t.Skip("no record")
	}
	ref := rapid.SampledFrom(list).Draw(t, "record").Record.Ref
	rec, err := m.reg.Acknowledge(t.Context(), ref, officer, "seen")
	if err != nil || rec.AwareAt == nil || rec.AcknowledgeBy.ID != officer.ID {
		t.Fatalf("acknowledge: %+v, %v", rec, err)
	}
}

func (m *machine) approve(t *rapid.T) {
	if _, err := m.reg.ApproveCriterion(t.Context(), "DRF-01", system, officer, "policy 4.2"); err != nil {
		t.Fatal(err)
	}
}

// restart opens the register from its events: nothing may change.
func (m *machine) restart(t *rapid.T) {
	before, approved := m.reg.List(model.RecordFilter{}), m.reg.Criteria()
	m.open(t)
	if got, want := printed(m.reg.List(model.RecordFilter{})), printed(before); got != want {
		t.Fatalf("after a restart:\n%s\nwant\n%s", got, want)
	}
	if got, want := fmt.Sprint(m.reg.Criteria()), fmt.Sprint(approved); got != want {
		t.Fatalf("criteria after a restart: %s; want %s", got, want)
	}
}

// check holds after every step.
func (m *machine) check(t *rapid.T) {
	keys := map[signal.Digest]string{}
	for _, e := range m.reg.List(model.RecordFilter{State: model.AnyOpen}) {
		if e.Fault != nil {
			t.Fatal(e.Fault)
		}
		if other := keys[e.Record.DedupKey]; other != "" {
			t.Fatalf("%s and %s are open with one key", other, e.Record.Ref)
		}
		keys[e.Record.DedupKey] = e.Record.Ref
		m.checkRecord(t, e.Record)
	}
}

// checkRecord compares the projection with a plain recount of the events.
func (m *machine) checkRecord(t *rapid.T, rec model.Record) {
	events, err := m.reg.Events(rec.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if fault := register.Verify(events); fault != nil {
		t.Fatal(fault)
	}
	counted := map[string]uint64{}
	for _, ev := range events {
		counted[ev.Type]++
	}
	fails := counted[register.EventOpened] + counted[register.EventOccurrence] + counted[register.EventFailing] + counted[register.EventPromoted]
	if rec.Occurrences != fails {
		t.Fatalf("%s: %d occurrences; its events say %d", rec.Ref, rec.Occurrences, fails)
	}
	if (rec.ClearedAt != nil) != (rec.Condition == register.Cleared) {
		t.Fatalf("%s: condition %s, cleared at %v", rec.Ref, rec.Condition, rec.ClearedAt)
	}
	if (rec.Severity != "") != (rec.Kind == register.Nonconformity) {
		t.Fatalf("%s: a %s of severity %q", rec.Ref, rec.Kind, rec.Severity)
	}
	if rec.Kind == register.Nonconformity && len(m.reg.Criteria()) == 0 {
		t.Fatalf("%s is a nonconformity of a criterion that nobody approved", rec.Ref)
	}
	if rec.Worst != nil && rec.Value != nil && *rec.Worst < *rec.Value {
		t.Fatalf("%s: worst %v is better than the first %v", rec.Ref, *rec.Worst, *rec.Value)
	}
}

func printed(list []model.RecordEntry) string {
	var b strings.Builder
	for _, e := range list {
		r := e.Record
		at := func(t *time.Time) string {
			if t == nil {
				return "-"
			}
			return t.String()
		}
		number := func(v *float64) string {
			if v == nil {
				return "-"
			}
			return fmt.Sprint(*v)
		}
		fmt.Fprintln(&b, r.Ref, r.ID, r.Kind, r.Severity, r.State, r.Condition, r.Subject, r.ModelVersions, r.Occurrences,
			number(r.Value), number(r.Worst), number(r.Last), r.DetectedAt, r.OpenedAt, r.LastSeenAt, at(r.ClearedAt), at(r.AwareAt), r.Seq, r.Head, e.Fault)
	}
	return b.String()
}

func TestMachine(t *testing.T) {
	fewer(t, "8")
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: t, store: &faulty{Store: storetest.Open(t)}, now: epoch}
		m.open(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"evaluate": m.evaluate, "evaluate again": m.repeat, "acknowledge": m.acknowledge,
			"approve": m.approve, "restart": m.restart, "": m.check,
		})
		if events := m.stored(rt); len(events) > 0 {
			m.tamper(rt, events)
		}
	})
}

// fewer sets how many sequences are tried where -rapid.checks does not: each
// has a database of its own, and every step is stored.
func fewer(t *testing.T, checks string) {
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(checks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
}

// tamper changes one byte of one stored event and expects to hear of it.
func (m *machine) tamper(t *rapid.T, events []model.RegisterEvent) {
	ev := rapid.SampledFrom(events).Draw(t, "event")
	data := slices.Clone(ev.Data)
	at := rapid.IntRange(0, len(data)-1).Draw(t, "byte")
	data[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
	m.store.tampered = map[string]json.RawMessage{ev.ID: data}
	m.open(t)
	faults := m.reg.Faults()
	if len(faults) != 1 || faults[0].Record != ev.Record || faults[0].Seq != ev.Seq {
		t.Fatalf("byte %d of event %d of %s was changed; found: %v", at, ev.Seq, ev.Record, faults)
	}
}
