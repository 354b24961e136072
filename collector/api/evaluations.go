package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// evaluation is one verdict as JSON.
type evaluation struct {
	ID          string            `json:"id"`
	Rule        signal.RuleID     `json:"rule"`
	RuleVersion int               `json:"rule_version"`
	RuleDigest  signal.Digest     `json:"rule_digest"`
	QueryDigest signal.Digest     `json:"query_digest"`
	System      signal.SystemID   `json:"system"`
	Subject     map[string]string `json:"subject"`
	Verdict     signal.Verdict    `json:"verdict"`
	Value       *float64          `json:"value"`
	Lower       *float64          `json:"lower,omitempty"`
	Upper       *float64          `json:"upper,omitempty"`
	Samples     uint64            `json:"samples"`
	FailLimit   string            `json:"fail_limit"`
	WarnLimit   string            `json:"warn_limit,omitempty"`
	WindowStart time.Time         `json:"window_start"`
	WindowEnd   time.Time         `json:"window_end"`
	WindowIDs   []string          `json:"window_ids,omitempty"`
	Reason      string            `json:"reason"`
	State       model.RuleState   `json:"state"`
	Streak      int               `json:"streak"`
	EvaluatedAt time.Time         `json:"evaluated_at"`
	Source      string            `json:"source,omitempty"` // not the collector itself
	Run         run               `json:"run"`
}

// run is what the verdict stands for, see model.Run.
type run struct {
	From    time.Time `json:"from"`
	Windows uint64    `json:"windows"`
	Least   *float64  `json:"least,omitempty"`
	Most    *float64  `json:"most,omitempty"`
	Fewest  uint64    `json:"fewest_samples"`
}

func newEvaluation(e *model.Evaluation) evaluation {
	return evaluation{
		e.ID, e.Rule, e.RuleVersion, e.RuleDigest, e.QueryDigest, e.System, e.Subject, e.Verdict,
		finite(e.Value), finite(e.Lower), finite(e.Upper), e.Samples, e.FailLimit, e.WarnLimit,
		e.WindowStart, e.WindowEnd, e.WindowIDs, e.Reason, e.State, e.Streak, e.EvaluatedAt, e.Source,
		run{e.Run.From, e.Run.Windows, finite(e.Run.Least), finite(e.Run.Most), e.Run.Fewest},
	}
}

// finite drops what JSON cannot say.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}

// Bounds of GET /evaluations.
const (
	defaultEvaluations = 100
	maxEvaluations     = 10_000
	evaluationsSince   = 7 * 24 * time.Hour
)

// listEvaluations answers GET /evaluations?rule=&limit=&start=&end=, newest
// first; the last seven days unless start says otherwise.
func (h *handler) listEvaluations(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit := defaultEvaluations
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxEvaluations {
			h.fail(w, r, errs.E("read request", errs.Invalid, fmt.Errorf("limit=%q: want 1 to %d", text, maxEvaluations), ""))
			return
		}
		limit = n
	}
	end, err := parseTime(q.Get("end"), h.Clock())
	if err == nil {
		var start time.Time
		if start, err = parseTime(q.Get("start"), end.Add(-evaluationsSince)); err == nil {
			h.sendEvaluations(w, r, signal.RuleID(q.Get("rule")), start, end, limit)
			return
		}
	}
	h.fail(w, r, errs.E("read request", errs.Invalid, err, ""))
}

func (h *handler) sendEvaluations(w http.ResponseWriter, r *http.Request, rule signal.RuleID, start, end time.Time, limit int) {
	found, err := h.Reader.Evaluations(r.Context(), rule, start, end, limit)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	list := make([]evaluation, 0, len(found))
	for i := range found {
		list = append(list, newEvaluation(&found[i]))
	}
	writeJSON(w, http.StatusOK, struct {
		Evaluations []evaluation `json:"evaluations"`
	}{list})
}
