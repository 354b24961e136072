package export

import (
	"errors"
	"fmt"

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

// score is one judged quantity of one window, ready to be shown.
type score struct {
	metric   string // signal.MetricDriftScore or signal.MetricDisparity
	attrs    attribute.Set
	estimate measure.Estimate
}

// scoreWindow computes what one agent alone can say about a window. Undefined
// quantities, those of an empty window for example, have no score; groups that
// hold too few rows are not judged. The error names what could not be
// computed though it should; the other scores are there all the same.
func scoreWindow(c *window.Closed, references map[signal.FeatureName]string, w config.Window) ([]score, error) {
	var out []score
	var errs []error
	for _, d := range c.Distributions {
		if d.Target == signal.TargetGroup {
			out = append(out, disparities(c, d, references[d.Feature], w)...)
			continue
		}
		s, err := drift(c, d)
		if err != nil && !errors.Is(err, measure.ErrUndefined) {
			errs = append(errs, fmt.Errorf("drift of %s %s: %w", d.Target, d.Feature, err))
		}
		out = append(out, s...)
	}
	return out, errors.Join(errs...)
}

// drift gives the PSI of one column, or nothing where the baseline has not the
// column.
func drift(c *window.Closed, d *signal.Distribution) ([]score, error) {
	if c.Baseline == nil {
		return nil, nil
	}
	reference := c.Baseline.Feature(d.Target, d.Feature)
	if reference == nil {
		return nil, nil
	}
	estimate, err := reference.PSI(d)
	if err != nil {
		return nil, err
	}
	attrs := attribute.NewSet(append(modelAttrs(c.Model),
		attribute.String(signal.KeyScope, signal.ScopeInstance),
		attribute.String(signal.KeyDriftMethod, signal.DriftPSI),
		attribute.String(signal.KeyDriftTarget, string(d.Target)),
		attribute.String(signal.KeyFeatureName, string(d.Feature)),
		attribute.String(signal.KeyBaselineID, d.Baseline.Short()),
	)...)
	return []score{{metric: signal.MetricDriftScore, attrs: attrs, estimate: estimate}}, nil
}

// disparities compares the judged groups of one protected attribute with its
// reference group.
func disparities(c *window.Closed, d *signal.Distribution, declared string, w config.Window) []score {
	options := signal.FairnessOptions{
		Reference:  referenceGroup(c.Baseline, d, declared),
		Confidence: w.Confidence,
		MinShare:   w.MinShare,
	}
	var out []score
	for _, x := range signal.Disparities(d.Groups, options) {
		if !x.Judged {
			continue
		}
		attrs := attribute.NewSet(append(modelAttrs(c.Model),
			attribute.String(signal.KeyScope, signal.ScopeInstance),
			attribute.String(signal.KeyFairnessMetric, x.Metric),
			attribute.String(signal.KeyProtected, string(d.Feature)),
			attribute.String(signal.KeyGroup, x.Group),
			attribute.String(signal.KeyReferenceGroup, x.Reference),
		)...)
		out = append(out, score{metric: signal.MetricDisparity, attrs: attrs, estimate: x.Estimate})
	}
	return out
}

// referenceGroup is the declared one, else the baseline's, else the largest
// known group of this window.
func referenceGroup(b *signal.Baseline, d *signal.Distribution, declared string) string {
	if declared != "" {
		return declared
	}
	if b != nil {
		if g := b.Group(d.Feature); g != nil && g.Reference != "" {
			return g.Reference
		}
	}
	var largest signal.GroupCount
	for _, g := range d.Groups {
		if g.Group != signal.GroupUnknown && g.Total > largest.Total {
			largest = g
		}
	}
	return largest.Group
}

func modelAttrs(m signal.ModelRef) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String(signal.KeyModelName, m.Name)}
	if m.Version != "" {
		attrs = append(attrs, attribute.String(signal.KeyModelVersion, m.Version))
	}
	return attrs
}
