package ingest

import (
	"reflect"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/evenkeel/evenkeel/collector/spool"
)

// fuzzDecoder: any bytes are either refused or decoded, always to the same
// rows, and admission says what decoding says.
func fuzzDecoder(f *testing.F, kind spool.Kind) {
	f.Fuzz(func(t *testing.T, payload []byte) {
		limits := DefaultServerOptions().Limits
		limits.Series.PerSource = 3
		sameBothWays(t, kind, payload, limits)
		a, admitErr := admit(kind, payload, noon, limits, newSeriesBudget(limits.Series))
		one, two := NewDecoder(), NewDecoder()
		err := one.Add(kind, payload, noon)
		if (err == nil) != (admitErr == nil) {
			t.Fatalf("admission says %v, decoding %v", admitErr, err)
		}
		if err != nil {
			if !one.Rows.Empty() {
				t.Fatal("rows of a payload that is not a request")
			}
			return
		}
		if a.changed {
			rest := NewDecoder()
			if err := rest.Add(kind, a.body, noon); err != nil || a.Items < rest.Items-len(rest.Rows.Samples) {
				t.Fatalf("what is left of %+v: %+v, %v", a.Tally, rest.Tally, err)
			}
			return
		}
		tally := a.Tally
		if !reflect.DeepEqual(tally, one.Tally) || tally.Refused.Count > tally.Items+1 {
			t.Fatalf("admission says %+v; decoding %+v", tally, one.Tally)
		}
		if len(one.Rows.Predictions) != tally.Predictions || len(one.Rows.Labels) != tally.Labels {
			t.Fatalf("%+v, but %d predictions and %d labels", tally, len(one.Rows.Predictions), len(one.Rows.Labels))
		}
		if err := two.Add(kind, payload, noon); err != nil || len(two.Rows.Samples) != len(one.Rows.Samples) || len(two.Rows.Logs) != len(one.Rows.Logs) {
			t.Fatalf("decoded twice: %v", err)
		}
		known := map[uint64]bool{}
		for _, s := range one.Rows.Series {
			if known[s.Fingerprint] {
				t.Fatal("a series stands twice in a batch")
			}
			known[s.Fingerprint] = true
			for i, l := range s.Labels {
				if l.Value == "" || i > 0 && s.Labels[i-1].Name >= l.Name {
					t.Fatalf("labels are not sorted, or empty: %+v", s.Labels)
				}
			}
		}
		for _, s := range one.Rows.Samples {
			if !known[s.Fingerprint] {
				t.Fatal("a sample without its series")
			}
		}
	})
}

func FuzzDecodeLogs(f *testing.F) {
	req, records := newLogs()
	putWindow(records.AppendEmpty(), window(1))
	f.Add(bytesOf(f, req))
	f.Add(bytesOf(f, predictions(prediction("a", 0), prediction("b", 1))))
	f.Add(oddLogs(f))
	f.Add([]byte{})
	fuzzDecoder(f, spool.Logs)
}

func FuzzDecodeMetrics(f *testing.F) {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("h")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := h.DataPoints().AppendEmpty()
	p.ExplicitBounds().FromRaw([]float64{1})
	p.BucketCounts().FromRaw([]uint64{1, 2})
	p.SetCount(3)
	m = metrics.AppendEmpty()
	m.SetName("e")
	e := m.SetEmptyExponentialHistogram()
	e.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	record(e.DataPoints().AppendEmpty(), []float64{-3, 0, 0.7, 5})
	f.Add(bytesOf(f, req))
	f.Add(oddMetrics(f))
	f.Add([]byte{})
	fuzzDecoder(f, spool.Metrics)
}
