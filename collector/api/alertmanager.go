package api

import (
	"context"
	"net/http"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Alerts is where Alertmanager's notifications go (collector/alerts).
type Alerts interface {
	// Take takes a notification; on nil every alert in it is stored as a verdict
	// and has reached the register.
	Take(ctx context.Context, system signal.SystemID, raw []byte) (model.AlertsTaken, error)
}

// postAlerts answers POST /alertmanager, the address of a webhook receiver.
func (h *handler) postAlerts(w http.ResponseWriter, r *http.Request) {
	if h.Alerts == nil {
		h.notFound(w, r)
		return
	}
	system, err := systemParam(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	leave, raw, err := h.readWhole(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	answer, err := h.Alerts.Take(r.Context(), system, raw)
	if err != nil {
		h.failTaken(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}
