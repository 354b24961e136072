package register_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Decisions are a chain of their own: they survive a restart, are no records, and
// a changed byte is found.
func TestDecisionsAboutBaselinesStay(t *testing.T) {
	store := &faulty{Store: storetest.Open(t)}
	at := epoch
	open := func() *register.Register {
		r, err := register.Open(t.Context(), store, store, register.Options{Clock: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	decide := func(state, name, basis string, by model.Actor) (model.BaselineDecision, error) {
		at = at.Add(time.Minute)
		return r.DecideBaseline(t.Context(), model.BaselineDecision{Digest: "sha256:b1", System: system, Model: name, State: state, By: by, Basis: basis})
	}
	for name, c := range map[string]struct {
		state, model, basis string
		by                  model.Actor
	}{
		"no basis":    {model.BaselineApproved, "loan", " ", officer},
		"no person":   {model.BaselineApproved, "loan", "report", model.Actor{}},
		"a service":   {model.BaselineApproved, "loan", "report", model.Actor{ID: "x", Kind: "service"}},
		"no model":    {model.BaselineApproved, "", "report", officer},
		"no decision": {model.BaselineProposed, "loan", "report", officer},
	} {
		if _, err := decide(c.state, c.model, c.basis, c.by); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	first, err := decide(model.BaselineApproved, "loan", "report 1", officer)
	if err != nil || first.ID == "" || !first.At.Equal(at) {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := decide(model.BaselineWithdrawn, "card", "never used", officer); err != nil {
		t.Fatal(err)
	}
	store.fault = "after"
	if _, err := decide(model.BaselineWithdrawn, "loan", "new form", officer); err == nil {
		t.Fatal("an unclear outcome is no success")
	}
	if _, err := decide(model.BaselineWithdrawn, "loan", "again", officer); errs.KindOf(err) != errs.Conflict {
		t.Errorf("withdrawn twice: %v", err)
	}
	for range 2 {
		if d := r.BaselineDecision("sha256:b1", system, "loan"); d == nil || d.State != model.BaselineWithdrawn || d.Basis != "new form" || d.By != officer {
			t.Errorf("loan: %+v", d)
		}
		if d := r.BaselineDecision("sha256:b1", "cards", "loan"); d != nil {
			t.Errorf("of another system: %+v", d)
		}
		if all := r.BaselineHistory("sha256:b1"); len(all) != 3 || all[0].ID != first.ID || all[1].Model != "card" || all[2].Basis != "new form" {
			t.Errorf("history: %+v", all)
		}
		if records, events := r.List(model.RecordFilter{}), journal(r); len(records) != 0 || events != 0 || len(r.Faults()) != 0 {
			t.Errorf("records %+v, %d events, faults %+v", records, events, r.Faults())
		}
		r = open()
	}
	store.tampered = map[string]json.RawMessage{first.ID: json.RawMessage(`{"digest":"sha256:b1","system":"loan-approval","model":"loan","state":"approved"}`)}
	if faults := open().Faults(); len(faults) != 1 || faults[0].Seq != 1 {
		t.Errorf("a changed decision: %+v", faults)
	}
}

func journal(r *register.Register) int {
	events, _ := r.Journal(0, 100)
	return len(events)
}
