package api

import (
	"fmt"
	"net/http"
	"runtime"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/version"
)

// prometheus serves what a Prometheus server serves, below an address of its
// own, so that a data source or promtool that is given it needs nothing else.
func (h *handler) prometheus(r chi.Router) {
	r.Use(upTo(h.MaxBody))
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeProm(w, errs.E("request", errs.NotFound, fmt.Errorf("nothing is at %s", r.URL.Path), ""))
	})
	r.Get("/-/healthy", h.healthy)
	r.Get("/-/ready", h.ready)
	r.Route("/api/v1", func(r chi.Router) {
		h.promRoutes(r)
		r.Get("/labels", h.prom(h.labelNames))
		r.Post("/labels", h.prom(h.labelNames))
	})
}

// promRoutes are those that stand under /api/v1 as well, where /labels is two
// things.
func (h *handler) promRoutes(r chi.Router) {
	for path, answer := range map[string]func(*http.Request) (any, error){
		"/query": h.instant, "/query_range": h.queryRange, "/series": h.series,
		"/query_exemplars": h.exemplars, "/format_query": h.formatQuery,
	} {
		r.Get(path, h.prom(answer))
		r.Post(path, h.prom(answer))
	}
	r.Get("/label/{name}/values", h.prom(h.labelValues))
	r.Get("/metadata", h.prom(h.metadata))
	r.Get("/rules", h.prom(h.promRules))
	r.Get("/alerts", h.prom(h.promAlerts))
	r.Get("/status/buildinfo", h.prom(h.buildInfo))
}

// exemplars: the store keeps none, so that every query of them finds none.
func (h *handler) exemplars(r *http.Request) (any, error) {
	if err := query.Check(r.Form.Get("query")); err != nil {
		return nil, errs.E("parse query", errs.Invalid, err, "")
	}
	return []any{}, nil
}

func (h *handler) formatQuery(r *http.Request) (any, error) {
	return query.Format(r.Form.Get("query"))
}

// speaks is the version of Prometheus whose engine and API these are; clients
// choose by it what they may ask.
const speaks = "3.14.0"

func (h *handler) buildInfo(*http.Request) (any, error) {
	return map[string]string{
		"application": "evenkeel", "version": speaks, "revision": version.Version, "goVersion": runtime.Version(),
		"branch": "", "buildUser": "", "buildDate": "",
	}, nil
}
