package export

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/window"
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
	metric string
	attrs  attribute.Set
	values []sibling // the value itself first
}

// sibling is a number under the metric's name and a suffix, which is empty for
// the value itself.
type sibling struct {
	suffix string
	value  float64
}

// scoreWindow computes what one agent alone can say about a window. Undefined
// quantities, those of an empty window for example, have no score; groups that
// hold too few rows are not judged. The error names what could not be computed
// though it should; the other scores are there all the same.
//
// What there is one of for each column stands last: where all of it is too much
// to be shown, that is what is cut.
func scoreWindow(c *window.Closed, references map[signal.FeatureName]string, w config.Window) ([]score, error) {
	var found, quality, drifts []signal.Quantity
	var errs []error
	for _, d := range c.Distributions {
		switch d.Target {
		case signal.TargetGroup:
			found = append(found, groupScores(c, d, references[d.Feature], w)...)
		case signal.TargetRows:
			found = append(found, signal.Duplicates(d, w.Confidence)...)
		case signal.TargetPerformance:
			found = append(found, signal.EstimatedPerformance(d)...)
		case signal.TargetMultivariate, signal.TargetEmbedding: // JointDrifts, of all slices together
		default:
			reference := column(c.Baseline, d)
			quality = append(quality, signal.Quality(reference, d, w.Confidence)...)
			if reference == nil {
				continue
			}
			s, err := reference.Drifts(d)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", d.Target, err))
			}
			drifts = append(drifts, s...)
		}
	}
	if c.Baseline != nil {
		found = append(found, c.Baseline.JointDrifts(c.Distributions)...)
	}
	signal.AdjustP(drifts)
	found = slices.Concat(found, signal.DriftShares(drifts), quality, drifts)
	out := make([]score, len(found))
	for i := range found {
		out[i] = newScore(c.Model, &found[i])
	}
	return out, errors.Join(errs...)
}

// newScore gives a quantity the attributes that an agent adds, the same on the
// value and on what stands beside it.
func newScore(m signal.ModelRef, q *signal.Quantity) score {
	attrs := append(modelAttrs(m), attribute.String(signal.KeyScope, signal.ScopeInstance),
		attribute.String(signal.KeyConvention, q.Estimate.Convention))
	for _, d := range q.Dimensions {
		attrs = append(attrs, attribute.String(d.Key, d.Value))
	}
	s := score{metric: q.Metric, attrs: attribute.NewSet(attrs...), values: []sibling{
		{"", q.Estimate.Value}, {signal.SuffixSamples, float64(q.Estimate.Samples)},
	}}
	if q.Estimate.Lower != nil {
		s.values = append(s.values, sibling{signal.SuffixLower, *q.Estimate.Lower})
	}
	if q.Estimate.Upper != nil {
		s.values = append(s.values, sibling{signal.SuffixUpper, *q.Estimate.Upper})
	}
	for _, b := range q.Beside {
		s.values = append(s.values, sibling{b.Suffix, b.Value})
	}
	return s
}

// column is what the baseline says about a column, nil where it has it not.
func column(b *signal.Baseline, d *signal.Distribution) *signal.FeatureBaseline {
	if b == nil {
		return nil
	}
	return b.Feature(d.Target, d.Feature)
}

// groupScores compares the groups of one protected attribute; groups that are
// not judged are left out.
func groupScores(c *window.Closed, d *signal.Distribution, declared string, w config.Window) []signal.Quantity {
	o := signal.FairnessOptions{Reference: declared, Confidence: w.Confidence, MinShare: w.MinShare}
	found := append(signal.GroupDisparities(c.Baseline, d, o), signal.SelectionRates(d, o)...)
	return slices.DeleteFunc(found, func(q signal.Quantity) bool { return q.Dimension(signal.KeyGroupJudged) == "false" })
}

func modelAttrs(m signal.ModelRef) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String(signal.KeyModelName, m.Name)}
	for _, d := range signal.EntryDimensions(m.Name) {
		attrs = append(attrs, attribute.String(d.Key, d.Value))
	}
	if m.Version != "" {
		attrs = append(attrs, attribute.String(signal.KeyModelVersion, m.Version))
	}
	return attrs
}
