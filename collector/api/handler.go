package api

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/evenkeel/evenkeel/collector/model"
)

// handler answers requests.
type handler struct {
	Options
	taking chan struct{} // one for each request whose labels are being read
}

// New gives the whole API and the page.
func New(o Options) http.Handler {
	o.fill()
	h := &handler{Options: o, taking: make(chan struct{}, labelsAtOnce)}
	r := chi.NewRouter()
	r.Use(h.headers, h.timed)
	r.NotFound(h.notFound)
	r.MethodNotAllowed(h.methodNotAllowed)
	r.Get("/healthz", h.healthy)
	r.Get("/readyz", h.ready)
	r.Group(func(r chi.Router) {
		r.Use(h.sameMachine, h.sameOrigin, h.authenticated)
		r.Get("/", h.page)
		r.Get("/style.css", h.style)
		if o.Metrics != nil {
			r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
		}
		r.Route("/api/v1", h.routes)
		r.Route("/prometheus", h.prometheus)
	})
	return r
}

func (h *handler) routes(r chi.Router) {
	r.With(upTo(h.MaxLabels)).Post("/labels", h.postLabels)
	r.With(upTo(h.MaxLabels)).Post("/lineage", h.postLineage)
	r.With(upTo(h.MaxLabels)).Post("/baselines", h.pushBaseline)
	r.With(upTo(h.MaxLabels)).Post("/reviews", h.postReviews)
	r.With(upTo(h.MaxLabels)).Post("/alertmanager", h.postAlerts)
	r = r.With(upTo(h.MaxBody))
	r.Get("/nonconformities", h.listRecords)
	r.Get("/nonconformities/{name}", h.getRecord)
	r.Post("/nonconformities/{name}/acknowledge", h.acknowledge)
	r.Get("/criteria", h.listCriteria)
	r.Post("/criteria", h.approve)
	r.Get("/evaluations", h.listEvaluations)
	r.Get("/windows", h.listWindows)
	r.Get("/compare", h.compare)
	r.Get("/baselines", h.listBaselines)
	r.Get("/baselines/{digest}", h.getBaseline)
	r.Get("/baselines/{digest}/registration", h.showBaseline)
	r.Post("/baselines/{digest}/approve", h.decideBaseline(model.BaselineApproved))
	r.Post("/baselines/{digest}/withdraw", h.decideBaseline(model.BaselineWithdrawn))
	r.Get("/deployments", h.listDeployments)
	r.Post("/deployments", h.approveDeployment)
	r.Post("/deployments/{id}/withdraw", h.withdrawDeployment)
	r.Get("/lineage/graph", h.lineageGraph)
	r.Get("/lineage/node", h.lineageNode)
	r.Get("/predictions/{id}/lineage", h.predictionLineage)

	h.promRoutes(r)
	r.Get("/labels", h.prom(h.labelNames)) // POST is shared with labels of predictions
}

func (h *handler) healthy(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, "alive\n")
}

// ready says no more than yes or no, since it answers without a token; the
// reason goes into the log.
func (h *handler) ready(w http.ResponseWriter, r *http.Request) {
	if h.Ready != nil {
		if err := h.Ready(r.Context()); err != nil {
			h.Log.Warn("not ready", "error", err)
			writeText(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
	}
	writeText(w, http.StatusOK, "ready\n")
}

// timed limits a request's time.
func (h *handler) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), h.Timeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// upTo limits the size of a request's body.
func upTo(limit int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
			next.ServeHTTP(w, r)
		})
	}
}
