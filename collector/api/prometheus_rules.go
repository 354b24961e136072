package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// promGroup is a pack of rules as Prometheus shows a group.
type promGroup struct {
	Name           string     `json:"name"`
	File           string     `json:"file"`
	Rules          []promRule `json:"rules"`
	Interval       float64    `json:"interval"` // seconds; 0: at each sealed window
	EvaluationTime float64    `json:"evaluationTime"`
	LastEvaluation time.Time  `json:"lastEvaluation"`
}

// promRule is one rule with the subjects that it does not pass.
type promRule struct {
	State          string            `json:"state"`
	Name           string            `json:"name"`
	Query          string            `json:"query"`
	Duration       float64           `json:"duration"` // seconds that a fail lasts before it fires
	KeepFiringFor  float64           `json:"keepFiringFor"`
	Labels         map[string]string `json:"labels"`
	Annotations    map[string]string `json:"annotations"`
	Alerts         []promAlert       `json:"alerts"`
	Health         string            `json:"health"`
	LastError      string            `json:"lastError,omitempty"`
	EvaluationTime float64           `json:"evaluationTime"`
	LastEvaluation time.Time         `json:"lastEvaluation"`
	Type           string            `json:"type"`
}

// promAlert is a subject that a rule does not pass.
type promAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
	ActiveAt    time.Time         `json:"activeAt"`
	Value       string            `json:"value"`
}

// alertStates are Prometheus' words. An error and a silence that has not lasted
// long enough are pending.
var alertStates = map[model.RuleState]string{model.StatePending: "pending", model.StateFiring: "firing"}

// promRules answers GET /rules?type=&rule_name[]=&rule_group[]=&exclude_alerts=.
// Rules are shown as they hold for systems without overrides; alerts are those
// of all systems. All of ours alert, so none is of type record.
func (h *handler) promRules(r *http.Request) (any, error) {
	groups := []*promGroup{}
	if h.Rules == nil || r.Form.Get("type") == "record" {
		return map[string]any{"groups": groups}, nil
	}
	byRule, err := h.latest(r)
	if err != nil {
		return nil, err
	}
	wanted := func(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
	byPack := map[string]*promGroup{}
	for _, rule := range h.Rules.For("") {
		if !wanted(r.Form["rule_name[]"], string(rule.ID)) || !wanted(r.Form["rule_group[]"], rule.Pack) {
			continue
		}
		g := byPack[rule.Pack]
		if g == nil {
			g = &promGroup{Name: rule.Pack, File: rule.Pack}
			byPack[rule.Pack] = g
			groups = append(groups, g)
		}
		one := newPromRule(rule, byRule[rule.ID])
		if r.Form.Get("exclude_alerts") == "true" {
			one.Alerts = []promAlert{}
		}
		if one.LastEvaluation.After(g.LastEvaluation) {
			g.LastEvaluation = one.LastEvaluation
		}
		g.Rules = append(g.Rules, one)
	}
	return map[string]any{"groups": groups}, nil
}

// promAlerts answers GET /alerts.
func (h *handler) promAlerts(r *http.Request) (any, error) {
	byRule, err := h.latest(r)
	if err != nil {
		return nil, err
	}
	alerts := []promAlert{}
	for _, found := range byRule {
		for i := range found {
			if a, is := newPromAlert(&found[i]); is {
				alerts = append(alerts, a)
			}
		}
	}
	slices.SortFunc(alerts, func(a, b promAlert) int {
		return cmp.Or(cmp.Compare(a.Labels["alertname"], b.Labels["alertname"]), a.ActiveAt.Compare(b.ActiveAt))
	})
	return map[string]any{"alerts": alerts}, nil
}

// latest gives the newest evaluations of the last week, by rule.
func (h *handler) latest(r *http.Request) (map[signal.RuleID][]model.Evaluation, error) {
	found, err := h.Reader.LatestEvaluations(r.Context(), h.Clock().Add(-evaluationsSince))
	if err != nil {
		return nil, err
	}
	byRule := map[signal.RuleID][]model.Evaluation{}
	for i := range found {
		byRule[found[i].Rule] = append(byRule[found[i].Rule], found[i])
	}
	return byRule, nil
}

func newPromRule(rule *rules.Effective, found []model.Evaluation) promRule {
	out := promRule{
		State: "inactive", Name: string(rule.ID), Query: rule.Expr, Health: "unknown", Type: "alerting", Alerts: []promAlert{},
		Duration: (time.Duration(rule.For.Evaluations(rule.Step())) * rule.Step()).Seconds(),
		Labels:   map[string]string{"pack": rule.Pack},
		Annotations: map[string]string{
			"summary": rule.Title, "description": rule.Description, "runbook": rule.Runbook, "fail": rule.Fail.String(), "warn": rule.Warn.String(),
		},
	}
	if len(found) > 0 {
		out.Health = "ok"
	}
	for i := range found {
		e := &found[i]
		if e.EvaluatedAt.After(out.LastEvaluation) {
			out.LastEvaluation = e.EvaluatedAt
		}
		if e.Verdict == signal.Error {
			out.Health, out.LastError = "err", e.Reason
		}
		if a, is := newPromAlert(e); is {
			out.Alerts = append(out.Alerts, a)
			if out.State != "firing" {
				out.State = a.State
			}
		}
	}
	return out
}

// newPromAlert shows an evaluation as an alert, if it is one.
func newPromAlert(e *model.Evaluation) (promAlert, bool) {
	state, is := alertStates[e.State]
	if !is {
		return promAlert{}, false
	}
	a := promAlert{
		State: state, ActiveAt: e.WindowEnd, Value: "NaN", // no value: silence, or an error
		Labels:      map[string]string{"alertname": string(e.Rule), "verdict": string(e.Verdict)},
		Annotations: map[string]string{"summary": e.Reason},
	}
	for name, value := range e.Subject {
		a.Labels[name] = value
	}
	if e.Value != nil {
		a.Value = strconv.FormatFloat(*e.Value, 'e', -1, 64)
	}
	return a, true
}
