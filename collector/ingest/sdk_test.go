package ingest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/log"
	otelmetric "go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// TestTheOpenTelemetrySDKReachesTheStore sends what any instrumented program
// sends, with the SDK's own exporters.
func TestTheOpenTelemetrySDKReachesTheStore(t *testing.T) {
	ctx := context.Background()
	store := storetest.Open(t)
	s := serve(t, nil, nil)
	run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	res := resource.NewSchemaless(attribute.String(signal.KeySystemID, "loan-approval"))

	logs, err := otlploghttp.New(ctx, otlploghttp.WithEndpoint(s.HTTPAddr()), otlploghttp.WithInsecure(), otlploghttp.WithCompression(otlploghttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	logProvider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(logs)))
	for i := range 10 {
		var r log.Record
		r.SetBody(attribute.StringValue(fmt.Sprint("line ", i)))
		logProvider.Logger("test").Emit(ctx, r)
	}
	if err := logProvider.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}

	metrics, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(s.HTTPAddr()), otlpmetrichttp.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	meterProvider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)))
	duration, err := meterProvider.Meter("test").Float64Histogram(signal.MetricInferenceDuration, otelmetric.WithUnit("s"), otelmetric.WithExplicitBucketBoundaries(0.1, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{0.05, 0.5, 5} {
		duration.Record(ctx, v)
	}
	if err := meterProvider.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}

	s.waitUntilStored(t)
	expectCounted(t, store, 10)
	buckets, err := store.SelectSeries(ctx, []model.Matcher{
		{Name: "__name__", Value: "evenkeel_inference_duration_bucket"}, {Name: "evenkeel_system_id", Value: "loan-approval"},
	}, time.Now().Add(-time.Minute), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, b := range buckets {
		for _, l := range b.Labels {
			if l.Name == "le" {
				got[l.Value] = b.Samples[len(b.Samples)-1].Value
			}
		}
	}
	if len(got) != 3 || got["0.1"] != 1 || got["1"] != 2 || got["+Inf"] != 3 {
		t.Errorf("buckets %v", got)
	}
}
