package ingest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
)

// text writes samples as Prometheus' text format does, sorted, the resource's
// labels and target_info left out.
func text(rows *model.Rows) []string {
	series := map[uint64]model.Series{}
	for _, s := range rows.Series {
		series[s.Fingerprint] = s
	}
	var out []string
	for _, s := range rows.Samples {
		m := series[s.Fingerprint]
		if m.Name == "target_info" {
			continue
		}
		var labels []string
		for _, l := range m.Labels {
			if !slices.Contains([]string{"evenkeel_system_id", "service_instance_id", "service_name"}, l.Name) {
				labels = append(labels, fmt.Sprintf("%s=%q", l.Name, l.Value))
			}
		}
		out = append(out, fmt.Sprintf("%s{%s} %v %s", m.Name, strings.Join(labels, ","), s.Value, m.Kind))
	}
	slices.Sort(out)
	return out
}

func expect(t *testing.T, rows *model.Rows, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := text(rows); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestGaugesAndSums(t *testing.T) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("evenkeel.drift.score")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetDoubleValue(0.25)
	p.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(1234567)))
	p.Attributes().PutStr("evenkeel.feature.name", "income")
	p.Attributes().PutStr("empty", "")
	m = metrics.AppendEmpty()
	m.SetName("evenkeel.observation.count")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.DataPoints().AppendEmpty().SetIntValue(41)
	m = metrics.AppendEmpty()
	m.SetName("queue.size")
	sum = m.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.DataPoints().AppendEmpty().SetIntValue(-3)
	d := decode(t, spool.Metrics, bytesOf(t, req))
	expect(t, &d.Rows,
		`evenkeel_drift_score{evenkeel_feature_name="income"} 0.25 gauge`,
		`evenkeel_observation_count{} 41 counter`,
		`queue_size{} -3 gauge`)
	if got := d.Rows.Samples[0].Time; !got.Equal(noon.Add(1e6)) {
		t.Errorf("time %s; want milliseconds", got)
	}
	if got := d.Rows.Samples[1].Time; !got.Equal(noon) {
		t.Errorf("a point without time stands at %s; want the time it came", got)
	}
	if got := d.Rows.Series[1].Labels; len(got) != 3 || got[0].Name != "evenkeel_system_id" {
		t.Errorf("labels of the resource: %+v", got)
	}
}

func TestPointsOfNoTemporalityAreRefused(t *testing.T) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("a")
	s := m.SetEmptySum()
	s.DataPoints().AppendEmpty()
	s.DataPoints().AppendEmpty()
	m = metrics.AppendEmpty()
	m.SetName("b")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	d := decode(t, spool.Metrics, bytesOf(t, req))
	if d.Items != 3 || d.Refused.Count != 2 || d.Refused.ByReason[reasonTemporality] != 2 || !strings.Contains(d.Refused.First, "cumulative") {
		t.Errorf("refused %+v of %d", d.Refused, d.Items)
	}
	expect(t, &d.Rows, `b{} 1 gauge`)
}

func TestLabelsThatCollideAreJoined(t *testing.T) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("a")
	points := m.SetEmptyGauge().DataPoints()
	p := points.AppendEmpty()
	p.Attributes().PutStr("x_y", "under")
	p.Attributes().PutStr("x.y", "dot")
	p.Attributes().PutStr("service.name", "the resource says otherwise")
	points.AppendEmpty().Attributes().PutStr("__name__", "b")
	d := decode(t, spool.Metrics, bytesOf(t, req))
	expect(t, &d.Rows, `a{x_y="dot;under"} 0 gauge`)
	if d.Refused.ByReason[reasonName] != 1 {
		t.Errorf("a reserved name was taken: %+v", d.Refused)
	}
}

func TestHistogramsBecomeClassicSeries(t *testing.T) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("evenkeel.inference.duration")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := h.DataPoints().AppendEmpty()
	p.ExplicitBounds().FromRaw([]float64{0.1, 2})
	p.BucketCounts().FromRaw([]uint64{3, 4, 1})
	p.SetCount(8)
	p.SetSum(6.5)
	p.Attributes().PutStr("le", "a sender's own")
	wrong := h.DataPoints().AppendEmpty()
	wrong.ExplicitBounds().FromRaw([]float64{2, 1})
	wrong.BucketCounts().FromRaw([]uint64{1, 1, 1})
	wrong.SetCount(3)
	d := decode(t, spool.Metrics, bytesOf(t, req))
	name := "evenkeel_inference_duration"
	expect(t, &d.Rows,
		name+`_bucket{le="0.1"} 3 histogram`, name+`_bucket{le="2"} 7 histogram`, name+`_bucket{le="+Inf"} 8 histogram`,
		name+`_sum{} 6.5 histogram`, name+`_count{} 8 histogram`)
	if d.Refused.ByReason[reasonHistogram] != 1 {
		t.Errorf("refused: %+v", d.Refused)
	}
}

func TestSummariesAndPointsWithoutValue(t *testing.T) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("s")
	p := m.SetEmptySummary().DataPoints().AppendEmpty()
	p.SetCount(2)
	p.SetSum(5)
	q := p.QuantileValues().AppendEmpty()
	q.SetQuantile(0.5)
	q.SetValue(2.5)
	m = metrics.AppendEmpty()
	m.SetName("gone")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	d := decode(t, spool.Metrics, bytesOf(t, req))
	expect(t, &d.Rows, `s{quantile="0.5"} 2.5 gauge`, `s_sum{} 5 counter`, `s_count{} 2 counter`, `gone{} NaN gauge`)
	if last := d.Rows.Samples[len(d.Rows.Samples)-1]; math.Float64bits(last.Value) != 0x7ff0000000000002 {
		t.Errorf("no recorded value became %x; want Prometheus' stale NaN", math.Float64bits(last.Value))
	}
}

// record puts a value where an SDK would: bucket (base^i, base^(i+1)].
func record(p pmetric.ExponentialHistogramDataPoint, values []float64) {
	counts := map[bool]map[int]uint64{true: {}, false: {}}
	for _, v := range values {
		if v == 0 {
			p.SetZeroCount(p.ZeroCount() + 1)
			continue
		}
		i := int(math.Ceil(math.Log2(math.Abs(v))*math.Ldexp(1, int(p.Scale())))) - 1
		counts[v > 0][i]++
	}
	for positive, by := range counts {
		if len(by) == 0 {
			continue
		}
		b := p.Negative()
		if positive {
			b = p.Positive()
		}
		lowest, highest := math.MaxInt, math.MinInt
		for i := range by {
			lowest, highest = min(lowest, i), max(highest, i)
		}
		b.SetOffset(int32(lowest))
		for i := lowest; i <= highest; i++ {
			b.BucketCounts().Append(by[i])
		}
	}
	p.SetCount(uint64(len(values)))
}

// TestExponentialBucketsCountWhatIsBelow holds the conversion to its meaning:
// every bucket counts exactly the values up to its bound.
func TestExponentialBucketsCountWhatIsBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var values []float64
		for _, v := range rapid.SliceOfN(rapid.IntRange(-400, 400), 1, 60).Draw(t, "values") {
			values = append(values, float64(v)*0.37) // never on a power of two, but for zero
		}
		p := pmetric.NewExponentialHistogramDataPoint()
		p.SetScale(int32(rapid.IntRange(-2, 6).Draw(t, "scale")))
		record(p, values)
		h := toClassic(p)
		for i, b := range h.buckets {
			var below uint64
			for _, v := range values {
				if v <= b.le {
					below++
				}
			}
			if below != b.count {
				t.Fatalf("bucket le=%v holds %d, %d values are below: %v", b.le, b.count, below, values)
			}
			if i > 0 && b.le <= h.buckets[i-1].le {
				t.Fatalf("bounds do not ascend: %+v", h.buckets)
			}
		}
		if last := h.buckets[len(h.buckets)-1]; last.count != uint64(len(values)) {
			t.Fatalf("%d of %d values stand below the last bound", last.count, len(values))
		}
	})
}
