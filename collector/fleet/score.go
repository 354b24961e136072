package fleet

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// labelJudged tells groups that are judged from those that are only shown.
const labelJudged = "evenkeel_group_judged"

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
		{Name: promName(signal.KeySystemID), Value: string(w.System)},
		{Name: promName(signal.KeyModelName), Value: w.Model.Name},
		{Name: promName(signal.KeyModelVersion), Value: w.Model.Version},
		{Name: promName(signal.KeyScope), Value: signal.ScopeFleet},
		{Name: promName(signal.KeyWindowLength), Value: config.Duration(w.Length).String()},
	}}
	for _, c := range m.ordered() {
		base, err := f.baseline(ctx, c.baseline)
		if err != nil {
			return err
		}
		if c.target == signal.TargetGroup {
			f.scoreGroups(&out, base, m.columns[c])
		} else if reason := scoreDrift(&out, base, c, m.columns[c]); reason != "" {
			f.metrics.unscored.WithLabelValues(reason).Inc()
		}
	}
	return nil
}

// scoreDrift gives the reason why there is no score, or "".
func scoreDrift(out *scores, base *reference, c column, d *signal.Distribution) string {
	if base == nil {
		return "no baseline"
	}
	feature := base.Feature(c.target, c.feature)
	if feature == nil || base.bounds[feature] != c.bounds {
		return "other bounds"
	}
	e, err := feature.PSI(d)
	if errors.Is(err, measure.ErrUndefined) {
		return "undefined"
	}
	if err != nil {
		return "other bounds"
	}
	out.add(signal.MetricDriftScore, e,
		model.Label{Name: promName(signal.KeyDriftMethod), Value: signal.DriftPSI},
		model.Label{Name: promName(signal.KeyDriftTarget), Value: string(c.target)},
		model.Label{Name: promName(signal.KeyFeatureName), Value: string(c.feature)},
		model.Label{Name: promName(signal.KeyBaselineID), Value: c.baseline.Short()})
	return ""
}

func (f *Fleet) scoreGroups(out *scores, base *reference, d *signal.Distribution) {
	o := signal.FairnessOptions{Reference: referenceGroup(base, d), Confidence: f.options.Confidence, MinShare: f.options.MinShare}
	found := signal.Disparities(d.Groups, o)
	if len(found) == 0 {
		f.metrics.unscored.WithLabelValues("undefined").Inc()
	}
	for _, g := range found {
		out.add(signal.MetricDisparity, g.Estimate,
			model.Label{Name: promName(signal.KeyFairnessMetric), Value: g.Metric},
			model.Label{Name: promName(signal.KeyProtected), Value: string(d.Feature)},
			model.Label{Name: promName(signal.KeyGroup), Value: g.Group},
			model.Label{Name: promName(signal.KeyReferenceGroup), Value: g.Reference},
			model.Label{Name: labelJudged, Value: strconv.FormatBool(g.Judged)})
	}
}

// referenceGroup is the baseline's, or the largest group where there is none;
// of equally large ones the first by name.
func referenceGroup(base *reference, d *signal.Distribution) string {
	if base != nil {
		if g := base.Group(d.Feature); g != nil {
			return g.Reference
		}
	}
	if len(d.Groups) == 0 {
		return ""
	}
	return slices.MaxFunc(d.Groups, func(a, b signal.GroupCount) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(b.Group, a.Group))
	}).Group
}

// scores collects series and samples of one time.
type scores struct {
	rows   *model.Rows
	at     time.Time
	common []model.Label
}

// add writes a score, its interval where it has one, and its samples.
func (s *scores) add(metric string, e measure.Estimate, own ...model.Label) {
	labels := model.SortLabels(slices.Concat(s.common, own))
	one := func(suffix string, v float64) {
		series := model.Series{Name: promName(metric + suffix), Labels: labels, Kind: model.Gauge, Unit: "1", SeenAt: s.at}
		series.Fingerprint = model.Fingerprint(series.Name, labels)
		s.rows.Series = append(s.rows.Series, series)
		s.rows.Samples = append(s.rows.Samples, model.Sample{Fingerprint: series.Fingerprint, Time: s.at, Value: v})
	}
	one("", e.Value)
	one(signal.SuffixSamples, float64(e.Samples))
	if e.Lower != nil {
		one(signal.SuffixLower, *e.Lower)
	}
	if e.Upper != nil {
		one(signal.SuffixUpper, *e.Upper)
	}
}

// promName is the Prometheus form of one of signal's names, which hold letters,
// underscores and dots only.
func promName(name string) string { return strings.ReplaceAll(name, ".", "_") }
