package alerts

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Register takes verdicts (collector/register).
type Register interface {
	Consume(ctx context.Context, rule *rules.Effective, evaluation model.Evaluation) error
}

// Options say what a Taker works with; the first three are needed.
type Options struct {
	Store    model.Writer
	Register Register
	// Rule gives a loaded rule as it holds for a system; nil for none.
	Rule func(signal.SystemID, signal.RuleID) *rules.Effective

	Clock   func() time.Time      // nil means time.Now
	Metrics prometheus.Registerer // nil: no metrics
}

// Taker takes notifications. It is safe for concurrent use.
type Taker struct {
	o     Options
	taken *prometheus.CounterVec
}

// New gives a taker.
func New(o Options) *Taker {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Taker{o, promauto.With(o.Metrics).NewCounterVec(prometheus.CounterOpts{
		Name: "evenkeel_evaluate_alerts", Help: "Alerts of Alertmanager that were taken as verdicts, repeats included, by status.",
	}, []string{"status"})}
}

// Take takes a notification: on nil every alert in it is stored as a verdict, and
// its records are as they should be. What is not a notification is errs.Invalid
// and changes nothing; after any other error the same again goes on where it
// stopped. The system is that of alerts that name none; it may be empty.
func (t *Taker) Take(ctx context.Context, system signal.SystemID, raw []byte) (model.AlertsTaken, error) {
	received := t.o.Clock().UTC()
	p, err := parse(raw, system, received)
	if err != nil {
		return model.AlertsTaken{}, errs.E("take alerts", errs.Invalid, err, "")
	}
	answer := model.AlertsTaken{Truncated: p.Truncated}
	for i := range p.Alerts {
		a := &p.Alerts[i]
		rule, known, err := t.ruleOf(a, system)
		if err != nil {
			return answer, fmt.Errorf("alert %d: %w", i, err)
		}
		if err := t.judge(ctx, a, rule, system, received); err != nil {
			return answer, fmt.Errorf("alert %d: %w", i, err)
		}
		t.taken.WithLabelValues(a.Status).Inc()
		if a.Status == statusFiring {
			answer.Firing++
		} else {
			answer.Resolved++
		}
		if !known {
			answer.Unknown++
		}
	}
	return answer, nil
}

// judge stores the verdict that an alert is, and hands it to the register.
func (t *Taker) judge(ctx context.Context, a *alert, rule *rules.Effective, system signal.SystemID, received time.Time) error {
	ev, err := evaluation(a, rule, system, received)
	if err != nil {
		return err
	}
	err = t.o.Store.Write(ctx, model.DerivedBatch(xxhash.Sum64String("alert\x00"+ev.ID)), &model.Rows{Evaluations: []model.Evaluation{ev}}, model.InDoubt)
	if err != nil {
		return err
	}
	return t.o.Register.Consume(ctx, rule, ev)
}

// ruleOf gives the rule that an alert is of, or one made of the alert itself,
// which opens observations only.
func (t *Taker) ruleOf(a *alert, system signal.SystemID) (rule *rules.Effective, known bool, err error) {
	id := signal.RuleID(a.Labels[LabelRule])
	if id != "" {
		if rule := t.o.Rule(a.system(system), id); rule != nil {
			return rule, true, nil
		}
	} else {
		id = signal.RuleID("ALERT:" + a.Labels[labelAlert])
	}
	made := rules.Rule{
		ID: id, Version: 1, Title: cmp.Or(a.Labels[labelAlert], string(id)), Subject: a.subjectLabels(),
		OnFail: rules.OnFail{Opens: rules.OpensObservation}, Description: a.Annotations["description"], Runbook: a.Annotations["runbook_url"],
	}
	digest, err := canonical.Digest(made)
	return &rules.Effective{Rule: made, Digest: signal.Digest(digest)}, false, err
}

func (a *alert) system(unsaid signal.SystemID) signal.SystemID {
	return cmp.Or(signal.SystemID(a.Labels[labelSystem]), unsaid)
}

// subjectLabels are the labels that tell one alert from another.
func (a *alert) subjectLabels() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if name != labelAlert && name != LabelRule && name != labelSystem && name != "severity" {
			out = append(out, name)
		}
	}
	return out
}

// namespace makes the ids of these evaluations their own.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("evenkeel:alert"))

// evaluation makes the verdict. Its id is derived from fingerprint, start and
// status, so that the same alert is the same verdict however often it comes.
func evaluation(a *alert, rule *rules.Effective, unsaid signal.SystemID, received time.Time) (model.Evaluation, error) {
	identity, err := a.identity()
	if err != nil {
		return model.Evaluation{}, err
	}
	system := a.system(unsaid)
	name := fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%s", system, rule.ID, identity, a.StartsAt.UnixNano(), a.Status)
	ev := model.Evaluation{
		ID: uuid.NewSHA1(namespace, []byte(name)).String(), Source: model.SourceAlertmanager,
		Rule: rule.ID, RuleVersion: rule.Version, RuleDigest: rule.Digest, System: system,
		Subject: map[string]string{labelSystem: string(system)}, FailLimit: rule.Fail.String(), WarnLimit: rule.Warn.String(),
		WindowStart: a.StartsAt.UTC(), WindowEnd: a.StartsAt.UTC(), EvaluatedAt: received,
		Verdict: signal.Fail, State: model.StateFiring, Streak: 1, Value: a.value(), Reason: a.reason(),
	}
	for _, label := range rule.Subject {
		if value := a.Labels[label]; value != "" {
			ev.Subject[label] = value
		}
	}
	if a.Status == statusResolved {
		ev.Verdict, ev.State, ev.WindowEnd = signal.Pass, model.StateOK, a.end(received).UTC()
	}
	return ev, nil
}

// value reads the annotation value, where the alert rule gives one.
func (a *alert) value() *float64 {
	v, err := strconv.ParseFloat(a.Annotations["value"], 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// reason is the one sentence for people.
func (a *alert) reason() string {
	what := cmp.Or(a.Annotations["summary"], a.Annotations["description"], a.Labels[labelAlert], a.Labels[LabelRule])
	if a.Status == statusResolved {
		return "Alertmanager: resolved: " + what
	}
	return "Alertmanager: " + what
}
