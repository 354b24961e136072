package evaluate

import (
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Labels as Prometheus writes signal's keys.
const (
	labelSystem       = "evenkeel_system_id"
	labelModel        = "evenkeel_model_name"
	labelModelVersion = "evenkeel_model_version"
	labelScope        = "evenkeel_scope"
	labelWindowLength = "evenkeel_window_length"
	labelFeature      = "evenkeel_feature_name"
)

// occasion is one time at which rules are evaluated: a sealed window of one
// model version, or a tick of the wall clock for one system.
type occasion struct {
	system     signal.SystemID
	model      *signal.ModelRef // nil: the wall clock; empty name: a system without any model
	start, end time.Time        // of a tick: the time since the last one
	windowIDs  []string

	explanations map[signal.FeatureName]string // of a sealed window: what moved in which column
}

func windowOccasion(w *model.FleetWindow) *occasion {
	return &occasion{
		system: w.System, model: &w.Model, start: w.Start, end: w.End,
		windowIDs: w.WindowIDs, explanations: w.Explanations,
	}
}

// restrict keeps an expression to the occasion's system and, where it asks for
// fleet scores, to the window's length and model version.
func (o *occasion) restrict(rule *rules.Effective, expr string) (string, error) {
	system := []query.Equal{{Label: labelSystem, Value: string(o.system)}}
	if o.model == nil {
		return query.Restrict(expr, system, nil, nil)
	}
	window := []query.Equal{
		{Label: labelWindowLength, Value: config.Duration(rule.Method.Window).String()},
		{Label: labelModel, Value: o.model.Name},
		{Label: labelModelVersion, Value: o.model.Version},
	}
	return query.Restrict(expr, system, window, func(s query.Selector) bool {
		return s.Asks(labelScope, signal.ScopeFleet)
	})
}

// about says that a subject belongs to this occasion.
func (o *occasion) about(subject map[string]string) bool {
	return o.model == nil || subject[labelModel] == o.model.Name && subject[labelModelVersion] == o.model.Version
}

// whole is the subject that stands for all of the occasion, for when there is
// nothing else to speak of.
func (o *occasion) whole() map[string]string {
	subject := map[string]string{labelSystem: string(o.system)}
	if o.model != nil && o.model.Name != "" {
		subject[labelModel] = o.model.Name
		if o.model.Version != "" {
			subject[labelModelVersion] = o.model.Version
		}
	}
	return subject
}

// batch numbers the evaluations of the occasion's rules.
func (o *occasion) batch(of []*rules.Effective) model.Batch {
	var b strings.Builder
	fmt.Fprintf(&b, "evaluate\x00%s\x00%d\x00%d", o.system, o.start.UnixNano(), o.end.UnixNano())
	if o.model != nil {
		fmt.Fprintf(&b, "\x00%s\x00%s", o.model.Name, o.model.Version)
	}
	for _, rule := range of {
		b.WriteString("\x00" + string(rule.ID) + string(rule.Digest))
	}
	return model.DerivedBatch(xxhash.Sum64String(b.String()))
}
