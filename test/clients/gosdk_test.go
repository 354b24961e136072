package clients

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/encoding/gzip"

	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/test/livetest"
)

// The OpenTelemetry SDK of Go, with its own exporters: what it had acknowledged
// is in the store, once, over either protocol, compressed or not, and the API
// answers about it before the collector is stopped.
func TestGoSDK(t *testing.T) {
	site := livetest.StartCollector(t, nil)
	variants := map[string]exporters{
		"go-grpc":      overGRPC(t, site.GRPC, transport{}),
		"go-grpc-gzip": overGRPC(t, site.GRPC, transport{compressed: true}),
		"go-http":      overHTTP(t, site.HTTP, transport{}),
		"go-http-gzip": overHTTP(t, site.HTTP, transport{compressed: true}),
	}
	said := map[string]account{}
	for service, out := range variants {
		said[service] = work(t, service, out)
	}
	delta := work(t, "go-delta", overGRPC(t, site.GRPC, transport{temporality: sdkmetric.DeltaTemporalitySelector}))
	livetest.Eventually(t, time.Minute, "the API tells of the last client's orders", func() bool {
		return site.Scalar(t, `sum(sum_over_time(client_orders{service_name="go-delta"}[1h]))`) == 7
	})
	store := site.Open(t)
	for service := range variants {
		t.Run(service, func(t *testing.T) {
			wantWork(t, store, service, said[service])
			wantSummary(t, store, service, said[service].Points["client.wait"])
		})
	}
	t.Run("go-delta", func(t *testing.T) { wantDifferences(t, store, "go-delta", delta.Points) })
}

// A collector that asks for a token takes nothing from a client without it, and
// everything from one with it.
func TestGoSDKWithToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("open-sesame-for-tests\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	site := livetest.StartCollector(t, func(c *collector.Config) { c.Auth.TokenFile = path })
	said := map[string]account{}
	for service, open := range map[string]func(testing.TB, string, transport) exporters{"go-grpc": overGRPC, "go-http": overHTTP} {
		address := map[string]string{"go-grpc": site.GRPC, "go-http": site.HTTP}[service]
		refused := open(t, address, transport{token: "Bearer open-barley-for-tests"})
		err := refused.logs.Export(context.Background(), make([]sdklog.Record, 1))
		if err == nil {
			t.Errorf("%s: a token that nobody knows was taken", service)
		}
		if err := errors.Join(refused.logs.Shutdown(context.Background()), refused.metrics.Shutdown(context.Background()), refused.traces.Shutdown(context.Background())); err != nil {
			t.Error(err)
		}
		said[service] = work(t, service, open(t, address, transport{token: "Bearer open-sesame-for-tests"}))
	}
	store := site.Open(t)
	for service, a := range said {
		wantWork(t, store, service, a)
	}
	var all uint64
	ask(t, store, `SELECT count() FROM otel_logs`, nil, &all)
	if all != uint64(len(said)*requests) {
		t.Errorf("the store holds %d logs, of which %d were allowed", all, len(said)*requests)
	}
}

// exporters are the SDK's three, over one protocol.
type exporters struct {
	metrics sdkmetric.Exporter
	logs    sdklog.Exporter
	traces  sdktrace.SpanExporter
}

// transport is what differs between the exporters of a protocol.
type transport struct {
	compressed  bool
	token       string                        // sent as Authorization; empty: none
	temporality sdkmetric.TemporalitySelector // nil: the SDK's own, cumulative
}

func (o *transport) headers() map[string]string {
	if o.token == "" {
		return nil
	}
	return map[string]string{"Authorization": o.token}
}

func overGRPC(t testing.TB, address string, o transport) exporters {
	t.Helper()
	ctx := context.Background()
	m := []otlpmetricgrpc.Option{otlpmetricgrpc.WithEndpoint(address), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithHeaders(o.headers())}
	l := []otlploggrpc.Option{otlploggrpc.WithEndpoint(address), otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(o.headers())}
	c := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure(), otlptracegrpc.WithHeaders(o.headers())}
	if o.compressed {
		m = append(m, otlpmetricgrpc.WithCompressor(gzip.Name))
		l = append(l, otlploggrpc.WithCompressor(gzip.Name))
		c = append(c, otlptracegrpc.WithCompressor(gzip.Name))
	}
	if o.temporality != nil {
		m = append(m, otlpmetricgrpc.WithTemporalitySelector(o.temporality))
	}
	metrics, err1 := otlpmetricgrpc.New(ctx, m...)
	logs, err2 := otlploggrpc.New(ctx, l...)
	traces, err3 := otlptracegrpc.New(ctx, c...)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return exporters{metrics, logs, traces}
}

func overHTTP(t testing.TB, address string, o transport) exporters {
	t.Helper()
	ctx := context.Background()
	m := []otlpmetrichttp.Option{otlpmetrichttp.WithEndpoint(address), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHeaders(o.headers())}
	l := []otlploghttp.Option{otlploghttp.WithEndpoint(address), otlploghttp.WithInsecure(), otlploghttp.WithHeaders(o.headers())}
	c := []otlptracehttp.Option{otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure(), otlptracehttp.WithHeaders(o.headers())}
	if o.compressed {
		m = append(m, otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
		l = append(l, otlploghttp.WithCompression(otlploghttp.GzipCompression))
		c = append(c, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	if o.temporality != nil {
		m = append(m, otlpmetrichttp.WithTemporalitySelector(o.temporality))
	}
	metrics, err1 := otlpmetrichttp.New(ctx, m...)
	logs, err2 := otlploghttp.New(ctx, l...)
	traces, err3 := otlptracehttp.New(ctx, c...)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return exporters{metrics, logs, traces}
}
