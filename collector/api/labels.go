package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
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

// What is handed on at once, and how much of what was refused is told.
const (
	labelsAtOnce     = 5000
	labelBytesAtOnce = 1 << 20
	labelFaultsTold  = 100
)

// labelAnswer is the answer to POST /labels. What can be taken is taken, also
// where reading ended early; sending all of it again does no harm.
type labelAnswer struct {
	Accepted int            `json:"accepted"` // durable
	Refused  int            `json:"refused"`
	Errors   []labelFault   `json:"errors,omitempty"` // of the first hundred refused
	Error    *problemDetail `json:"error,omitempty"`  // why the rest was not read or not taken
}

// labelFault says what is wrong with one item.
type labelFault struct {
	At      string `json:"at"` // line or item, from 1
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
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
				h.fail(w, r, errs.E("read request", errs.Invalid, fmt.Errorf("a form with other fields than those of a query: %w", errNotRead), labelTypes))
				return
			}
		}
	}
	h.prom(h.labelNames)(w, r)
}

const (
	formType   = "application/x-www-form-urlencoded"
	labelTypes = "to send labels, name what they are: Content-Type text/csv, application/json or application/x-ndjson"
)

// labelNameFields are what Prometheus' clients may put into the form.
var labelNameFields = []string{"match[]", "start", "end", "limit"}

// takeLabels reads items as a stream and hands on those that are labels.
func (h *handler) takeLabels(w http.ResponseWriter, r *http.Request, media string) {
	if h.Labels == nil {
		h.notFound(w, r)
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
func (h *handler) readLabels(r *http.Request, source labelSource) (*labelAnswer, error) {
	answer := &labelAnswer{}
	rules := labelRules{system: signal.SystemID(r.URL.Query().Get("system")), latest: h.Clock().Add(model.ClockSlack)}
	var waiting []signal.Label
	size := 0
	flush := func() error {
		err := h.Labels.TakeLabels(r.Context(), waiting, r.Header.Get(model.BatchHeader))
		if err == nil {
			answer.Accepted += len(waiting)
		}
		waiting, size = waiting[:0], 0
		return err
	}
	for {
		item, err := source.next()
		var label signal.Label
		if err == nil {
			label, err = rules.label(&item)
		}
		var fault *itemError
		switch {
		case errors.As(err, &fault):
			answer.refuse(source.at(), fault)
		case errors.Is(err, io.EOF):
			return answer, flush()
		case err != nil:
			if failed := flush(); failed != nil {
				return answer, failed
			}
			return answer, errs.E("read labels: "+source.at(), errs.Invalid, err, "")
		default:
			waiting, size = append(waiting, label), size+len(label.ID)+len(label.Value)+len(label.Source)
			if len(waiting) < labelsAtOnce && size < labelBytesAtOnce {
				continue
			}
			if err := flush(); err != nil {
				return answer, err
			}
		}
	}
}

func (a *labelAnswer) refuse(at string, fault *itemError) {
	a.Refused++
	if len(a.Errors) < labelFaultsTold {
		a.Errors = append(a.Errors, labelFault{at, fault.message, fault.hint})
	}
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
