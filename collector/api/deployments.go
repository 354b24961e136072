package api

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Deployments is the register of deployments (collector/deployments).
type Deployments interface {
	Approve(ctx context.Context, d model.Deployment) (model.Deployment, error)
	Withdraw(ctx context.Context, id string, by model.Actor, basis string) (model.Deployment, error)
	List(f model.DeploymentFilter) []model.DeploymentHistory
}

// deploymentBody is the body of POST /deployments.
type deploymentBody struct {
	System  signal.SystemID   `json:"system"`
	Model   string            `json:"model"`
	Version string            `json:"version"`
	Digests map[string]string `json:"digests"`
	By      string            `json:"by"`
	Basis   string            `json:"basis"`
}

// deploymentAnswer is the answer to both decisions.
type deploymentAnswer struct {
	Deployment model.Deployment `json:"deployment"`
}

// listDeployments answers GET /deployments.
func (h *handler) listDeployments(w http.ResponseWriter, r *http.Request) {
	if h.Deployments == nil {
		h.notFound(w, r)
		return
	}
	q := r.URL.Query()
	writeJSON(w, http.StatusOK, struct {
		Deployments []model.DeploymentHistory `json:"deployments"`
	}{h.Deployments.List(model.DeploymentFilter{System: signal.SystemID(q.Get("system")), Model: q.Get("model"), State: q.Get("state")})})
}

// approveDeployment answers POST /deployments.
func (h *handler) approveDeployment(w http.ResponseWriter, r *http.Request) {
	if h.Deployments == nil {
		h.notFound(w, r)
		return
	}
	var body deploymentBody
	if err := readJSON(r, &body); err != nil {
		h.fail(w, r, err)
		return
	}
	d, err := h.Deployments.Approve(r.Context(), model.Deployment{
		System: body.System, Model: body.Model, Version: body.Version, Digests: body.Digests, By: person(body.By), Basis: body.Basis,
	})
	if err != nil {
		h.failTaken(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, deploymentAnswer{d})
}

// withdrawDeployment answers POST /deployments/{id}/withdraw.
func (h *handler) withdrawDeployment(w http.ResponseWriter, r *http.Request) {
	if h.Deployments == nil {
		h.notFound(w, r)
		return
	}
	var body struct {
		By    string `json:"by"`
		Basis string `json:"basis"`
	}
	if err := readJSON(r, &body); err != nil {
		h.fail(w, r, err)
		return
	}
	d, err := h.Deployments.Withdraw(r.Context(), chi.URLParam(r, "id"), person(body.By), body.Basis)
	if err != nil {
		h.failTaken(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, deploymentAnswer{d})
}
