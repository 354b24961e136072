package clients

import (
	"context"
	"math"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// summaries is where the Go SDK has summaries from: no instrument makes them,
// they come from other libraries.
type summaries struct{}

// Produce is called with every collection.
func (summaries) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	return []metricdata.ScopeMetrics{{
		Scope: instrumentation.Scope{Name: "work"},
		Metrics: []metricdata.Metrics{{Name: "client.wait", Unit: "s", Data: metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{{
			Attributes: attribute.NewSet(attribute.String("queue", "front")), Time: time.Now(), Count: 5, Sum: 10.5,
			QuantileValues: []metricdata.QuantileValue{{Quantile: 0.5, Value: 1.5}, {Quantile: 0.99, Value: 7}},
		}}}}},
	}}, nil
}

func wantSummary(t *testing.T, store *clickhouse.Store, service string, points int) {
	t.Helper()
	if points < 2 {
		t.Errorf("%s says that it sent %d summaries: the test shows nothing", service, points)
	}
	for _, c := range []struct {
		series, quantile string
		value            float64
	}{{"client_wait", "0.5", 1.5}, {"client_wait", "0.99", 7}, {"client_wait_sum", "", 10.5}, {"client_wait_count", "", 5}} {
		var n uint64
		var value float64
		ask(t, store, `SELECT count(), avg(value) FROM samples WHERE fingerprint IN (
			SELECT fingerprint FROM series WHERE service = ? AND name = ? AND labels['quantile'] = ? AND labels['queue'] = 'front')`,
			[]any{service, c.series, c.quantile}, &n, &value)
		if int(n) != points || value != c.value {
			t.Errorf("%s sent %d summaries; the store holds %d samples of %s at %q, of %v, want %v", service, points, n, c.series, c.quantile, value, c.value)
		}
	}
}

// wantDifferences holds the store against a client that sends what was added
// since the last export, where that is what an instrument counts: the samples
// add up to what the others hold at the end.
func wantDifferences(t *testing.T, store *clickhouse.Store, service string, points map[string]int) {
	t.Helper()
	for _, m := range workMetrics {
		if m.instrument == "client.queue" || m.instrument == "client.temperature" {
			continue // a state, which has no difference
		}
		var n uint64
		var value float64
		ask(t, store, `SELECT count(), sum(value) FROM samples WHERE fingerprint IN (
			SELECT fingerprint FROM series WHERE service = ? AND name = ? AND labels['otel_temporality'] = 'delta')`,
			[]any{service, m.series}, &n, &value)
		if points[m.instrument] == 0 || int(n) != points[m.instrument] {
			t.Errorf("%s sent %d points of %s; the store holds %d samples of %s", service, points[m.instrument], m.instrument, n, m.series)
		}
		if math.Abs(value-m.value) > 1e-9 {
			t.Errorf("%s: the samples of %s add up to %v, want %v", service, m.series, value, m.value)
		}
	}
}
