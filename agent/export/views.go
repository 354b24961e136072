package export

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/guard"
	"github.com/evenkeel/evenkeel/signal"
)

const (
	// cardinality bounds the attribute sets of one metric; the SDK's own
	// default of 2,000 is less than a wide model with groups can have. It holds
	// for each instrument by itself, so that siblings do not share it.
	cardinality = 50_000
)

// durationBounds are the buckets of evenkeel.inference.duration, in seconds:
// from a cached tree model to a long generation.
var durationBounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// views are the metrics: what dashboards look at. They leave over OTLP every
// metrics_every, the heartbeat in its own rhythm, and are read at /metrics.
type views struct {
	main, pulse *sdkmetric.MeterProvider
	registry    *prometheus.Registry
	meter       metric.Meter
	guard       *guard.Guard
	goodbye     atomic.Bool // the heartbeat is 0: the agent stops

	duration     metric.Float64Histogram
	observations metric.Int64Counter

	mu     sync.Mutex
	boards []board // last updated last

	measured atomic.Pointer[func() []Measured] // scores that come from no window
}

// rhythm says how often the metrics leave over OTLP.
type rhythm struct{ metrics, heartbeat time.Duration }

func newViews(id Identity, s *spool, every rhythm, now func() time.Time, g *guard.Guard, log *slog.Logger) (*views, error) {
	v := &views{registry: prometheus.NewRegistry(), guard: g}
	var err error
	if v.main, err = v.provider(id, s, every.metrics, log); err != nil {
		return nil, err
	}
	if v.pulse, err = v.provider(id, s, every.heartbeat, log); err != nil {
		return nil, err
	}
	v.meter = v.main.Meter(scopeName, metric.WithInstrumentationVersion(id.Version))
	if err := errors.Join(v.instruments(), v.scoreGauges(), v.heartbeat(id, now)); err != nil {
		return nil, errs.E("make the metric instruments", errs.Other, err, "")
	}
	return v, nil
}

// provider makes a meter provider that is exported to the spool in its own
// rhythm and readable at /metrics.
func (v *views) provider(id Identity, s *spool, every time.Duration, log *slog.Logger) (*sdkmetric.MeterProvider, error) {
	otlp, err := otlpmetrichttp.New(context.Background(),
		otlpmetrichttp.WithEndpointURL(spoolEndpoint),
		otlpmetrichttp.WithURLPath("/v1/metrics"),
		otlpmetrichttp.WithHTTPClient(&http.Client{Transport: spoolTransport{s, Metrics}}),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: false}),
		otlpmetrichttp.WithTemporalitySelector(sdkmetric.CumulativeTemporalitySelector),
	)
	if err != nil {
		return nil, errs.E("make the metric exporter", errs.Other, err, "")
	}
	prom, err := otelprom.New(
		otelprom.WithRegisterer(v.registry),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithoutSuffixes),
		otelprom.WithoutScopeInfo(),
		otelprom.WithoutTargetInfo(),
		otelprom.WithResourceAsConstantLabels(attribute.NewAllowKeysFilter(
			signal.KeySystemID, signal.KeyInstanceID, signal.KeyServiceName, signal.KeyEnvironment)),
	)
	if err != nil {
		return nil, errs.E("make the Prometheus exporter", errs.Other, err, "")
	}
	return sdkmetric.NewMeterProvider(
		sdkmetric.WithResource(id.resource()),
		sdkmetric.WithCardinalityLimit(cardinality),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(logged{otlp, v.guard, log}, sdkmetric.WithInterval(every))),
		sdkmetric.WithReader(prom),
	), nil
}

func (v *views) instruments() (err error) {
	if v.duration, err = v.meter.Float64Histogram(signal.MetricInferenceDuration,
		metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(durationBounds...),
		metric.WithDescription("Time from the request's arrival at the agent to the end of the model server's response.")); err != nil {
		return err
	}
	v.observations, err = v.meter.Int64Counter(signal.MetricObservationCount, metric.WithUnit("{observation}"),
		metric.WithDescription("Requests by what became of them in the capture, counted when their window closes."))
	return err
}

// heartbeat is the gauge that says that the agent is alive, also when no
// request comes. The last one of a clean stop is 0, which no clock shows: nobody
// need wait for the next.
func (v *views) heartbeat(id Identity, now func() time.Time) error {
	meter := v.pulse.Meter(scopeName, metric.WithInstrumentationVersion(id.Version))
	_, err := meter.Float64ObservableGauge(signal.MetricHeartbeat, metric.WithUnit("s"),
		metric.WithDescription("The agent's clock, in seconds since the Unix epoch; 0 when it stops."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			if v.goodbye.Load() {
				o.Observe(0)
			} else {
				o.Observe(float64(now().UnixMilli()) / 1000)
			}
			return nil
		}))
	return err
}

// count adds a window's capture account to the counters.
func (v *views) count(m signal.ModelRef, c signal.Capture) {
	for _, part := range []struct {
		name string
		n    uint64
	}{
		{signal.CaptureSeen, c.Seen},
		{signal.CaptureProfiled, c.Profiled},
		{signal.CaptureSampledOut, c.SampledOut - c.OverCeiling},
		{signal.CaptureDropped, c.Dropped},
		{signal.CaptureUndecodable, c.Undecodable},
	} {
		attrs := append(modelAttrs(m), attribute.String(signal.KeyCapture, part.name))
		v.observations.Add(context.Background(), int64(part.n), metric.WithAttributes(attrs...))
	}
	if c.OverCeiling > 0 {
		attrs := append(modelAttrs(m), attribute.String(signal.KeyCapture, signal.CaptureSampledOut), attribute.String(signal.KeyReason, signal.ReasonCeiling))
		v.observations.Add(context.Background(), int64(c.OverCeiling), metric.WithAttributes(attrs...))
	}
}

// handler serves /metrics.
func (v *views) handler() http.Handler {
	return promhttp.HandlerFor(v.registry, promhttp.HandlerOpts{})
}

// Close exports a last time, the heartbeat after all else, and ends the
// readers. goodbye says that the agent means to stop.
func (v *views) Close(ctx context.Context, goodbye bool) error {
	err := v.main.Shutdown(ctx)
	v.goodbye.Store(goodbye)
	return errors.Join(err, v.pulse.Shutdown(ctx))
}

// guarded makes a callback of the SDK, which calls it on goroutines of its own.
// It never fails: the SDK would export nothing then, the other callbacks'
// numbers included.
func guarded(g *guard.Guard, observe func(metric.Observer)) metric.Callback {
	return func(_ context.Context, o metric.Observer) error {
		g.Run(partMetrics, func() { observe(o) })
		return nil
	}
}

// logged keeps export errors out of the SDK's global error handler: views are
// cumulative, so a lost export is only a missing point. The spool counts it.
type logged struct {
	sdkmetric.Exporter
	guard *guard.Guard
	log   *slog.Logger
}

// Export never fails.
func (l logged) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	err := l.guard.Try(partMetrics, func() error { return l.Exporter.Export(ctx, rm) })
	if err != nil {
		l.log.Warn("a metric export did not reach the spool", "error", err)
	}
	return nil
}
