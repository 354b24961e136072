package ingest

import (
	"math"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
)

func TestDeltaPointsAreKeptAsDifferences(t *testing.T) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("requests")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	sum.DataPoints().AppendEmpty().SetIntValue(3)
	m = metrics.AppendEmpty()
	m.SetName("size")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	p := h.DataPoints().AppendEmpty()
	p.ExplicitBounds().FromRaw([]float64{1})
	p.BucketCounts().FromRaw([]uint64{3, 4})
	p.SetCount(7)
	p.Exemplars().AppendEmpty()
	p.Exemplars().AppendEmpty()
	d := decode(t, spool.Metrics, bytesOf(t, req))
	delta := `otel_temporality="delta"`
	expect(t, &d.Rows,
		`requests{`+delta+`} 3 gauge`, `size_bucket{le="1",`+delta+`} 3 histogram`,
		`size_bucket{le="+Inf",`+delta+`} 7 histogram`, `size_count{`+delta+`} 7 histogram`)
	if d.Refused.Count != 0 || d.Dropped[partExemplar] != 2 {
		t.Errorf("%+v", d.Tally)
	}
}

// buckets gives the samples of a histogram by their bound.
func buckets(rows *model.Rows) map[string]float64 {
	le := map[uint64]string{}
	for _, s := range rows.Series {
		for _, l := range s.Labels {
			if l.Name == "le" {
				le[s.Fingerprint] = l.Value
			}
		}
	}
	out := map[string]float64{}
	for _, s := range rows.Samples {
		if bound, ok := le[s.Fingerprint]; ok {
			out[bound] += s.Value // as sum_over_time does
		}
	}
	return out
}

// TestDifferencesOfExponentialHistogramsAddUp cuts values into points as a
// sender does, at changing scales, and adds the points over time: each bucket
// counts exactly the values up to its bound.
func TestDifferencesOfExponentialHistogramsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, metrics := newMetrics()
		m := metrics.AppendEmpty()
		m.SetName("e")
		e := m.SetEmptyExponentialHistogram()
		e.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		var all []float64
		for i := range rapid.IntRange(1, 4).Draw(t, "points") {
			var values []float64
			for _, v := range rapid.SliceOfN(rapid.IntRange(-400, 400), 1, 20).Draw(t, "values") {
				values = append(values, float64(v)*0.37) // never on a power of two, but for zero
			}
			p := e.DataPoints().AppendEmpty()
			p.SetScale(int32(rapid.IntRange(0, 6).Draw(t, "scale")))
			p.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(i) * time.Second)))
			record(p, values)
			all = append(all, values...)
		}
		raw, err := req.MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoder()
		if err := d.Add(spool.Metrics, raw, noon); err != nil || d.Refused.Count != 0 {
			t.Fatalf("%+v, %v", d.Refused, err)
		}
		got := buckets(&d.Rows)
		for _, le := range append([]float64{-128, -1, -0.25, 0, 0.25, 0.5, 1, 2, 64, 1 << 20}, math.Inf(1)) {
			want := 0.0
			for _, v := range all {
				if v <= le {
					want++
				}
			}
			if got[number(le)] != want {
				t.Errorf("up to %v: %v, want %v of %v", le, got[number(le)], want, all)
			}
		}
	})
}

func TestScopesAndResourcesAreTold(t *testing.T) {
	req, metrics := newMetrics()
	rm := req.Metrics().ResourceMetrics().At(0)
	put := func(list pmetric.MetricSlice, at time.Time) {
		m := list.AppendEmpty()
		m.SetName("m")
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(pcommon.NewTimestampFromTime(at))
	}
	rm.ScopeMetrics().At(0).Scope().SetName("io.example.http")
	put(metrics, noon)
	own := rm.ScopeMetrics().AppendEmpty()
	own.Scope().SetName(ownScopes + "agent")
	put(own.Metrics(), noon.Add(time.Second))
	d := decode(t, spool.Metrics, bytesOf(t, req))
	expect(t, &d.Rows, `m{otel_scope_name="io.example.http"} 0 gauge`, `m{} 0 gauge`)
	at := slices.IndexFunc(d.Rows.Series, func(s model.Series) bool { return s.Name == "target_info" })
	if at < 0 {
		t.Fatal("no target_info")
	}
	info := d.Rows.Series[at]
	if len(info.Labels) != 4 || info.Labels[1] != (model.Label{Name: "host_name", Value: "only in logs"}) || !info.SeenAt.Equal(noon.Add(time.Second)) {
		t.Errorf("got %+v", info)
	}
	rm.Resource().Attributes().PutStr("__name__", "x")
	if d := decode(t, spool.Metrics, bytesOf(t, req)); d.Dropped[partTarget] != 1 || len(text(&d.Rows)) != 2 {
		t.Errorf("%+v", d.Tally)
	}
}
