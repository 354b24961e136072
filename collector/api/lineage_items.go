package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/labels"
	"github.com/evenkeel/evenkeel/signal"
)

// taken is the answer to a request of several items.
type taken struct {
	Accepted int            `json:"accepted"`
	Refused  int            `json:"refused"`
	Errors   []itemFault    `json:"errors,omitempty"` // of the first hundred
	Error    *problemDetail `json:"error,omitempty"`  // why nothing was taken
}

// itemFault says why one item was refused.
type itemFault struct {
	At      string `json:"at"` // item 2
	Message string `json:"message"`
}

// maxItemFaults bounds what one answer says.
const maxItemFaults = 100

func (t *taken) refuse(item int, err error) {
	t.Refused++
	if len(t.Errors) < maxItemFaults {
		t.Errors = append(t.Errors, itemFault{fmt.Sprintf("item %d", item), err.Error()})
	}
}

// writeTaken answers 400 where nothing of what was sent is what it should be.
func (h *handler) writeTaken(w http.ResponseWriter, answer *taken, what string) {
	status := http.StatusOK
	if answer.Accepted == 0 {
		status = http.StatusBadRequest
		err := errs.E("read request", errs.Invalid, errors.New(what), "")
		if len(answer.Errors) > 0 {
			err = errs.E("read request", errs.Invalid, fmt.Errorf("%s: %s", answer.Errors[0].At, answer.Errors[0].Message), "")
		}
		detail := detailOf(err)
		answer.Error = &detail
	}
	writeJSON(w, status, answer)
}

// failTaken answers why what was read could not be made durable.
func (h *handler) failTaken(w http.ResponseWriter, r *http.Request, err error) {
	switch statusOf(err) {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	h.fail(w, r, err)
}

// systemParam reads ?system=, which may be absent.
func systemParam(r *http.Request) (signal.SystemID, error) {
	system := r.URL.Query().Get("system")
	if len(system) > 1024 || !utf8.ValidString(system) {
		return "", errs.E("read request", errs.Invalid, errors.New("system: longer than 1024 bytes, or not UTF-8"), "")
	}
	return signal.SystemID(system), nil
}

// readItems reads a body of one JSON object or an array of them, compressed or
// not. Few are read at the same time, since all of one is in memory; leave lets
// the next one in.
func (h *handler) readItems(w http.ResponseWriter, r *http.Request) (leave func(), items []json.RawMessage, err error) {
	const op = "read request"
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, nil, errs.E(op, errs.Invalid, fmt.Errorf("content type %q: %w", r.Header.Get("Content-Type"), labels.ErrUnknown), "send application/json")
	}
	if leave, err = h.enter(r); err != nil {
		return nil, nil, err
	}
	if items, err = h.items(w, r); err != nil {
		leave()
		return nil, nil, err
	}
	return leave, items, nil
}

// enter waits until a large body may be read; leave lets the next one in.
func (h *handler) enter(r *http.Request) (leave func(), err error) {
	select {
	case h.taking <- struct{}{}:
		return func() { <-h.taking }, nil
	case <-r.Context().Done():
		return nil, errs.E("read request", errs.Unavailable, r.Context().Err(), "others are being read; send it again")
	}
}

// readWhole reads a body of any type, as few at the same time.
func (h *handler) readWhole(r *http.Request) (leave func(), raw []byte, err error) {
	if leave, err = h.enter(r); err != nil {
		return nil, nil, err
	}
	if raw, err = io.ReadAll(r.Body); err != nil {
		leave()
		return nil, nil, errs.E("read request", errs.Invalid, err, "")
	}
	return leave, raw, nil
}

func (h *handler) items(w http.ResponseWriter, r *http.Request) ([]json.RawMessage, error) {
	const op = "read request"
	body := io.Reader(r.Body)
	plain, err := labels.Plain(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	if plain != nil {
		defer func() { _ = plain.Close() }()
		body = http.MaxBytesReader(w, plain, h.MaxLabels)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, errs.E(op, errs.Invalid, err, "")
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '[' {
		return []json.RawMessage{raw}, nil // what it is not, its reader says
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, errs.E(op, errs.Invalid, err, "")
	}
	if len(items) > maxItems {
		return nil, errs.E(op, errs.Invalid, fmt.Errorf("%d items", len(items)), fmt.Sprintf("send at most %d at once", maxItems))
	}
	return items, nil
}

// pathParam gives a part of the path as it was meant: with slashes in it, it
// comes escaped.
func pathParam(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return text
	}
	if meant, err := url.PathUnescape(text); err == nil {
		return meant
	}
	return text
}
