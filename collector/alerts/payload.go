package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// The labels that say what an alert is about.
const (
	LabelRule   = "evenkeel_rule_id"
	labelSystem = "evenkeel_system_id"
	labelAlert  = "alertname"
)

// What one notification may hold at most.
const (
	MaxAlerts = 500
	maxLabels = 100
	maxText   = 4096 // bytes of a name or value
)

// The times that are taken, around when a notification is received: each day is a
// partition of the store.
const (
	oldest = 366 * 24 * time.Hour
	ahead  = 24 * time.Hour
)

// payload is a notification of Alertmanager's webhook, version 4. Members that
// are not named here are not needed, and later versions may add others.
type payload struct {
	Version   string  `json:"version"`
	Truncated uint64  `json:"truncatedAlerts"`
	Alerts    []alert `json:"alerts"`
}

// alert is one of them.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"` // of one that fires: when it ends unless it is renewed
	Fingerprint string            `json:"fingerprint"`
}

// The states of an alert.
const (
	statusFiring   = "firing"
	statusResolved = "resolved"
)

// parse reads a notification and checks all of it; system is what alerts
// without the label are about. The error names the place.
func parse(raw []byte, system signal.SystemID, received time.Time) (*payload, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("not a notification of Alertmanager: %w", err)
	}
	if p.Version != "4" {
		return nil, fmt.Errorf("version: %.20q, want \"4\"", p.Version)
	}
	if len(p.Alerts) == 0 || len(p.Alerts) > MaxAlerts {
		return nil, fmt.Errorf("alerts: %d, want 1 to %d; set max_alerts of the webhook", len(p.Alerts), MaxAlerts)
	}
	for i := range p.Alerts {
		if err := p.Alerts[i].check(system, received); err != nil {
			return nil, fmt.Errorf("alerts[%d].%w", i, err)
		}
	}
	return &p, nil
}

func (a *alert) check(system signal.SystemID, received time.Time) error {
	if a.Status != statusFiring && a.Status != statusResolved {
		return fmt.Errorf("status: %.20q is neither firing nor resolved", a.Status)
	}
	if len(a.Labels) == 0 || len(a.Labels) > maxLabels {
		return fmt.Errorf("labels: %d, want 1 to %d", len(a.Labels), maxLabels)
	}
	for _, texts := range []map[string]string{a.Labels, a.Annotations} {
		for name, value := range texts {
			if len(name) > maxText || len(value) > maxText {
				return fmt.Errorf("labels, annotations: %.40q is longer than %d bytes", name, maxText)
			}
		}
	}
	if a.Labels[labelSystem] == "" && system == "" {
		return fmt.Errorf("labels.%s: missing; set it in the alert rule, or ?system= in the webhook's address", labelSystem)
	}
	if a.Labels[LabelRule] == "" && a.Labels[labelAlert] == "" {
		return fmt.Errorf("labels: neither %s nor %s", LabelRule, labelAlert)
	}
	return a.checkTimes(received)
}

func (a *alert) checkTimes(received time.Time) error {
	for _, at := range []struct {
		name string
		time time.Time
	}{{"startsAt", a.StartsAt}, {"endsAt", a.end(received)}} {
		if at.time.Before(received.Add(-oldest)) || at.time.After(received.Add(ahead)) {
			return fmt.Errorf("%s: %s is more than a year before or a day after it is received", at.name, at.time.Format(time.RFC3339))
		}
	}
	return nil
}

// end is when a resolved alert had ended: now where nothing is said, and not
// before it began.
func (a *alert) end(received time.Time) time.Time {
	at := a.EndsAt
	if a.Status == statusFiring || at.IsZero() {
		at = received
	}
	if at.Before(a.StartsAt) {
		return a.StartsAt
	}
	return at
}

// identity is the alert's fingerprint, as Alertmanager gives it, or one of its
// labels.
func (a *alert) identity() (string, error) {
	if a.Fingerprint != "" {
		return a.Fingerprint, nil
	}
	return canonical.Digest(a.Labels)
}
