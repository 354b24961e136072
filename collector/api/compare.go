package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/compare"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// compare answers GET /compare?model=&from=&to=&against=FROM..TO and, where they
// are given, feature=, version=, against_version= and system=.
func (h *handler) compare(w http.ResponseWriter, r *http.Request) {
	question, err := comparison(r.URL.Query())
	if err != nil {
		h.fail(w, r, errs.E("read request", errs.Invalid, err, "for example from=2026-01-15T00:00:00Z&to=2026-01-16T00:00:00Z&against=2026-01-08T00:00:00Z..2026-01-09T00:00:00Z"))
		return
	}
	result, err := compare.Compare(r.Context(), h.Reader, *question)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, result)
}

// comparison reads a question.
func comparison(q url.Values) (*compare.Question, error) {
	from, to, found := strings.Cut(q.Get("against"), "..")
	if !found {
		return nil, fmt.Errorf("against: %q is not two times with .. between them", q.Get("against"))
	}
	out := &compare.Question{
		System: signal.SystemID(q.Get("system")), Model: q.Get("model"), Version: q.Get("version"),
		Before: q.Get("against_version"), Feature: signal.FeatureName(q.Get("feature")),
	}
	var all []error
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{
		{"from", q.Get("from"), &out.Current.From},
		{"to", q.Get("to"), &out.Current.To},
		{"against", from, &out.Against.From},
		{"against", to, &out.Against.To},
	} {
		var err error
		if *t.into, err = parseTime(t.text, time.Time{}); err == nil && t.text == "" {
			err = errors.New("no time")
		}
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", t.name, err))
		}
	}
	return out, errors.Join(all...)
}
