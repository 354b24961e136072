package fleet

import (
	"context"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// keptBaselines bounds what is held in memory; beyond it they are read again.
const keptBaselines = 256

// reference is a baseline with the bounds of its columns, worked out once.
type reference struct {
	*signal.Baseline
	bounds map[*signal.FeatureBaseline]signal.Digest
}

// baseline gives a baseline by digest, nil where it was never declared.
// Baselines never change, so those that were found are kept.
func (f *Fleet) baseline(ctx context.Context, digest signal.Digest) (*reference, error) {
	if digest == "" {
		return nil, nil
	}
	if r := f.baselines[digest]; r != nil {
		return r, nil
	}
	b, err := f.options.Store.Baseline(ctx, digest)
	if errs.KindOf(err) == errs.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &reference{Baseline: b, bounds: map[*signal.FeatureBaseline]signal.Digest{}}
	for i := range b.Features {
		if r.bounds[&b.Features[i]], err = b.Features[i].Bounds(); err != nil {
			return nil, err
		}
	}
	if len(f.baselines) >= keptBaselines {
		clear(f.baselines)
	}
	f.baselines[digest] = r
	return r, nil
}

// score computes everything that is defined for a sealed window and puts it
// into rows, stamped with the slot's end.
func (f *Fleet) score(ctx context.Context, w *model.FleetWindow, m *merged, rows *model.Rows) error {
	out := scores{rows: rows, at: w.End, common: []model.Label{
		{Name: signal.PrometheusName(signal.KeySystemID), Value: string(w.System)},
		{Name: signal.PrometheusName(signal.KeyModelName), Value: w.Model.Name},
		{Name: signal.PrometheusName(signal.KeyModelVersion), Value: w.Model.Version},
		{Name: signal.PrometheusName(signal.KeyScope), Value: signal.ScopeFleet},
		{Name: signal.PrometheusName(signal.KeyWindowLength), Value: config.Duration(w.Length).String()},
	}}
	var drifts []signal.Quantity
	for _, c := range m.ordered() {
		base, err := f.baseline(ctx, m.columns[c].Baseline)
		if err != nil {
			return err
		}
		if c.target == signal.TargetGroup {
			out.add(f.groupScores(base, m.columns[c])...)
			continue
		}
		found, reason := driftScores(base, c, m.columns[c])
		if reason != "" {
			f.metrics.unscored.WithLabelValues(reason).Inc()
		}
		drifts = append(drifts, found...)
		out.add(signal.Quality(base.column(c), m.columns[c], f.options.Confidence)...)
	}
	out.add(drifts...)
	out.add(signal.DriftShares(drifts)...)
	return f.follow(ctx, w, m, &out)
}

// driftScores gives the drift of a column, or the reason why there is none.
func driftScores(base *reference, c column, d *signal.Distribution) ([]signal.Quantity, string) {
	if base == nil {
		return nil, "no baseline"
	}
	feature := base.column(c)
	if feature == nil {
		return nil, "other bounds"
	}
	found, err := feature.Drifts(d)
	switch {
	case err != nil:
		return nil, "other bounds"
	case len(found) == 0:
		return nil, "undefined"
	}
	return found, ""
}

// column finds the baseline's column with the same cells; nil where there is
// none, also in no baseline.
func (r *reference) column(c column) *signal.FeatureBaseline {
	if r == nil {
		return nil
	}
	feature := r.Feature(c.target, c.feature)
	if feature == nil || r.bounds[feature] != c.bounds {
		return nil
	}
	return feature
}

func (f *Fleet) groupScores(base *reference, d *signal.Distribution) []signal.Quantity {
	var baseline *signal.Baseline
	if base != nil {
		baseline = base.Baseline
	}
	found := signal.GroupDisparities(baseline, d, signal.FairnessOptions{Confidence: f.options.Confidence, MinShare: f.options.MinShare})
	if !slices.ContainsFunc(found, func(q signal.Quantity) bool { return q.Metric == signal.MetricDisparity }) {
		f.metrics.unscored.WithLabelValues("undefined").Inc()
	}
	return found
}

// scores collects series and samples of one time.
type scores struct {
	rows   *model.Rows
	at     time.Time
	common []model.Label
}

// add writes quantities: each value, its interval where it has one, and its
// samples.
func (s *scores) add(found ...signal.Quantity) {
	for _, q := range found {
		labels := slices.Clone(s.common)
		for _, l := range q.Labels {
			labels = append(labels, model.Label{Name: signal.PrometheusName(l.Key), Value: l.Value})
		}
		labels = model.SortLabels(labels)
		one := func(suffix string, v float64) {
			series := model.Series{Name: signal.PrometheusName(q.Metric + suffix), Labels: labels, Kind: model.Gauge, Unit: "1", SeenAt: s.at}
			series.Fingerprint = model.Fingerprint(series.Name, labels)
			s.rows.Series = append(s.rows.Series, series)
			s.rows.Samples = append(s.rows.Samples, model.Sample{Fingerprint: series.Fingerprint, Time: s.at, Value: v})
		}
		one("", q.Estimate.Value)
		one(signal.SuffixSamples, float64(q.Estimate.Samples))
		if q.Estimate.Lower != nil {
			one(signal.SuffixLower, *q.Estimate.Lower)
		}
		if q.Estimate.Upper != nil {
			one(signal.SuffixUpper, *q.Estimate.Upper)
		}
	}
}
