package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/test/livetest"
)

func TestMain(m *testing.M) { livetest.Main(m) }

// The work that every SDK does. It serves so many requests: each is a root span
// "request" of kind server with an event "decided", a child span "score" that
// links to the root before it (the first one to itself), and a log record that
// is written within the root. Every fifth fails. The metrics are exported
// several times over, so that there are several points of each.
const (
	requests = 20
	failures = requests / 5
)

// workMetrics are what the instruments hold at the end, by name in the store.
// Attributes are added up.
var workMetrics = []struct {
	instrument string // as the client names it
	series     string // one sample of it for each data point
	value      float64
}{
	{"client.orders", "client_orders", 7},               // counter: 1 and 2 plain, 4 as gifts
	{"client.queue", "client_queue", 3},                 // up-down counter: 5 come, 2 go
	{"client.temperature", "client_temperature", 18.25}, // gauge: 21.5 in the kitchen, -3.25 in the cellar
	{"client.bytes", "client_bytes", 12345},             // observable counter
	{"client.latency", "client_latency_count", 3},       // histogram with bounds 0.1 and 1: 0.05, 0.5, 5
	{"client.latency", "client_latency_sum", 5.55},      //
	{"client.size", "client_size_count", 4},             // exponential histogram: 0, 1, 2, 1024
	{"client.size", "client_size_sum", 1027},            //
}

// account is what a client says that it sent and had acknowledged.
type account struct {
	Points map[string]int `json:"points"` // data points by instrument
	Logs   int            `json:"logs"`
	Spans  int            `json:"spans"`
}

func readAccount(t *testing.T, stdout string) account {
	t.Helper()
	var a account
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("the client's account: %v\n%s", err, stdout)
	}
	return a
}

// wantWork holds the store against the account of a client that did the work
// under a service's name.
func wantWork(t *testing.T, store *clickhouse.Store, service string, said account) {
	t.Helper()
	if said.Logs != requests || said.Spans != 2*requests {
		t.Errorf("%s says that it sent %d logs and %d spans, and did work for %d and %d", service, said.Logs, said.Spans, requests, 2*requests)
	}
	wantMetrics(t, store, service, said.Points)
	wantLogs(t, store, service, said.Logs)
	wantSpans(t, store, service, said.Spans)
}

func wantMetrics(t *testing.T, store *clickhouse.Store, service string, points map[string]int) {
	t.Helper()
	for _, m := range workMetrics {
		if points[m.instrument] < 2 {
			t.Errorf("%s says that it sent %d points of %s: the test shows nothing", service, points[m.instrument], m.instrument)
		}
		var n uint64
		var value float64
		ask(t, store, `SELECT sum(n), sum(last) FROM (
			SELECT fingerprint, count() AS n, argMax(value, time) AS last FROM samples WHERE fingerprint IN (
				SELECT fingerprint FROM series WHERE service = ? AND name = ?) GROUP BY fingerprint)`,
			[]any{service, m.series}, &n, &value)
		if int(n) != points[m.instrument] {
			t.Errorf("%s sent %d points of %s; the store holds %d samples of %s", service, points[m.instrument], m.instrument, n, m.series)
		}
		if math.Abs(value-m.value) > 1e-9 {
			t.Errorf("%s: %s is %v in the store, want %v", service, m.series, value, m.value)
		}
	}
}

func wantLogs(t *testing.T, store *clickhouse.Store, service string, said int) {
	t.Helper()
	var all, different, failed, named uint64
	ask(t, store, `SELECT count(), uniqExact(Body), countIf(SeverityText = 'ERROR' AND SeverityNumber = 17),
		countIf(Body = concat('request ', LogAttributes['number'], ' ✓') AND ResourceAttributes['deployment.environment.name'] = 'test' AND ScopeName = 'work')
		FROM otel_logs WHERE ServiceName = ?`, []any{service}, &all, &different, &failed, &named)
	if int(all) != said || all != different {
		t.Errorf("%s sent %d logs; the store holds %d, %d different ones", service, said, all, different)
	}
	if failed != failures || named != requests {
		t.Errorf("%s: of %d logs %d are errors, want %d; %d are whole, want %d", service, all, failed, failures, named, requests)
	}
}

func wantSpans(t *testing.T, store *clickhouse.Store, service string, said int) {
	t.Helper()
	var all, different uint64
	ask(t, store, `SELECT count(), uniqExact(SpanId) FROM otel_traces WHERE ServiceName = ?`, []any{service}, &all, &different)
	if int(all) != said || all != different {
		t.Errorf("%s sent %d spans; the store holds %d, %d different ones", service, said, all, different)
	}
	for what, c := range map[string]struct {
		query string
		want  uint64
	}{
		"roots":               {`SELECT count() FROM otel_traces WHERE ServiceName = ? AND SpanName = 'request' AND SpanKind = 'Server' AND ParentSpanId = ''`, requests},
		"failed roots":        {`SELECT count() FROM otel_traces WHERE ServiceName = ? AND StatusCode = 'Error' AND StatusMessage = 'refused'`, failures},
		"events":              {`SELECT countIf(Events.Name = ['decided'] AND Events.Attributes[1]['approved'] = 'true') FROM otel_traces WHERE ServiceName = ?`, requests},
		"links":               {`SELECT countIf(length(Links.TraceId) = 1 AND length(Links.SpanId[1]) = 16) FROM otel_traces WHERE ServiceName = ? AND SpanName = 'score'`, requests},
		"attributes":          {`SELECT countIf(SpanAttributes['score'] = '0.5' AND SpanAttributes['reasons'] = '["income","age"]') FROM otel_traces WHERE ServiceName = ? AND SpanName = 'score' AND SpanKind = 'Internal'`, requests},
		"children of roots":   {`SELECT count() FROM otel_traces AS c INNER JOIN otel_traces AS r ON c.TraceId = r.TraceId AND c.ParentSpanId = r.SpanId WHERE c.ServiceName = ? AND c.SpanName = 'score' AND r.SpanName = 'request'`, requests},
		"traces by their id":  {`SELECT uniqExact(TraceId) FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE ServiceName = ?)`, requests},
		"logs of their roots": {`SELECT count() FROM otel_logs AS l INNER JOIN otel_traces AS r ON l.TraceId = r.TraceId AND l.SpanId = r.SpanId WHERE l.ServiceName = ? AND r.SpanName = 'request'`, requests},
	} {
		var n uint64
		ask(t, store, c.query, []any{service}, &n)
		if n != c.want {
			t.Errorf("%s: %d %s in the store, want %d", service, n, what, c.want)
		}
	}
}

// ask scans the one row that a query gives.
func ask(t *testing.T, store *clickhouse.Store, query string, args []any, into ...any) {
	t.Helper()
	if err := store.Conn().QueryRow(context.Background(), query, args...).Scan(into...); err != nil {
		t.Errorf("%s: %v", fmt.Sprintf(query, args...), err)
	}
}
