package ingest

import (
	"math"
	"slices"
	"strconv"
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
	resource []model.Label
	received time.Time
}

func (d *Decoder) addMetrics(metrics pmetric.Metrics, received time.Time) {
	for _, rm := range metrics.ResourceMetrics().All() {
		labels, err := d.names.resourceLabels(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				points := countPoints(m)
				d.Items += points
				if err != nil {
					d.Refused.addMany(points, reasonName, "resource: %v", err)
					continue
				}
				d.addMetric(m, points, labels, received)
			}
		}
	}
}

func countPoints(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	}
	return 0
}

func (d *Decoder) addMetric(m pmetric.Metric, points int, resource []model.Label, received time.Time) {
	name, err := d.names.metricName(m.Name())
	if err != nil {
		d.Refused.addMany(points, reasonName, "%v", err)
		return
	}
	if delta(m) {
		d.Refused.addMany(points, reasonDelta,
			"metric %q has delta temporality; set the exporter's temporality preference to cumulative", m.Name())
		return
	}
	meta := metric{name: name, unit: m.Unit(), resource: resource, received: received}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		meta.kind = model.Gauge
		d.addNumbers(&meta, m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		meta.kind = model.Gauge
		if m.Sum().IsMonotonic() {
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

// delta says that a metric's points are differences. Points that do not say
// are refused as well: nobody could add them up.
func delta(m pmetric.Metric) bool {
	t := pmetric.AggregationTemporalityCumulative
	switch m.Type() {
	case pmetric.MetricTypeSum:
		t = m.Sum().AggregationTemporality()
	case pmetric.MetricTypeHistogram:
		t = m.Histogram().AggregationTemporality()
	case pmetric.MetricTypeExponentialHistogram:
		t = m.ExponentialHistogram().AggregationTemporality()
	}
	return t != pmetric.AggregationTemporalityCumulative
}

func (d *Decoder) addNumbers(m *metric, points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
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
func (d *Decoder) labels(m *metric, attrs pcommon.Map, reserved string) ([]model.Label, bool) {
	out, err := d.names.pointLabels(attrs, m.resource, reserved)
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
	fingerprint := model.Fingerprint(name, labels)
	t := timeOr(uint64(at), m.received).Truncate(time.Millisecond)
	i, known := d.series[fingerprint]
	if !known {
		i = len(d.Rows.Series)
		d.series[fingerprint] = i
		d.Rows.Series = append(d.Rows.Series, model.Series{
			Fingerprint: fingerprint, Name: name, Labels: labels, Kind: kind, Unit: m.unit, SeenAt: t,
		})
	}
	if s := &d.Rows.Series[i]; t.After(s.SeenAt) {
		s.SeenAt = t
	}
	d.Rows.Samples = append(d.Rows.Samples, model.Sample{Fingerprint: fingerprint, Time: t, Value: v})
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
