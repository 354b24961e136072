package ingest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc/metadata"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

const benchItems = 1000

// benchMetrics is a request of gauges, ten series each as an agent has them.
func benchMetrics(b *testing.B) []byte {
	req, metrics := newMetrics()
	for i := range benchItems / 10 {
		m := metrics.AppendEmpty()
		m.SetName(fmt.Sprintf("evenkeel.metric.%d", i))
		points := m.SetEmptyGauge().DataPoints()
		for j := range 10 {
			p := points.AppendEmpty()
			p.SetDoubleValue(float64(j))
			p.SetTimestamp(pcommon.NewTimestampFromTime(noon))
			p.Attributes().PutStr(signal.KeyModelName, "loans")
			p.Attributes().PutStr(signal.KeyModelVersion, "3")
			p.Attributes().PutStr(signal.KeyFeatureName, fmt.Sprintf("feature-%d", j))
		}
	}
	return bytesOf(b, req)
}

func benchLogs(b *testing.B) []byte {
	req, records := newLogs()
	for i := range benchItems {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(noon))
		lr.SetSeverityText("INFO")
		lr.Body().SetStr(fmt.Sprintf("request %d was served", i))
		lr.Attributes().PutStr("http.route", "/v2/models/loans/infer")
		lr.Attributes().PutInt("http.response.status_code", 200)
	}
	return bytesOf(b, req)
}

// compare runs both, a time each, and reports ours against bare unmarshalling.
func compare(b *testing.B, ours, bare func() error) {
	var oursTook, bareTook time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if err := ours(); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		b.StopTimer()
		if err := bare(); err != nil {
			b.Fatal(err)
		}
		oursTook += middle.Sub(start)
		bareTook += time.Since(middle)
		b.StartTimer()
	}
	b.ReportMetric(float64(oursTook.Nanoseconds())/float64(b.N)/benchItems, "ns/row")
	b.ReportMetric(float64(oursTook)/float64(bareTook), "ratio")
}

// BenchmarkDecodeMetrics is what the drain does with series that it has seen
// before, in a batch of one request; BenchmarkDecodeNewMetrics, with new ones.
func BenchmarkDecodeMetrics(b *testing.B) {
	payload := benchMetrics(b)
	d := NewDecoder()
	compare(b, func() error { defer d.reset(); return d.Add(spool.Metrics, payload, noon) },
		func() error { return pmetricotlp.NewExportRequest().UnmarshalProto(payload) })
}

func BenchmarkDecodeNewMetrics(b *testing.B) {
	payload := benchMetrics(b)
	compare(b, func() error { return NewDecoder().Add(spool.Metrics, payload, noon) },
		func() error { return pmetricotlp.NewExportRequest().UnmarshalProto(payload) })
}

// benchPredictions is a request of predictions with what most of them have.
func benchPredictions(b *testing.B) []byte {
	var of []*signal.Prediction
	for i := range benchItems {
		p := prediction(fmt.Sprintf("9f1c2b7e-0000-4000-8000-%012x", i), 0)
		p.Rate, p.TraceID = 1, ""
		of = append(of, p)
	}
	return bytesOf(b, predictions(of...))
}

func BenchmarkDecodePredictions(b *testing.B) {
	payload := benchPredictions(b)
	compare(b, func() error { return NewDecoder().Add(spool.Logs, payload, noon) },
		func() error { return plogotlp.NewExportRequest().UnmarshalProto(payload) })
}

// BenchmarkTakeLabels is what happens to a part of a request to the API before
// it is acknowledged: written as OTLP, checked, written to disk, synced.
func BenchmarkTakeLabels(b *testing.B) {
	s := serve(b, nil, func(o *spool.Options) { o.Max = 16 << 30 })
	var labels []signal.Label
	for i := range benchItems {
		labels = append(labels, signal.Label{System: "loans", ID: fmt.Sprintf("9f1c2b7e-0000-4000-8000-%012x", i), Value: "1", Source: "desk"})
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := s.TakeLabels(b.Context(), labels, fmt.Sprint("bench/", n)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchItems*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkDecodeLogs(b *testing.B) {
	payload := benchLogs(b)
	compare(b, func() error { return NewDecoder().Add(spool.Logs, payload, noon) },
		func() error { return plogotlp.NewExportRequest().UnmarshalProto(payload) })
}

// BenchmarkTakeLogs is what happens before a request is acknowledged: decoded,
// written, synced.
func BenchmarkTakeLogs(b *testing.B) {
	payload := benchLogs(b)
	sp := openSpool(b, b.TempDir(), func(o *spool.Options) { o.Max = 16 << 30 })
	health, err := NewHealth(prometheus.NewRegistry(), sp)
	if err != nil {
		b.Fatal(err)
	}
	o := DefaultServerOptions()
	in := newIntake(&o, sp, health)
	n := 0
	compare(b, func() error {
		n++
		_, err := in.take(context.Background(), "bench", spool.Logs, payload, fmt.Sprint("bench/", n))
		return err
	}, func() error { return plogotlp.NewExportRequest().UnmarshalProto(payload) })
}

// BenchmarkWireToStore is the whole way: gRPC, spool, drain, real store. One
// operation is a request of a thousand records.
func BenchmarkWireToStore(b *testing.B) {
	store := storetest.Open(b)
	s := serve(b, nil, nil)
	run(b, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	client := s.logsClient(b)
	started := time.Now()
	b.ResetTimer()
	var senders sync.WaitGroup
	for w := range 4 {
		senders.Go(func() {
			for i := w; i < b.N; i += 4 {
				req := plogotlp.NewExportRequest()
				if err := req.UnmarshalProto(benchLogs(b)); err != nil {
					b.Error(err)
					return
				}
				ctx := metadata.AppendToOutgoingContext(context.Background(), BatchHeader, fmt.Sprint("bench/", i))
				if _, err := client.Export(ctx, req); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	s.waitUntilStored(b)
	b.ReportMetric(float64(b.N)*benchItems/time.Since(started).Seconds(), "rows/s")
}

// BenchmarkTakeMetrics is BenchmarkTakeLogs for data points: each of them is held
// against the budget of its source.
func BenchmarkTakeMetrics(b *testing.B) {
	payload := benchMetrics(b)
	sp := openSpool(b, b.TempDir(), func(o *spool.Options) { o.Max = 16 << 30 })
	health, err := NewHealth(prometheus.NewRegistry(), sp)
	if err != nil {
		b.Fatal(err)
	}
	o := DefaultServerOptions()
	in := newIntake(&o, sp, health)
	n := 0
	compare(b, func() error {
		n++
		_, err := in.take(context.Background(), "bench", spool.Metrics, payload, fmt.Sprint("bench/", n))
		return err
	}, func() error { return pmetricotlp.NewExportRequest().UnmarshalProto(payload) })
}

// BenchmarkAdmitMetrics is the part of it before the disk, with a budget; its
// ratio is against bare unmarshalling.
func BenchmarkAdmitMetrics(b *testing.B) {
	payload := benchMetrics(b)
	limits := DefaultServerOptions().Limits
	budget := newSeriesBudget(limits.Series)
	compare(b, func() error { _, err := admit(spool.Metrics, payload, noon, limits, budget); return err },
		func() error { return pmetricotlp.NewExportRequest().UnmarshalProto(payload) })
}
