package export

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Model is what the exporter must know about a monitored model.
type Model struct {
	Name       string
	Version    string                        // empty: known once a window of it closes
	Baseline   *signal.Baseline              // nil: none
	References map[signal.FeatureName]string // declared reference groups, by protected attribute
}

// score is one quantity of one window, ready to be shown.
type score struct {
	metric   string
	attrs    attribute.Set
	estimate measure.Estimate
}

// scoreWindow computes what one agent alone can say about a window. Undefined
// quantities, those of an empty window for example, have no score; groups that
// hold too few rows are not judged. Data quality is not among them: the counter
// of violations shows it. The error names what could not be computed though it
// should; the other scores are there all the same.
func scoreWindow(c *window.Closed, references map[signal.FeatureName]string, w config.Window) ([]score, error) {
	var found, drifts []signal.Quantity
	var errs []error
	for _, d := range c.Distributions {
		if d.Target == signal.TargetGroup {
			found = append(found, disparities(c, d, references[d.Feature], w)...)
		} else if reference := column(c.Baseline, d); reference != nil {
			s, err := reference.Drifts(d)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", d.Target, err))
			}
			drifts = append(drifts, s...)
		}
	}
	found = slices.Concat(drifts, signal.DriftShares(drifts), found)
	out := make([]score, len(found))
	for i, q := range found {
		attrs := append(modelAttrs(c.Model), attribute.String(signal.KeyScope, signal.ScopeInstance))
		for _, l := range q.Labels {
			attrs = append(attrs, attribute.String(l.Key, l.Value))
		}
		out[i] = score{metric: q.Metric, attrs: attribute.NewSet(attrs...), estimate: q.Estimate}
	}
	return out, errors.Join(errs...)
}

// column is what the baseline says about a column, nil where it has it not.
func column(b *signal.Baseline, d *signal.Distribution) *signal.FeatureBaseline {
	if b == nil {
		return nil
	}
	return b.Feature(d.Target, d.Feature)
}

// disparities compares the groups of one protected attribute; groups that are
// not judged are left out.
func disparities(c *window.Closed, d *signal.Distribution, declared string, w config.Window) []signal.Quantity {
	found := signal.GroupDisparities(c.Baseline, d, signal.FairnessOptions{
		Reference: declared, Confidence: w.Confidence, MinShare: w.MinShare,
	})
	return slices.DeleteFunc(found, func(q signal.Quantity) bool { return q.Label(signal.KeyGroupJudged) == "false" })
}

func modelAttrs(m signal.ModelRef) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String(signal.KeyModelName, m.Name)}
	if m.Version != "" {
		attrs = append(attrs, attribute.String(signal.KeyModelVersion, m.Version))
	}
	return attrs
}
