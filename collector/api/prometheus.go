package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// maxPoints bounds one series of a range query, as Prometheus does.
const maxPoints = 11_000

// promReply is the envelope of the Prometheus API.
type promReply struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

// remarked is data with what is to be said about them.
type remarked struct {
	data            any
	warnings, infos []string
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
		reply := promReply{Status: "success", Data: data}
		if with, ok := data.(remarked); ok {
			reply.Data, reply.Warnings, reply.Infos = with.data, with.warnings, with.infos
		}
		writeJSON(w, http.StatusOK, reply)
	}
}

func writeProm(w http.ResponseWriter, err error) {
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	switch { // Prometheus has words of its own for these two
	case errors.As(err, &timeout):
		writeJSON(w, http.StatusServiceUnavailable, promReply{Status: "error", ErrorType: "timeout", Error: err.Error()})
		return
	case errors.As(err, &canceled):
		writeJSON(w, 499, promReply{Status: "error", ErrorType: "canceled", Error: err.Error()})
		return
	}
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
	ctx, cancel, limit, err := h.bounds(r)
	if err != nil {
		return nil, err
	}
	defer cancel()
	found, err := h.Query.AskInstant(ctx, r.Form.Get("query"), at, lookback)
	return encodeAnswer(&found, limit, err)
}

// bounds reads what a query may ask of its own: a shorter time than the
// collector grants, and at most so many series; 0 is no limit.
func (h *handler) bounds(r *http.Request) (ctx context.Context, cancel context.CancelFunc, limit int, err error) {
	if limit, err = parseLimit(r); err != nil {
		return nil, nil, 0, err
	}
	timeout, err := parseStep(r.Form.Get("timeout"), h.Timeout)
	if err != nil || timeout <= 0 {
		return nil, nil, 0, bad(fmt.Errorf("timeout: %q is not a positive duration", r.Form.Get("timeout")))
	}
	ctx, cancel = context.WithTimeout(r.Context(), min(timeout, h.Timeout))
	return ctx, cancel, limit, nil
}

func parseLimit(r *http.Request) (int, error) {
	text := r.Form.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, bad(fmt.Errorf("limit: %q is not a number from 0", text))
	}
	return n, nil
}

// encodeAnswer gives an answer the form of the Prometheus API.
func encodeAnswer(found *query.Answer, limit int, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	found.Cut(limit)
	data, err := encodeValue(found.Value)
	return remarked{data, found.Warnings, found.Infos}, err
}

// cut leaves at most limit items and warns where it had to; 0 is no limit.
func cut[T any](list []T, limit int) remarked {
	if limit > 0 && len(list) > limit {
		return remarked{data: list[:limit], warnings: []string{query.Truncated}}
	}
	return remarked{data: list}
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
	lookback, err := parseStep(r.Form.Get("lookback_delta"), 0)
	if err != nil {
		return nil, bad(fmt.Errorf("lookback_delta: %w", err))
	}
	ctx, cancel, limit, err := h.bounds(r)
	if err != nil {
		return nil, err
	}
	defer cancel()
	found, err := h.Query.AskRange(ctx, r.Form.Get("query"), start, end, step, lookback)
	return encodeAnswer(&found, limit, err)
}

// span reads start, end and limit of a search for series. The store looks back
// a week where nothing is asked.
func (h *handler) span(r *http.Request) (start, end time.Time, limit int, err error) {
	now := h.Clock()
	if end, err = parseTime(r.Form.Get("end"), now); err != nil {
		return start, end, 0, bad(fmt.Errorf("end: %w", err))
	}
	if start, err = parseTime(r.Form.Get("start"), end.Add(-evaluationsSince)); err != nil {
		return start, end, 0, bad(fmt.Errorf("start: %w", err))
	}
	limit, err = parseLimit(r)
	return start, end, limit, err
}

func (h *handler) series(r *http.Request) (any, error) {
	start, end, limit, err := h.span(r)
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
	return cut(list, limit), nil
}

func (h *handler) labelNames(r *http.Request) (any, error) {
	start, end, limit, err := h.span(r)
	if err != nil {
		return nil, err
	}
	names, err := h.Query.LabelNames(r.Context(), r.Form["match[]"], start, end)
	return cut(append([]string{}, names...), limit), err
}

func (h *handler) labelValues(r *http.Request) (any, error) {
	start, end, limit, err := h.span(r)
	if err != nil {
		return nil, err
	}
	name := chi.URLParam(r, "name")
	if strings.HasPrefix(name, "U__") { // how clients write names that are not plain
		name = prommodel.UnescapeName(name, prommodel.ValueEncodingEscaping)
	}
	values, err := h.Query.LabelValues(r.Context(), name, r.Form["match[]"], start, end)
	return cut(append([]string{}, values...), limit), err
}

// metricMetadata is what Grafana shows beside a metric's name.
type metricMetadata struct {
	Type model.MetricKind `json:"type"`
	Help string           `json:"help"`
	Unit string           `json:"unit"`
}

func (h *handler) metadata(r *http.Request) (any, error) {
	limit, err := parseLimit(r)
	if err != nil {
		return nil, err
	}
	now, wanted := h.Clock(), r.Form.Get("metric")
	var matchers []model.Matcher
	if wanted != "" {
		matchers = []model.Matcher{{Name: prommodel.MetricNameLabel, Value: wanted}}
	}
	found, err := h.Reader.FindSeries(r.Context(), matchers, now.Add(-evaluationsSince), now)
	if err != nil {
		return nil, err
	}
	metrics := map[string][]metricMetadata{}
	for _, s := range found {
		if _, known := metrics[s.Name]; known {
			continue
		}
		if limit > 0 && len(metrics) == limit {
			return remarked{data: metrics, warnings: []string{query.Truncated}}, nil
		}
		metrics[s.Name] = []metricMetadata{{Type: s.Kind, Unit: s.Unit}}
	}
	return metrics, nil
}
