package api

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Baselines is the register of baselines (collector/baseline).
type Baselines interface {
	Push(ctx context.Context, system signal.SystemID, ref signal.ModelRef, raw []byte) (model.BaselineEntry, error)
	List(ctx context.Context, f model.BaselineFilter, state string) ([]model.BaselineEntry, error)
	Show(ctx context.Context, digest string) (*model.BaselineRegistration, error)
	Decide(ctx context.Context, digest string, d model.BaselineDecision) (model.BaselineDecision, error)
	// Entry gives what holds about a baseline for a model version.
	Entry(info model.BaselineInfo) model.BaselineEntry
}

// pushBaseline answers POST /baselines: a baseline as evenkeel baseline build
// writes it.
func (h *handler) pushBaseline(w http.ResponseWriter, r *http.Request) {
	if h.Baselines == nil {
		h.notFound(w, r)
		return
	}
	leave, raw, err := h.readWhole(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	q := r.URL.Query()
	ref := signal.ModelRef{Name: q.Get("model"), Version: q.Get("version")}
	entry, err := h.Baselines.Push(r.Context(), signal.SystemID(q.Get("system")), ref, raw)
	if err != nil {
		h.failTaken(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, struct {
		Baseline model.BaselineEntry `json:"baseline"`
	}{entry})
}

// listBaselines answers GET /baselines.
func (h *handler) listBaselines(w http.ResponseWriter, r *http.Request) {
	if h.Baselines == nil {
		h.notFound(w, r)
		return
	}
	q := r.URL.Query()
	found, err := h.Baselines.List(r.Context(), model.BaselineFilter{System: signal.SystemID(q.Get("system")), Model: q.Get("model")}, q.Get("state"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Baselines []model.BaselineEntry `json:"baselines"`
	}{found})
}

// showBaseline answers GET /baselines/{digest}/registration.
func (h *handler) showBaseline(w http.ResponseWriter, r *http.Request) {
	if h.Baselines == nil {
		h.notFound(w, r)
		return
	}
	found, err := h.Baselines.Show(r.Context(), chi.URLParam(r, "digest"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, found)
}

// decision is the body of POST /baselines/{digest}/approve and withdraw.
type decision struct {
	By     string          `json:"by"`
	Basis  string          `json:"basis"`
	System signal.SystemID `json:"system"` // may be left out where there is one only
	Model  string          `json:"model"`  // likewise
}

// decideBaseline answers both.
func (h *handler) decideBaseline(state string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if h.Baselines == nil {
			h.notFound(w, r)
			return
		}
		var body decision
		if err := readJSON(r, &body); err != nil {
			h.fail(w, r, err)
			return
		}
		decided, err := h.Baselines.Decide(r.Context(), chi.URLParam(r, "digest"), model.BaselineDecision{
			System: body.System, Model: body.Model, State: state, By: person(body.By), Basis: body.Basis,
		})
		if err != nil {
			h.failTaken(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, struct {
			Decision model.BaselineDecision `json:"decision"`
		}{decided})
	}
}
