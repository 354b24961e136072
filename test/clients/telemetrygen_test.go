package clients

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/test/livetest"
)

// generated is one run of telemetrygen and where what it sends is to be found.
// Its metric gen has one data point for each metric that it says it generated.
type generated struct {
	name  string
	args  []string
	each  int    // what is stored for each unit that it says it generated
	query string // counts what is stored of a service
}

const (
	countSamples  = `SELECT count() FROM samples WHERE fingerprint IN (SELECT fingerprint FROM series WHERE service = ? AND name = 'gen')`
	countExact    = `SELECT count() FROM samples WHERE fingerprint IN (SELECT fingerprint FROM series WHERE service = ? AND name = 'gen_count')`
	countInfinite = `SELECT count() FROM samples WHERE fingerprint IN (SELECT fingerprint FROM series WHERE service = ? AND name = 'gen_bucket' AND labels['le'] = '+Inf')`
	countLogs     = `SELECT count() FROM otel_logs WHERE ServiceName = ?`
	countSpans    = `SELECT uniqExact(TraceId, SpanId) FROM otel_traces WHERE ServiceName = ?`
)

var generators = []generated{
	{"gauge", []string{"metrics", "--metrics", "500", "--metric-type", "Gauge"}, 1, countSamples},
	{"sum", []string{"metrics", "--metrics", "500", "--metric-type", "Sum", "--aggregation-temporality", "cumulative"}, 1, countSamples},
	{"histogram", []string{"metrics", "--metrics", "500", "--metric-type", "Histogram", "--aggregation-temporality", "cumulative"}, 1, countExact},
	{"buckets", []string{"metrics", "--metrics", "200", "--metric-type", "Histogram", "--aggregation-temporality", "cumulative"}, 1, countInfinite},
	{"exponential", []string{"metrics", "--metrics", "500", "--metric-type", "ExponentialHistogram", "--aggregation-temporality", "cumulative"}, 1, countExact},
	{"delta-sum", []string{"metrics", "--metrics", "200", "--metric-type", "Sum", "--aggregation-temporality", "delta"}, 1, countSamples},
	{"delta-histogram", []string{"metrics", "--metrics", "200", "--metric-type", "Histogram", "--aggregation-temporality", "delta"}, 1, countExact},
	{"delta-exponential", []string{"metrics", "--metrics", "200", "--metric-type", "ExponentialHistogram", "--aggregation-temporality", "delta"}, 1, countExact},
	{"logs", []string{"logs", "--logs", "500", "--workers", "2", "--body", "one of many"}, 1, countLogs},
	{"many-points", []string{"metrics", "--metrics", "10000", "--workers", "4", "--metric-type", "Gauge"}, 1, countSamples},
	{"many-logs", []string{"logs", "--logs", "10000", "--workers", "4", "--size", "0"}, 1, countLogs},
	{"traces", []string{"traces", "--traces", "200", "--child-spans", "3", "--span-links", "2", "--status-code", "Error"}, 4, countSpans},
}

// The load generator of the OpenTelemetry Collector, unchanged: every metric
// type, logs and traces, over gRPC and HTTP.
func TestTelemetrygen(t *testing.T) {
	program := provided(t, telemetrygenVariable)
	site := livetest.StartCollector(t, nil)
	said := map[string]int{}
	for _, g := range generators {
		for protocol, where := range map[string][]string{
			"grpc": {"--otlp-endpoint", site.GRPC},
			"http": {"--otlp-endpoint", site.HTTP, "--otlp-http"},
		} {
			service := g.name + "-" + protocol
			args := append(append(append([]string{}, g.args...), where...), "--otlp-insecure", "--rate", "0", "--service", service)
			_, log := livetest.Foreign{Path: program, Args: args}.Run(t)
			said[service] = claimed(t, log) * g.each
		}
	}
	store := site.Open(t)
	for _, g := range generators {
		for _, protocol := range []string{"grpc", "http"} {
			service := g.name + "-" + protocol
			t.Run(service, func(t *testing.T) { wantGenerated(t, store, g, service, said[service]) })
		}
	}
}

func wantGenerated(t *testing.T, store *clickhouse.Store, g generated, service string, said int) {
	t.Helper()
	var n uint64
	ask(t, store, g.query, []any{service}, &n)
	t.Logf("said %d, stored %d", said, n)
	if said < 200 || int(n) != said {
		t.Errorf("telemetrygen says that it sent %d; the store holds %d", said, n)
	}
}

// claim is what a worker logs at its end.
var claim = regexp.MustCompile(`(?:metrics|logs|traces) generated\s+\{"worker": \d+, "(?:metrics|logs|traces)": (\d+)\}`)

// claimed adds up what the workers say.
func claimed(t *testing.T, log string) int {
	t.Helper()
	sum := 0
	for _, m := range claim.FindAllStringSubmatch(log, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum == 0 {
		t.Fatalf("telemetrygen does not say what it sent:\n%s", log)
	}
	return sum
}
