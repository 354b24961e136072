package promql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

// The data of the comparison: as many series as an instant query is to answer
// for in 200 ms, each with a sample every 15 seconds for five minutes.
const (
	peerSeries  = 10_000
	peerSamples = 20
	peerEvery   = 15 * time.Second
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// peerRows are the series and samples that both stores get.
func peerRows() *model.Rows {
	rows := &model.Rows{}
	for i := range peerSeries {
		s := model.Series{Name: "drift_score", Kind: model.Counter, SeenAt: noon, Labels: model.SortLabels([]model.Label{
			{Name: "evenkeel_system_id", Value: fmt.Sprint("system-", i%10)},
			{Name: "evenkeel_model_name", Value: fmt.Sprint("model-", i%7)},
			{Name: "evenkeel_feature_name", Value: fmt.Sprint("feature-", i)},
			{Name: "evenkeel_scope", Value: "fleet"},
			{Name: "evenkeel_window_length", Value: "1h"},
			{Name: "service_name", Value: "evenkeel-agent"},
		})}
		s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
		rows.Series = append(rows.Series, s)
		for k := range peerSamples {
			rows.Samples = append(rows.Samples, model.Sample{
				Fingerprint: s.Fingerprint, Time: noon.Add(-peerEvery * time.Duration(peerSamples-1-k)), Value: float64(k*k) + float64(i)/7,
			})
		}
	}
	return rows
}

// peer is Prometheus' own database with the same data.
func peer(b *testing.B, rows *model.Rows) storage.Queryable {
	b.Helper()
	db, err := tsdb.Open(b.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	app := db.AppenderV2(context.Background())
	for i, s := range rows.Series {
		builder := labels.NewScratchBuilder(8)
		builder.Add("__name__", s.Name)
		for _, l := range s.Labels {
			builder.Add(l.Name, l.Value)
		}
		builder.Sort()
		var ref storage.SeriesRef
		for _, x := range rows.Samples[i*peerSamples : (i+1)*peerSamples] {
			if ref, err = app.Append(ref, builder.Labels(), 0, x.Time.UnixMilli(), x.Value, nil, nil, storage.AppendV2Options{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkInstantBesidePrometheus asks both stores the same, in turns. The
// ratio is our time over that of Prometheus' own database.
func BenchmarkInstantBesidePrometheus(b *testing.B) {
	rows := peerRows()
	store := storetest.Open(b)
	if err := store.Write(b.Context(), model.SpoolBatch(1), rows, model.FirstTry); err != nil {
		b.Fatal(err)
	}
	theirs := peer(b, rows)
	ours := query.New(store, query.Options{})
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 5_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})
	defer engine.Close()
	for _, expr := range []string{
		"drift_score", `sum by (evenkeel_system_id) (drift_score{evenkeel_scope="fleet"})`, "rate(drift_score[5m])",
		"increase(drift_score[5m])", "sum_over_time(drift_score[5m])", "max_over_time(drift_score[5m])",
		"min_over_time(drift_score[5m])", "avg_over_time(drift_score[5m])", "count_over_time(drift_score[5m])",
	} {
		b.Run(expr, func(b *testing.B) {
			var own, other time.Duration
			for b.Loop() {
				began := time.Now()
				got, err := ours.Instant(b.Context(), expr, noon, 0)
				if err != nil {
					b.Fatal(err)
				}
				own += time.Since(began)
				began = time.Now()
				q, err := engine.NewInstantQuery(b.Context(), theirs, nil, expr, noon)
				if err != nil {
					b.Fatal(err)
				}
				want := q.Exec(b.Context())
				other += time.Since(began)
				if want.Err != nil || len(got.(promql.Vector)) != len(want.Value.(promql.Vector)) {
					b.Fatalf("%d values, and Prometheus %v, %v", len(got.(promql.Vector)), want.Value, want.Err)
				}
			}
			b.ReportMetric(float64(own.Microseconds())/float64(b.N)/1000, "ms/own")
			b.ReportMetric(float64(other.Microseconds())/float64(b.N)/1000, "ms/prometheus")
			b.ReportMetric(float64(own)/float64(other), "ratio")
		})
	}
}
