package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/labels"
)

// problem is the body of every refusal outside the Prometheus part.
type problem struct {
	Error problemDetail `json:"error"`
}

type problemDetail struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// kinds maps what went wrong to its word and HTTP status.
var kinds = map[errs.Kind]struct {
	word   string
	status int
}{
	errs.Other:       {"internal", http.StatusInternalServerError},
	errs.Invalid:     {"invalid", http.StatusBadRequest},
	errs.NotFound:    {"not_found", http.StatusNotFound},
	errs.Conflict:    {"conflict", http.StatusConflict},
	errs.Unavailable: {"unavailable", http.StatusServiceUnavailable},
	errs.Exhausted:   {"exhausted", http.StatusTooManyRequests},
	errs.Corrupt:     {"corrupt", http.StatusInternalServerError},
	errs.Denied:      {"denied", http.StatusForbidden},
}

// fail answers with the error's kind. What is our fault is logged here and
// nowhere else.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		h.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	h.failWith(w, status, err)
}

func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, labels.ErrUnknown) {
		return http.StatusUnsupportedMediaType
	}
	return kinds[errs.KindOf(err)].status
}

func (h *handler) failWith(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, problem{detailOf(err)})
}

func detailOf(err error) problemDetail {
	detail := problemDetail{Kind: kinds[errs.KindOf(err)].word, Message: err.Error()}
	var e *errs.Error
	if errors.As(err, &e) && e.Hint != "" {
		detail.Message, detail.Hint = fmt.Sprintf("%s: %v", e.Op, e.Err), e.Hint
	}
	return detail
}

func (h *handler) notFound(w http.ResponseWriter, r *http.Request) {
	h.fail(w, r, errs.E("request", errs.NotFound, fmt.Errorf("nothing is at %s", r.URL.Path), ""))
}

func (h *handler) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	h.failWith(w, http.StatusMethodNotAllowed, errs.E("request", errs.Invalid, fmt.Errorf("%s is not possible at %s", r.Method, r.URL.Path), ""))
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil { // a value that JSON has no form for: our own fault
		status = http.StatusInternalServerError
		raw, _ = json.Marshal(problem{problemDetail{Kind: "internal", Message: "encode reply: " + err.Error()}})
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n')) // the reader may be gone
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the reader may be gone
}

// readJSON decodes a request's body strictly.
func readJSON(r *http.Request, into any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return errs.E("read request", errs.Invalid, fmt.Errorf("content type %q", r.Header.Get("Content-Type")), "send application/json")
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return errs.E("read request", errs.Invalid, err, "")
	}
	return nil
}
