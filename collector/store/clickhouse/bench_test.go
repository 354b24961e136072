package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

const benchRows = 50_000

func benchSamples() *model.Rows {
	rows := &model.Rows{}
	for i := range 500 {
		rows.Series = append(rows.Series, series("bench", "n", fmt.Sprint(i), "evenkeel_system_id", "loans"))
	}
	for i := range benchRows {
		rows.Samples = append(rows.Samples, model.Sample{
			Fingerprint: rows.Series[i%500].Fingerprint, Time: noon.Add(time.Duration(i/500) * time.Second), Value: float64(i % 97),
		})
	}
	return rows
}

func benchLogs() *model.Rows {
	rows := &model.Rows{}
	resource := map[string]string{"service.name": "loan-approval", "service.instance.id": "a", "evenkeel.system.id": "loans"}
	for i := range benchRows {
		rows.Logs = append(rows.Logs, model.Log{
			Time: noon.Add(time.Duration(i) * time.Millisecond), Body: fmt.Sprintf("request %d took %d ms", i, i%1000),
			ServiceName: "loan-approval", SeverityText: "INFO", SeverityNumber: 9, ResourceAttributes: resource,
			LogAttributes: map[string]string{"request": fmt.Sprint(i), "route": "/v2/models/loan/infer", "status": "200"},
		})
	}
	return rows
}

// BenchmarkWrite stores batches of 50,000 rows, as a drain that is behind does.
func BenchmarkWrite(b *testing.B) {
	for name, rows := range map[string]*model.Rows{"samples": benchSamples(), "logs": benchLogs()} {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				write(b, s, model.SpoolBatch(uint64(i+1)), rows, model.FirstTry)
			}
			b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkWriteDerived stores what fleet and evaluate do: few rows, in doubt.
func BenchmarkWriteDerived(b *testing.B) {
	s := storetest.Open(b)
	rows := everything()
	rows.Logs, rows.Distributions, rows.Lineage, rows.Events, rows.Deliveries = nil, nil, nil, nil, nil
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		write(b, s, model.DerivedBatch(uint64(i+1)), rows, model.InDoubt)
	}
}

// BenchmarkSelectSeries reads 500 series of 100 samples.
func BenchmarkSelectSeries(b *testing.B) {
	s := storetest.Open(b)
	write(b, s, model.SpoolBatch(1), benchSamples(), model.FirstTry)
	matchers := []model.Matcher{{Name: "__name__", Value: "bench"}, {Name: "evenkeel_system_id", Value: "loans"}}
	b.ReportAllocs()
	for b.Loop() {
		got, err := s.SelectSeries(b.Context(), matchers, noon, noon.Add(time.Hour))
		if err != nil || len(got) != 500 {
			b.Fatalf("%d series, %v", len(got), err)
		}
	}
	b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "samples/s")
}
