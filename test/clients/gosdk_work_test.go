package clients

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// work does the work and gives the account of the exporters.
func work(t *testing.T, service string, out exporters) account {
	t.Helper()
	ctx := context.Background()
	var faults errorLog
	otel.SetErrorHandler(&faults) // what the SDK tells of partial success and of failures
	res := resource.NewSchemaless(attribute.String("service.name", service), attribute.String("deployment.environment.name", "test"))
	count := &counted{points: map[string]int{}}
	traces := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithBatcher(countedSpans{out.traces, count}))
	logs := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(countedLogs{out.logs, count})))
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(countedMetrics{out.metrics, count}, sdkmetric.WithProducer(summaries{}))),
		sdkmetric.WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "client.size"},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})))
	serve(ctx, traces.Tracer("work"), logs.Logger("work"))
	measure(t, metrics.Meter("work"))
	if err := errors.Join(metrics.ForceFlush(ctx), metrics.Shutdown(ctx), logs.Shutdown(ctx), traces.Shutdown(ctx)); err != nil {
		t.Errorf("%s: %v", service, err)
	}
	for _, err := range faults.all() {
		t.Errorf("%s: the SDK says: %v", service, err)
	}
	return account{Points: count.points, Logs: count.logs, Spans: count.spans}
}

// serve makes the spans and logs of all requests.
func serve(ctx context.Context, tracer trace.Tracer, logger log.Logger) {
	var before trace.SpanContext
	for i := range requests {
		ctx, root := tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
		if !before.IsValid() {
			before = root.SpanContext()
		}
		_, score := tracer.Start(ctx, "score", trace.WithLinks(trace.Link{SpanContext: before}),
			trace.WithAttributes(attribute.Float64("score", 0.5), attribute.StringSlice("reasons", []string{"income", "age"})))
		score.End()
		root.AddEvent("decided", trace.WithAttributes(attribute.Bool("approved", true)))
		var r log.Record
		r.SetBody(attribute.StringValue(fmt.Sprintf("request %d ✓", i)))
		r.AddAttributes(attribute.Int("number", i))
		r.SetSeverity(log.SeverityInfo)
		r.SetSeverityText("INFO")
		if i%(requests/failures) == 0 {
			root.SetStatus(codes.Error, "refused")
			r.SetSeverity(log.SeverityError)
			r.SetSeverityText("ERROR")
		}
		logger.Emit(ctx, r)
		root.End()
		before = root.SpanContext()
	}
}

// measure records with an instrument of every kind.
func measure(t *testing.T, meter metric.Meter) {
	t.Helper()
	ctx := context.Background()
	orders, err1 := meter.Int64Counter("client.orders")
	queue, err2 := meter.Int64UpDownCounter("client.queue")
	temperature, err3 := meter.Float64Gauge("client.temperature", metric.WithUnit("Cel"))
	_, err4 := meter.Int64ObservableCounter("client.bytes", metric.WithUnit("By"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error { o.Observe(12345); return nil }))
	latency, err5 := meter.Float64Histogram("client.latency", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 1))
	size, err6 := meter.Float64Histogram("client.size")
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	plain := metric.WithAttributes(attribute.String("kind", "plain"))
	orders.Add(ctx, 1, plain)
	orders.Add(ctx, 2, plain)
	orders.Add(ctx, 4, metric.WithAttributes(attribute.String("kind", "gift")))
	queue.Add(ctx, 5)
	queue.Add(ctx, -2)
	temperature.Record(ctx, 21.5, metric.WithAttributes(attribute.String("room", "kitchen")))
	temperature.Record(ctx, -3.25, metric.WithAttributes(attribute.String("room", "cellar")))
	for _, v := range []float64{0.05, 0.5, 5} {
		latency.Record(ctx, v)
	}
	for _, v := range []float64{0, 1, 2, 1024} {
		size.Record(ctx, v)
	}
}

// counted is what exporters had acknowledged.
type counted struct {
	mu          sync.Mutex
	points      map[string]int
	logs, spans int
}

type countedMetrics struct {
	sdkmetric.Exporter
	*counted
}

func (c countedMetrics) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	if err := c.Exporter.Export(ctx, m); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, scope := range m.ScopeMetrics {
		for _, m := range scope.Metrics {
			c.points[m.Name] += pointsOf(m.Data)
		}
	}
	return nil
}

func pointsOf(data metricdata.Aggregation) int {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return len(d.DataPoints)
	case metricdata.Gauge[float64]:
		return len(d.DataPoints)
	case metricdata.Histogram[float64]:
		return len(d.DataPoints)
	case metricdata.ExponentialHistogram[float64]:
		return len(d.DataPoints)
	case metricdata.Summary:
		return len(d.DataPoints)
	}
	panic("the work has no metric of type " + strconv.Quote(fmt.Sprintf("%T", data)))
}

type countedLogs struct {
	sdklog.Exporter
	*counted
}

func (c countedLogs) Export(ctx context.Context, records []sdklog.Record) error {
	if err := c.Exporter.Export(ctx, records); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logs += len(records)
	return nil
}

type countedSpans struct {
	sdktrace.SpanExporter
	*counted
}

func (c countedSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := c.SpanExporter.ExportSpans(ctx, spans); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans += len(spans)
	return nil
}

// errorLog remembers what the SDK reports.
type errorLog struct {
	mu     sync.Mutex
	errors []error
}

// Handle is called by the SDK.
func (l *errorLog) Handle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = append(l.errors, err)
}

func (l *errorLog) all() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors
}
