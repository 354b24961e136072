package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// recordList is the answer to GET /nonconformities.
type recordList struct {
	Nonconformities []model.Record     `json:"nonconformities"`
	Faults          []model.ChainFault `json:"faults,omitempty"` // chains that do not verify
}

// recordDetail is the answer about one record.
type recordDetail struct {
	Nonconformity model.Record      `json:"nonconformity"`
	Events        []event           `json:"events,omitempty"`
	Tickets       map[string]string `json:"tickets,omitempty"` // by sink
	Fault         *model.ChainFault `json:"fault,omitempty"`
}

// event is one link of a record's chain.
type event struct {
	ID       string          `json:"id"`
	Seq      uint64          `json:"seq"`
	Time     time.Time       `json:"time"`
	Type     string          `json:"type"`
	Actor    model.Actor     `json:"actor"`
	Data     json.RawMessage `json:"data"`
	PrevHash signal.Digest   `json:"prev_hash,omitempty"`
	Hash     signal.Digest   `json:"hash"`
}

func (h *handler) listRecords(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := recordList{Nonconformities: []model.Record{}, Faults: h.Register.Faults()}
	for _, e := range h.Register.List(model.RecordFilter{
		State: q.Get("state"), Kind: q.Get("kind"), Condition: q.Get("condition"),
		Rule: signal.RuleID(q.Get("rule")), System: signal.SystemID(q.Get("system")),
	}) {
		list.Nonconformities = append(list.Nonconformities, e.Record)
	}
	writeJSON(w, http.StatusOK, list)
}

func (h *handler) getRecord(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "name")
	entry, err := h.Register.Get(name)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	events, err := h.Register.Events(name)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	detail := recordDetail{Nonconformity: entry.Record, Fault: entry.Fault}
	for _, ev := range events {
		detail.Events = append(detail.Events, event{ev.ID, ev.Seq, ev.Time, ev.Type, ev.Actor, ev.Data, ev.PrevHash, ev.Hash})
	}
	if h.Tickets != nil {
		detail.Tickets = h.Tickets(entry.Record.ID)
	}
	writeJSON(w, http.StatusOK, detail)
}

// acknowledgement is the body of POST /nonconformities/{name}/acknowledge.
type acknowledgement struct {
	By   string `json:"by"`
	Note string `json:"note"`
}

func (h *handler) acknowledge(w http.ResponseWriter, r *http.Request) {
	var body acknowledgement
	if err := readJSON(r, &body); err != nil {
		h.fail(w, r, err)
		return
	}
	rec, err := h.Register.Acknowledge(r.Context(), chi.URLParam(r, "name"), person(body.By), body.Note)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, recordDetail{Nonconformity: rec})
}

func person(name string) model.Actor { return model.Actor{ID: name, Kind: "person"} }

// criteriaList is the answer to GET /criteria.
type criteriaList struct {
	Criteria []model.Criterion `json:"criteria"`
}

func (h *handler) listCriteria(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, criteriaList{h.Register.Criteria()})
}

// approval is the body of POST /criteria.
type approval struct {
	Rule   signal.RuleID   `json:"rule"`
	System signal.SystemID `json:"system"`
	By     string          `json:"by"`
	Basis  string          `json:"basis"`
}

func (h *handler) approve(w http.ResponseWriter, r *http.Request) {
	var body approval
	err := readJSON(r, &body)
	if err == nil && h.Known != nil {
		err = h.Known(r.Context(), body.Rule, body.System)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	criterion, err := h.Register.ApproveCriterion(r.Context(), body.Rule, body.System, person(body.By), body.Basis)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, struct {
		Criterion model.Criterion `json:"criterion"`
	}{criterion})
}
