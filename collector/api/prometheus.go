package api

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/version"
)

// maxPoints bounds one series of a range query, as Prometheus does.
const maxPoints = 11_000

// promReply is the envelope of the Prometheus API.
type promReply struct {
	Status    string `json:"status"`
	Data      any    `json:"data,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
	Error     string `json:"error,omitempty"`
}

// promErrors gives Prometheus' words and statuses.
var promErrors = map[errs.Kind]struct {
	word   string
	status int
}{
	errs.Invalid:     {"bad_data", http.StatusBadRequest},
	errs.NotFound:    {"not_found", http.StatusNotFound},
	errs.Exhausted:   {"execution", http.StatusUnprocessableEntity},
	errs.Unavailable: {"unavailable", http.StatusServiceUnavailable},
	errs.Other:       {"execution", http.StatusUnprocessableEntity},
	errs.Corrupt:     {"internal", http.StatusInternalServerError},
}

// prom wraps a handler that gives data or an error.
func (h *handler) prom(answer func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			writeProm(w, errs.E("read request", errs.Invalid, err, ""))
			return
		}
		data, err := answer(r)
		if err != nil {
			writeProm(w, err)
			return
		}
		writeJSON(w, http.StatusOK, promReply{Status: "success", Data: data})
	}
}

func writeProm(w http.ResponseWriter, err error) {
	e, ok := promErrors[errs.KindOf(err)]
	if !ok {
		e = promErrors[errs.Corrupt]
	}
	writeJSON(w, e.status, promReply{Status: "error", ErrorType: e.word, Error: err.Error()})
}

func bad(err error) error { return errs.E("read request", errs.Invalid, err, "") }

func (h *handler) instant(r *http.Request) (any, error) {
	at, err := parseTime(r.Form.Get("time"), h.Clock())
	if err != nil {
		return nil, bad(fmt.Errorf("time: %w", err))
	}
	lookback, err := parseStep(r.Form.Get("lookback_delta"), 0)
	if err != nil {
		return nil, bad(fmt.Errorf("lookback_delta: %w", err))
	}
	value, err := h.Query.Instant(r.Context(), r.Form.Get("query"), at, lookback)
	if err != nil {
		return nil, err
	}
	return encodeValue(value)
}

func (h *handler) queryRange(r *http.Request) (any, error) {
	start, err := parseTime(r.Form.Get("start"), time.Time{})
	if err != nil || start.IsZero() {
		return nil, bad(fmt.Errorf("start: %q is not a time", r.Form.Get("start")))
	}
	end, err := parseTime(r.Form.Get("end"), time.Time{})
	if err != nil || end.Before(start) {
		return nil, bad(fmt.Errorf("end: %q is not a time after start", r.Form.Get("end")))
	}
	step, err := parseStep(r.Form.Get("step"), 0)
	if err != nil || step <= 0 {
		return nil, bad(fmt.Errorf("step: %q is not a positive duration", r.Form.Get("step")))
	}
	if end.Sub(start)/step > maxPoints {
		return nil, bad(fmt.Errorf("more than %d points per series; ask for a larger step", maxPoints))
	}
	value, err := h.Query.Range(r.Context(), r.Form.Get("query"), start, end, step)
	if err != nil {
		return nil, err
	}
	return encodeValue(value)
}

// span reads start and end of a search for series. The store looks back a week
// where nothing is asked.
func (h *handler) span(r *http.Request) (start, end time.Time, err error) {
	now := h.Clock()
	if end, err = parseTime(r.Form.Get("end"), now); err != nil {
		return start, end, bad(fmt.Errorf("end: %w", err))
	}
	if start, err = parseTime(r.Form.Get("start"), end.Add(-evaluationsSince)); err != nil {
		return start, end, bad(fmt.Errorf("start: %w", err))
	}
	return start, end, nil
}

func (h *handler) series(r *http.Request) (any, error) {
	start, end, err := h.span(r)
	if err != nil {
		return nil, err
	}
	found, err := h.Query.Series(r.Context(), r.Form["match[]"], start, end)
	if err != nil {
		return nil, err
	}
	list := make([]map[string]string, 0, len(found))
	for _, l := range found {
		list = append(list, l.Map())
	}
	return list, nil
}

func (h *handler) labelNames(r *http.Request) (any, error) {
	start, end, err := h.span(r)
	if err != nil {
		return nil, err
	}
	names, err := h.Query.LabelNames(r.Context(), r.Form["match[]"], start, end)
	return append([]string{}, names...), err
}

func (h *handler) labelValues(r *http.Request) (any, error) {
	start, end, err := h.span(r)
	if err != nil {
		return nil, err
	}
	values, err := h.Query.LabelValues(r.Context(), chi.URLParam(r, "name"), r.Form["match[]"], start, end)
	return append([]string{}, values...), err
}

// metricMetadata is what Grafana shows beside a metric's name.
type metricMetadata struct {
	Type model.MetricKind `json:"type"`
	Help string           `json:"help"`
	Unit string           `json:"unit"`
}

func (h *handler) metadata(r *http.Request) (any, error) {
	now := h.Clock()
	found, err := h.Reader.FindSeries(r.Context(), nil, now.Add(-evaluationsSince), now)
	if err != nil {
		return nil, err
	}
	wanted := r.Form.Get("metric")
	metrics := map[string][]metricMetadata{}
	for _, s := range found {
		if _, known := metrics[s.Name]; !known && (wanted == "" || wanted == s.Name) {
			metrics[s.Name] = []metricMetadata{{Type: s.Kind, Unit: s.Unit}}
		}
	}
	return metrics, nil
}

func (h *handler) buildInfo(*http.Request) (any, error) {
	return map[string]string{"application": "evenkeel", "version": version.Version, "goVersion": runtime.Version()}, nil
}
