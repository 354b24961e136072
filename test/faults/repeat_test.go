package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
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

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	iconfig "github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// repeats is how often every request reaches the collector.
const repeats = 10

// TestSameBatchTenTimes loses the answer to every request nine times, from our
// agent's exporter and from the OpenTelemetry SDK, which knows nothing of
// Evenkeel-Batch, and kills the collector meanwhile. Everything is stored once.
func TestSameBatchTenTimes(t *testing.T) {
	s := newSite(t)
	s.start("")
	s.untilUp()
	way := newForgetful(t, s.http)
	j := newJournal()
	var sending sync.WaitGroup
	sending.Go(func() { sendAsAgent(t, way, j) })
	sending.Go(func() { sendAsSDK(t, way.url, j) })
	done := make(chan struct{})
	go func() { sending.Wait(); close(done) }()
	for kill := range 3 {
		way.waitFor(t, 10*(kill+1))
		s.kill()
		s.start("")
	}
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatal("the senders do not end")
	}
	way.hold(t)
	s.empty()
	s.read(func(store *clickhouse.Store) {
		j.hold(t, s, store, []table{{"otel_logs", "logs", tables[0].ids}, tables[1], tables[3], tables[4]})
		for _, table := range []struct{ name, id string }{
			{"samples", "(fingerprint, time)"},
			{"otel_logs", "(ServiceName, Timestamp, EventName, Body, LogAttributes)"},
			{"distributions", "(instance, sequence, feature)"},
		} {
			var rows, different uint64
			ask(t, store, "SELECT count(), uniqExact("+table.id+") FROM "+table.name, &rows, &different)
			if rows == 0 || rows != different {
				t.Errorf("%s holds %d rows, %d of them different", table.name, rows, different)
			}
		}
	})
	s.nothingAside()
}

// forgetful passes requests on to the collector and loses the answer until a
// request was taken ten times.
type forgetful struct {
	url string

	mu    sync.Mutex
	taken map[[32]byte]int
	all   int
	kept  bool // answers to new requests are no longer lost
}

func newForgetful(t *testing.T, addr string) *forgetful {
	t.Helper()
	f := &forgetful{taken: map[[32]byte]int{}}
	transport := &http.Transport{DisableKeepAlives: true}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: addr}) },
		Transport: transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusServiceUnavailable) // the collector is being started again
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK && f.took(sha256.Sum256(body)) < repeats {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // a sender that is gone asks again
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *forgetful) took(request [32]byte) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept && f.taken[request] == 0 {
		return repeats
	}
	f.all++
	f.taken[request]++
	return f.taken[request]
}

func (f *forgetful) keepAnswers() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = true
}

// waitFor waits until so many requests were taken, repeats included.
func (f *forgetful) waitFor(t *testing.T, n int) {
	t.Helper()
	for until := time.Now().Add(deadline); ; time.Sleep(5 * time.Millisecond) {
		f.mu.Lock()
		all := f.all
		f.mu.Unlock()
		if all >= n {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d requests were taken, want %d", all, n)
		}
	}
}

// hold looks whether every request came as often as it should.
func (f *forgetful) hold(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.taken {
		if n != repeats {
			t.Errorf("a request was taken %d times", n)
		}
	}
	t.Logf("%d requests, each taken %d times", len(f.taken), repeats)
}

// sendAsAgent publishes windows and predictions through the agent's exporter.
func sendAsAgent(t *testing.T, way *forgetful, j *journal) {
	o := export.Options{
		Identity: export.Identity{System: "faults", Instance: "faults", Version: "v0"},
		Folder:   t.TempDir(), Export: config.Default().Export, Window: config.Default().Window,
		Heartbeat: time.Hour, LineageEvery: time.Hour, Models: []export.Model{{Name: "faults"}},
		Retry: export.Retry{First: time.Millisecond, Most: 5 * time.Millisecond}, Log: slog.New(slog.DiscardHandler),
	}
	o.Export.Endpoint, o.Export.MetricsEvery = way.url, iconfig.Duration(time.Hour)
	e, err := export.New(o)
	if err != nil {
		t.Error(err)
		return
	}
	e.Start()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	for n := range 3 {
		id := signal.WindowID{Instance: "faults", Sequence: uint64(n + 1)}
		c := &window.Closed{Model: signal.ModelRef{Name: "faults"}, ID: id, Start: over.Add(-time.Minute), End: over}
		feature := fmt.Sprintf("%s/agent/%d", kindWindows, n)
		c.Distributions = []*signal.Distribution{{
			System: "faults", Model: c.Model, Feature: signal.FeatureName(feature), Target: signal.TargetFeature,
			Kind: signal.Numeric, Window: id, Parts: 1, Start: c.Start, End: c.End,
			Counts: []uint64{1, 0}, N: 1, Min: math.NaN(), Max: math.NaN(),
		}}
		if err := e.Publish(ctx, c); err != nil {
			t.Error(err)
		}
		prediction := fmt.Sprintf("%s/agent/%d", kindPredictions, n)
		j.note([]string{feature, prediction}, true)
		e.Predict([]signal.Prediction{{
			System: "faults", Model: c.Model, Instance: "faults", ID: prediction, Time: over, Value: "1", Score: 0.5, Rate: 1,
		}})
	}
	for allSent := false; !allSent && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		state := e.State().Spool
		allSent = state[export.Predictions].Sent > 0
		for _, counts := range state {
			allSent = allSent && counts.Waiting == 0
		}
	}
	way.keepAnswers() // an agent that stops tries once
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
}

// sendAsSDK sends logs and metrics with the OpenTelemetry SDK's own exporters.
func sendAsSDK(t *testing.T, endpoint string, j *journal) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	of := resource.NewSchemaless(attribute.String(signal.KeyServiceName, "faults"))
	logs, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(endpoint+"/v1/logs"), otlploghttp.WithTimeout(deadline),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: true, InitialInterval: time.Millisecond, MaxInterval: 20 * time.Millisecond, MaxElapsedTime: deadline}))
	if err != nil {
		t.Error(err)
		return
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(of), sdklog.WithProcessor(sdklog.NewSimpleProcessor(logs)))
	for n := range 3 {
		var r log.Record
		id := fmt.Sprintf("logs/sdk/%d", n)
		j.note([]string{id}, true)
		r.SetBody(attribute.StringValue(id))
		provider.Logger("faults").Emit(ctx, r)
	}
	if err := provider.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	metrics, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(endpoint+"/v1/metrics"), otlpmetrichttp.WithTimeout(deadline),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: time.Millisecond, MaxInterval: 20 * time.Millisecond, MaxElapsedTime: deadline}))
	if err != nil {
		t.Error(err)
		return
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithResource(of), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics, sdkmetric.WithTimeout(deadline))))
	gauge, err := meters.Meter("faults").Float64Gauge("faults_points")
	if err != nil {
		t.Error(err)
		return
	}
	id := kindMetrics + "/sdk/7"
	j.note([]string{id}, true)
	gauge.Record(ctx, 7, otelmetric.WithAttributes(attribute.String("of", kindMetrics+"/sdk")))
	if err := meters.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}
