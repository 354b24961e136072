package ingest

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/evenkeel/evenkeel/collector/model"
)

// staleNaN is the NaN by which Prometheus marks that a series has no value any
// more; OTLP's flag "no recorded value" becomes it.
var staleNaN = math.Float64frombits(0x7ff0000000000002)

// metric is what all data points of one metric share.
type metric struct {
	name     string // translated
	unit     string
	kind     model.MetricKind
	shared   []model.Label // of the resource, the scope, the temporality
	delta    bool          // values are differences
	received time.Time
}

// The labels that a series has beside those of its resource and its points.
const (
	labelScope       = "otel_scope_name"
	labelTemporality = "otel_temporality"
)

// ownScopes begin the names of scopes that need no label: what they measure
// has names of our own.
const ownScopes = "github.com/evenkeel/"

func (d *Decoder) addMetrics(metrics pmetric.Metrics, received time.Time) {
	for _, rm := range metrics.ResourceMetrics().All() {
		labels, err := d.names.resourceLabels(rm.Resource().Attributes())
		var latest pcommon.Timestamp
		for _, sm := range rm.ScopeMetrics().All() {
			shared := withScope(labels, sm.Scope().Name())
			for _, m := range sm.Metrics().All() {
				points, last := countPoints(m)
				d.Items += points
				latest = max(latest, last)
				if err != nil {
					d.Refused.addMany(points, reasonName, "resource: %v", err)
					continue
				}
				d.addMetric(m, points, shared, received)
			}
		}
		if err == nil {
			d.addTarget(rm.Resource().Attributes(), labels, latest, received)
		}
	}
}

// withScope adds the label of a scope, where it needs one.
func withScope(labels []model.Label, name string) []model.Label {
	if name == "" || strings.HasPrefix(name, ownScopes) {
		return labels
	}
	return append(slices.Clone(labels), model.Label{Name: labelScope, Value: strings.ToValidUTF8(name, "\ufffd")})
}

// withDelta adds the label of points that are differences.
func withDelta(labels []model.Label) []model.Label {
	return append(slices.Clone(labels), model.Label{Name: labelTemporality, Value: "delta"})
}

// addTarget keeps the attributes of a resource that are not on each of its
// series, the way Prometheus does: as labels of a series target_info.
func (d *Decoder) addTarget(resource pcommon.Map, labels []model.Label, at pcommon.Timestamp, received time.Time) {
	if resource.Len() == len(labels) || at == 0 {
		return
	}
	all, err := d.names.pointLabels(resource, labels, "")
	if err != nil {
		d.drop(partTarget, 1)
		return
	}
	m := metric{name: "target_info", kind: model.Gauge, received: received}
	d.sample(&m, m.name, m.kind, all, at, 1)
}

// countPoints gives the number of a metric's points and the latest time of one.
func countPoints(m pmetric.Metric) (points int, latest pcommon.Timestamp) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len(), latestOf(m.Gauge().DataPoints().All())
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len(), latestOf(m.Sum().DataPoints().All())
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len(), latestOf(m.Histogram().DataPoints().All())
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len(), latestOf(m.ExponentialHistogram().DataPoints().All())
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len(), latestOf(m.Summary().DataPoints().All())
	}
	return 0, 0
}

func latestOf[P point](points iter.Seq2[int, P]) (latest pcommon.Timestamp) {
	for _, p := range points {
		latest = max(latest, p.Timestamp())
	}
	return latest
}

func (d *Decoder) addMetric(m pmetric.Metric, points int, shared []model.Label, received time.Time) {
	name, err := d.names.metricName(m.Name())
	if err != nil {
		d.Refused.addMany(points, reasonName, "%v", err)
		return
	}
	meta := metric{name: name, unit: m.Unit(), shared: shared, received: received}
	switch temporality(m) {
	case pmetric.AggregationTemporalityUnspecified:
		d.Refused.addMany(points, reasonTemporality, "metric %q does not say whether its points are cumulative or differences", m.Name())
		return
	case pmetric.AggregationTemporalityDelta:
		meta.delta = true
		meta.shared = withDelta(shared)
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		meta.kind = model.Gauge
		d.addNumbers(&meta, m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		meta.kind = model.Gauge
		if m.Sum().IsMonotonic() && !meta.delta {
			meta.kind = model.Counter
		}
		d.addNumbers(&meta, m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		meta.kind = model.Histogram
		d.addHistograms(&meta, m.Histogram().DataPoints())
	case pmetric.MetricTypeExponentialHistogram:
		meta.kind = model.Histogram
		d.addExponentials(&meta, m.ExponentialHistogram().DataPoints())
	case pmetric.MetricTypeSummary:
		d.addSummaries(&meta, m.Summary().DataPoints())
	default:
		d.Refused.add(reasonType, "metric %q has no data, or of a type that is not known", m.Name())
	}
}

// temporality says what a metric's points are. Differences are kept as such,
// under a label: adding them up here would need the sums of all series, which a
// restart or a second collector does not have, while sum_over_time adds exactly
// what was stored. Gauges and summaries have none; their points stand for
// themselves, like cumulative ones.
func temporality(m pmetric.Metric) pmetric.AggregationTemporality {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality()
	}
	return pmetric.AggregationTemporalityCumulative
}

func (d *Decoder) addNumbers(m *metric, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		d.drop(partExemplar, p.Exemplars().Len())
		labels, ok := d.labels(m, p.Attributes(), "")
		if !ok {
			continue
		}
		v := p.DoubleValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
			v = float64(p.IntValue())
		}
		d.sample(m, m.name, m.kind, labels, p.Timestamp(), orStale(v, p.Flags()))
	}
}

func (d *Decoder) addSummaries(m *metric, points pmetric.SummaryDataPointSlice) {
	for _, p := range points.All() {
		labels, ok := d.labels(m, p.Attributes(), "quantile")
		if !ok {
			continue
		}
		for _, q := range p.QuantileValues().All() {
			with := append(slices.Clone(labels), model.Label{Name: "quantile", Value: number(q.Quantile())})
			d.sample(m, m.name, model.Gauge, with, p.Timestamp(), orStale(q.Value(), p.Flags()))
		}
		d.sample(m, m.name+"_sum", model.Counter, slices.Clone(labels), p.Timestamp(), orStale(p.Sum(), p.Flags()))
		d.sample(m, m.name+"_count", model.Counter, labels, p.Timestamp(), orStale(float64(p.Count()), p.Flags()))
	}
}

// labels gives a point's labels, the resource's included; false if the point
// was refused.
func (d *Decoder) labels(m *metric, attrs pcommon.Map, reserved string) (out []model.Label, ok bool) {
	var err error
	if d.inspect {
		err = d.names.checkLabels(attrs)
	} else {
		out, err = d.names.pointLabels(attrs, m.shared, reserved)
	}
	if err != nil {
		d.Refused.add(reasonName, "metric %q: %v", m.name, err)
		return nil, false
	}
	return out, true
}

// sample adds one sample, and its series the first time; it takes labels over.
func (d *Decoder) sample(m *metric, name string, kind model.MetricKind, labels []model.Label, at pcommon.Timestamp, v float64) {
	if d.inspect {
		return
	}
	labels = model.SortLabels(labels)
	d.observe(d.seriesOf(m, model.Fingerprint(name, labels), name, kind, labels), m, at, v)
}

// seriesOf gives the index of a series in Rows, where it stands once.
func (d *Decoder) seriesOf(m *metric, fingerprint uint64, name string, kind model.MetricKind, sorted []model.Label) int {
	i, known := d.series[fingerprint]
	if !known {
		i = len(d.Rows.Series)
		d.series[fingerprint] = i
		d.Rows.Series = append(d.Rows.Series, model.Series{
			Fingerprint: fingerprint, Name: name, Labels: sorted, Kind: kind, Unit: m.unit,
		})
	}
	return i
}

// millisecond gives the time of a sample, cut off to what its table holds.
func millisecond(at pcommon.Timestamp, fallback time.Time) time.Time {
	if at == 0 || at > math.MaxInt64 {
		return fallback.Truncate(time.Millisecond)
	}
	return time.UnixMilli(int64(at / 1e6)).UTC()
}

// observe adds one sample of a series that is in Rows.
func (d *Decoder) observe(series int, m *metric, at pcommon.Timestamp, v float64) {
	t := millisecond(at, m.received)
	s := &d.Rows.Series[series]
	if t.After(s.SeenAt) {
		s.SeenAt = t
	}
	d.Rows.Samples = append(d.Rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: t, Value: v})
}

func orStale(v float64, flags pmetric.DataPointFlags) float64 {
	if flags.NoRecordedValue() {
		return staleNaN
	}
	return v
}

// number writes a bound as Prometheus' own clients do: shortest, +Inf.
func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
