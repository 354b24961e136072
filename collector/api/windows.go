package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// storedEvent is one row of the table distributions: which window event it is
// and what it counted in all. A sender that keeps a journal of its own compares
// the two: an event that stands twice was stored twice.
type storedEvent struct {
	Window   string             `json:"window"` // signal.WindowID
	System   signal.SystemID    `json:"system"`
	Model    signal.ModelRef    `json:"model"`
	Target   signal.Target      `json:"target"`
	Feature  signal.FeatureName `json:"feature"`
	Start    time.Time          `json:"start"`
	End      time.Time          `json:"end"`
	N        uint64             `json:"n"`
	Parts    int                `json:"parts"` // how many events the window has in all
	Baseline signal.Digest      `json:"baseline,omitempty"`
	Bounds   signal.Digest      `json:"bounds,omitempty"`
}

// maxWindowSpan bounds GET /windows; a longer time is asked for in pieces.
const maxWindowSpan = 24 * time.Hour

// listWindows answers GET /windows?system=&start=&end= with every stored window
// event whose window ended in (start, end], by system, model, instance,
// sequence, target and feature; the last hour unless start says otherwise.
func (h *handler) listWindows(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	end, err := parseTime(q.Get("end"), h.Clock())
	var start time.Time
	if err == nil {
		start, err = parseTime(q.Get("start"), end.Add(-time.Hour))
	}
	if err == nil && end.Sub(start) > maxWindowSpan {
		err = fmt.Errorf("%s from start to end; at most %s", end.Sub(start), maxWindowSpan)
	}
	if err != nil {
		h.fail(w, r, errs.E("read request", errs.Invalid, err, ""))
		return
	}
	found, err := h.Reader.DistributionsBetween(r.Context(), signal.SystemID(q.Get("system")), start, end)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	list := make([]storedEvent, 0, len(found))
	for _, d := range found {
		list = append(list, storedEvent{
			d.Window.String(), d.System, d.Model, d.Target, d.Feature, d.Start, d.End, d.N, d.Parts, d.Baseline, d.Bounds,
		})
	}
	writeJSON(w, http.StatusOK, struct {
		Windows []storedEvent `json:"windows"`
	}{list})
}
