package fleet

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// scores collects series and samples of one window, all of one time.
type scores struct {
	rows   *model.Rows
	at     time.Time
	common []model.Label
}

func newScores(w *model.FleetWindow) *scores {
	s := &scores{rows: &model.Rows{}, at: w.End, common: []model.Label{
		{Name: signal.PrometheusName(signal.KeySystemID), Value: string(w.System)},
		{Name: signal.PrometheusName(signal.KeyModelName), Value: w.Model.Name},
		{Name: signal.PrometheusName(signal.KeyModelVersion), Value: w.Model.Version},
		{Name: signal.PrometheusName(signal.KeyScope), Value: signal.ScopeFleet},
		{Name: signal.PrometheusName(signal.KeyWindowLength), Value: config.Duration(w.Length).String()},
	}}
	for _, d := range signal.EntryDimensions(w.Model.Name) {
		s.common = append(s.common, model.Label{Name: signal.PrometheusName(d.Key), Value: d.Value})
	}
	return s
}

// add writes quantities: each value, its samples, its interval where it has one,
// and what explains it, all under the same labels, the convention among them.
func (s *scores) add(found ...signal.Quantity) {
	for _, q := range found {
		labels := s.labels(&q)
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
		for _, b := range q.Beside {
			one(b.Suffix, b.Value)
		}
	}
}

func (s *scores) labels(q *signal.Quantity) []model.Label {
	labels := slices.Clone(s.common)
	for _, d := range q.Dimensions {
		labels = append(labels, model.Label{Name: signal.PrometheusName(d.Key), Value: d.Value})
	}
	labels = append(labels, model.Label{Name: signal.PrometheusName(signal.KeyConvention), Value: q.Estimate.Convention})
	return model.SortLabels(labels)
}
