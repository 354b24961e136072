package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// LineageTaker is where OpenLineage events go (collector/ingest).
type LineageTaker interface {
	// TakeLineage makes events durable, each as its JSON; on nil all of them are.
	TakeLineage(ctx context.Context, system signal.SystemID, events []string, sender string) error
	// RefusedLineage counts items that are no events.
	RefusedLineage(n int)
}

// Bounds of one request: its items, the datasets of its events, which become
// several rows each, and their days, each of which is an insert.
const (
	maxItems    = 10_000
	maxDatasets = 100_000
	maxDays     = 366
)

// lineageRoom bounds what the events of one request become.
type lineageRoom struct {
	datasets int
	days     map[time.Time]bool
}

func newLineageRoom() *lineageRoom { return &lineageRoom{days: map[time.Time]bool{}} }

// take says that there is room for an event, and takes it.
func (l *lineageRoom) take(e *lineage.Event) error {
	n, day := len(e.Inputs)+len(e.Outputs), e.Time.Truncate(24*time.Hour)
	switch {
	case l.datasets+n > maxDatasets:
		return fmt.Errorf("inputs, outputs: more than %d datasets in one request; send fewer events at once", maxDatasets)
	case !l.days[day] && len(l.days) == maxDays:
		return fmt.Errorf("eventTime: more than %d different days in one request; send fewer events at once", maxDays)
	}
	l.datasets += n
	l.days[day] = true
	return nil
}

// postLineage answers POST /lineage: one OpenLineage event, or an array of them.
// Of several those that are events are taken.
func (h *handler) postLineage(w http.ResponseWriter, r *http.Request) {
	if h.Lineage == nil {
		h.notFound(w, r)
		return
	}
	leave, items, err := h.readItems(w, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	system, err := systemParam(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	var answer taken
	var events []string
	room := newLineageRoom()
	for i, raw := range items {
		e, err := lineage.Parse(raw, h.Clock())
		if err == nil {
			err = room.take(e)
		}
		if err != nil {
			answer.refuse(i+1, err)
			continue
		}
		events = append(events, string(raw))
	}
	h.Lineage.RefusedLineage(answer.Refused)
	if err := h.Lineage.TakeLineage(r.Context(), system, events, r.Header.Get(model.BatchHeader)); err != nil {
		h.failTaken(w, r, err)
		return
	}
	answer.Accepted = len(events)
	h.writeTaken(w, &answer, "no OpenLineage event")
}

// lineageGraph answers GET /lineage/graph.
func (h *handler) lineageGraph(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	depth := 0
	if text := q.Get("depth"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			h.fail(w, r, errs.E("read request", errs.Invalid, fmt.Errorf("depth: %q is no number of steps", text), "write for example 5"))
			return
		}
		depth = n
	}
	graph, err := lineage.Walk(r.Context(), h.Reader, q.Get("node"), q.Get("direction"), depth)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, graph)
}

// lineageNode answers GET /lineage/node.
func (h *handler) lineageNode(w http.ResponseWriter, r *http.Request) {
	detail, err := lineage.Show(r.Context(), h.Reader, r.URL.Query().Get("node"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, detail)
}

// origins is the answer to GET /predictions/{id}/lineage.
type origins struct {
	Predictions []origin `json:"predictions"`
}

// origin adds what the register says about the baseline.
type origin struct {
	lineage.Origin
	BaselineState    string                  `json:"baseline_state,omitempty"` // for the model
	BaselineDecision *model.BaselineDecision `json:"baseline_decision,omitempty"`
}

// predictionLineage answers what stood behind a prediction.
func (h *handler) predictionLineage(w http.ResponseWriter, r *http.Request) {
	system, err := systemParam(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	found, err := lineage.Trace(r.Context(), h.Reader, system, pathParam(r, "id"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	answer := origins{}
	for _, o := range found {
		full := origin{Origin: o}
		if h.Baselines != nil && o.Baseline != "" {
			entry := h.Baselines.Entry(model.BaselineInfo{Digest: o.Baseline, System: o.System, Model: o.Model})
			full.BaselineState, full.BaselineDecision = entry.State, entry.Decision
		}
		answer.Predictions = append(answer.Predictions, full)
	}
	writeJSON(w, http.StatusOK, answer)
}
