package query_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

// What the store picks out of a range is what Prometheus would pick out of all
// of it, staleness markers, NaN, both zeros and repeated times included: a range
// query of more than one step reads every sample, and is the reference.
func TestWhatTheStorePicksIsWhatPrometheusWould(t *testing.T) {
	store := storetest.Open(t)
	engine := query.New(store, query.Options{Lookback: time.Minute})
	round := uint64(0)
	odd := []float64{math.Float64frombits(value.StaleNaN), math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, -1, 2.5}
	rapid.Check(t, func(t *rapid.T) {
		round++
		at := noon.Add(time.Duration(round) * time.Hour) // one store for all of them, each in an hour of its own
		series := parseSeries("picked")
		for batch := range uint64(2) { // the second one repeats times of the first
			rows := &model.Rows{Series: []model.Series{series}}
			rows.Series[0].SeenAt = at
			for _, second := range rapid.SliceOfNDistinct(rapid.IntRange(-59, 0), 0, 8, rapid.ID).Draw(t, "seconds") {
				rows.Samples = append(rows.Samples, model.Sample{
					Fingerprint: series.Fingerprint, Time: at.Add(time.Duration(second) * time.Second), Value: rapid.SampledFrom(odd).Draw(t, "value"),
				})
			}
			if err := store.Write(context.Background(), model.SpoolBatch(2*round+batch), rows, model.FirstTry); err != nil {
				t.Fatal(err)
			}
		}
		for _, expr := range []string{
			"picked", "max_over_time(picked[1m])", "min_over_time(picked[1m])", "last_over_time(picked[1m])", "present_over_time(picked[1m])",
			"max_over_time(max_over_time(picked[30s])[30s:10s])",
		} {
			got, err := engine.Instant(context.Background(), expr, at, 0)
			if err != nil {
				t.Fatal(err)
			}
			all, err := engine.Range(context.Background(), expr, at.Add(-time.Minute), at, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if g, w := bitsOf(got, at), bitsOf(all, at); g != w {
				t.Fatalf("%s: %x, and of all samples %x", expr, g, w)
			}
		}
	})
}

// bitsOf gives the bits of the one value at a time; all ones where there is none.
func bitsOf(v parser.Value, at time.Time) uint64 {
	switch v := v.(type) {
	case promql.Vector:
		if len(v) == 1 {
			return math.Float64bits(v[0].F)
		}
	case promql.Matrix:
		for _, s := range v {
			for _, p := range s.Floats {
				if p.T == at.UnixMilli() {
					return math.Float64bits(p.F)
				}
			}
		}
	}
	return math.MaxUint64
}
