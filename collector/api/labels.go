package api

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/labels"
	"github.com/evenkeel/evenkeel/signal"
)

// Labels is where labels go (collector/ingest).
type Labels interface {
	// TakeLabels makes labels durable, in the order given; on nil all of them are.
	// A zero time means when they are received. Sender names the request for
	// repeating it, and may be empty. It keeps nothing of the slice.
	TakeLabels(ctx context.Context, labels []signal.Label, sender string) error
	// RefusedLabels counts items that are no labels.
	RefusedLabels(n int)
}

// labelAnswer is the answer to POST /labels.
type labelAnswer struct {
	labels.Answer
	Error *problemDetail `json:"error,omitempty"` // why the rest was not read or not taken
}

// postLabels serves two who share an address: Prometheus asks for the names of
// series' labels with a form, and whoever knows how predictions turned out sends
// JSON or CSV.
func (h *handler) postLabels(w http.ResponseWriter, r *http.Request) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.ContentLength == 0 {
		media = formType
	}
	if media != formType {
		h.takeLabels(w, r, media)
		return
	}
	if err := r.ParseForm(); err == nil {
		for field := range r.PostForm {
			if !slices.Contains(labelNameFields, field) { // curl calls everything a form
				h.fail(w, r, errs.E("read request", errs.Invalid, fmt.Errorf("a form with other fields than those of a query: %w", labels.ErrUnknown), labels.Types))
				return
			}
		}
	}
	h.prom(h.labelNames)(w, r)
}

// labelsAtOnce bounds the requests whose labels are being read, and with
// MaxLabels the memory that they take; the others wait.
const labelsAtOnce = 16

const formType = "application/x-www-form-urlencoded"

// labelNameFields are what Prometheus' clients may put into the form.
var labelNameFields = []string{"match[]", "start", "end", "limit"}

// takeLabels reads items as a stream and hands on those that are labels.
func (h *handler) takeLabels(w http.ResponseWriter, r *http.Request, media string) {
	if h.Labels == nil {
		h.notFound(w, r)
		return
	}
	select {
	case h.taking <- struct{}{}:
		defer func() { <-h.taking }()
	case <-r.Context().Done():
		h.fail(w, r, errs.E("take labels", errs.Unavailable, r.Context().Err(), "others are being read; send them again"))
		return
	}
	source, closeBody, err := h.openLabels(w, r, media)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer closeBody()
	answer, err := h.readLabels(r, source)
	h.Labels.RefusedLabels(answer.Refused)
	if err != nil {
		h.failLabels(w, r, answer, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// readLabels takes every item that is a label, until the end or an error that
// nothing can be read behind.
func (h *handler) readLabels(r *http.Request, source labels.Source) (*labelAnswer, error) {
	rules := &labels.Rules{System: signal.SystemID(r.URL.Query().Get("system")), Latest: h.Clock().Add(model.ClockSlack)}
	answer, err := labels.Read(source, rules, func(some []signal.Label) error {
		return h.Labels.TakeLabels(r.Context(), some, r.Header.Get(model.BatchHeader))
	})
	return &labelAnswer{Answer: *answer}, err
}

// openLabels chooses by what the sender says that it sends. A body is bounded
// after decompression as it was before. Closing frees what decompressing holds.
func (h *handler) openLabels(w http.ResponseWriter, r *http.Request, media string) (source labels.Source, closeBody func(), err error) {
	body, closeBody := io.Reader(r.Body), func() {}
	plain, err := labels.Plain(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, nil, err
	}
	if plain != nil {
		body, closeBody = http.MaxBytesReader(w, plain, h.MaxLabels), func() { _ = plain.Close() }
	}
	if source, err = labels.Open(body, media, r.Header.Get("Content-Type")); err != nil {
		closeBody()
		return nil, nil, err
	}
	return source, closeBody, nil
}

// failLabels answers why not all was read or taken, and what was all the same.
func (h *handler) failLabels(w http.ResponseWriter, r *http.Request, answer *labelAnswer, err error) {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		h.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	detail := detailOf(err)
	switch status {
	case http.StatusRequestEntityTooLarge:
		detail.Message = fmt.Sprintf("more than %d bytes in one request, compressed or not", h.MaxLabels)
		detail.Hint = "send fewer at once, or raise otlp.max_request of the collector"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	answer.Error = &detail
	writeJSON(w, status, answer)
}
