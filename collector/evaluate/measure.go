package evaluate

import (
	"context"
	"fmt"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// reading is what the queries gave for one subject.
type reading struct {
	subject      map[string]string
	value        float64
	lower, upper *float64
	samples      uint64
}

// readings is the answer to a rule's queries, in the engine's order. Two of
// them may be about one subject, where a label that does not name it differs.
type readings struct {
	list   []reading
	ended  map[string]bool // keys of subjects that are known to have ended
	digest signal.Digest   // of the queries as they ran
}

// measure runs a rule's queries at the end of an occasion.
func (e *Evaluator) measure(ctx context.Context, rule *rules.Effective, o *occasion) (readings, error) {
	var out readings
	var texts []string
	exprs := []string{rule.Expr, rule.Samples, rule.Lower, rule.Upper}
	if rule.Ended != "" || rule.Of != "" {
		exprs = append(exprs, rule.Ended)
	}
	if rule.Of != "" {
		exprs = append(exprs, rule.Of)
	}
	vectors := make([]promql.Vector, 6)
	for i, expr := range exprs {
		if expr == "" {
			texts = append(texts, "")
			continue
		}
		text, err := o.restrict(rule, expr)
		if err != nil {
			return out, err
		}
		texts = append(texts, text)
		if vectors[i], err = e.ask(ctx, text, o.end, rule.Method.Window.Std()); err != nil {
			return out, err
		}
	}
	digest, err := canonical.Digest(append(texts, rule.Method.Window.String()))
	if err != nil {
		return out, fmt.Errorf("digest of the queries: %w", err)
	}
	out.digest = signal.Digest(digest)
	if rule.Of != "" {
		out.list = shares(rule, o, vectors[0], vectors[5])
	} else {
		out.list = valuesOf(rule, o, vectors[0], vectors[1], vectors[2], vectors[3])
	}
	out.ended = endedOf(rule, o, vectors[4])
	return out, nil
}

// valuesOf reads the values of an expression, with what stands beside them.
func valuesOf(rule *rules.Effective, o *occasion, values, samples, lower, upper promql.Vector) []reading {
	out := make([]reading, 0, len(values))
	counts, lowers, uppers := beside(samples), beside(lower), beside(upper)
	for _, s := range values {
		r := reading{subject: subjectOf(rule, o, s.Metric), value: s.F}
		if !o.about(r.subject) {
			continue
		}
		key := keyWithoutName(s.Metric)
		r.lower, r.upper = lowers[key], uppers[key]
		if n := counts[key]; n != nil && *n > 0 {
			r.samples = uint64(*n)
		}
		out = append(out, r)
	}
	return out
}

// withEnded adds the subjects that have ended to what SQL has measured.
func (e *Evaluator) withEnded(ctx context.Context, rule *rules.Effective, o *occasion, out readings) (readings, error) {
	text, err := o.restrict(rule, rule.Ended)
	if err != nil {
		return out, err
	}
	found, err := e.ask(ctx, text, o.end, rule.Method.Window.Std())
	if err != nil {
		return out, err
	}
	out.ended = endedOf(rule, o, found)
	return out, nil
}

func endedOf(rule *rules.Effective, o *occasion, found promql.Vector) map[string]bool {
	out := map[string]bool{}
	for _, s := range found {
		out[subjectKey(subjectOf(rule, o, s.Metric))] = true
	}
	return out
}

// subjectOf names the subject by the labels that the rule lists, the system
// included; labels without a value are left out.
func subjectOf(rule *rules.Effective, o *occasion, metric labels.Labels) map[string]string {
	subject := map[string]string{labelSystem: string(o.system)}
	for _, name := range rule.Subject {
		if v := metric.Get(name); v != "" {
			subject[name] = v
		}
	}
	return subject
}

// beside indexes what stands beside the values: the series that differ from a
// value's only in name.
func beside(v promql.Vector) map[string]*float64 {
	out := make(map[string]*float64, len(v))
	for _, s := range v {
		value := s.F
		out[keyWithoutName(s.Metric)] = &value
	}
	return out
}

func keyWithoutName(metric labels.Labels) string {
	return string(metric.BytesWithoutLabels(nil, prommodel.MetricNameLabel))
}
