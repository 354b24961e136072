package clickhouse_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

var viewed = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// metricOf writes a series of one sample.
func metricOf(rows *model.Rows, name string, kind model.MetricKind, value float64, labels ...model.Label) {
	labels = model.SortLabels(append(labels,
		model.Label{Name: "service_name", Value: "loans"}, model.Label{Name: "evenkeel_system_id", Value: "loan-approval"}, model.Label{Name: "otel_scope_name", Value: "lib"}))
	s := model.Series{Fingerprint: model.Fingerprint(name, labels), Name: name, Labels: labels, Kind: kind, Unit: "1", SeenAt: viewed}
	rows.Series = append(rows.Series, s)
	rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: viewed, Value: value})
}

func storeViewed(t *testing.T) *clickhouse.Store {
	t.Helper()
	s := storetest.Open(t)
	var rows model.Rows
	delta := model.Label{Name: "otel_temporality", Value: "delta"}
	metricOf(&rows, "queue_length", model.Gauge, 3, model.Label{Name: "queue", Value: "a"})
	metricOf(&rows, "gone", model.Gauge, math.Float64frombits(0x7ff0000000000002))
	metricOf(&rows, "requests", model.Counter, 7, model.Label{Name: "route", Value: "/infer"})
	metricOf(&rows, "bytes", model.Gauge, 5, delta)
	for _, b := range []struct {
		le    string
		count float64
	}{{"10", 4}, {"0.5", 1}, {"2", 3}, {"+Inf", 6}} {
		metricOf(&rows, "took_bucket", model.Histogram, b.count, model.Label{Name: "route", Value: "/infer"}, model.Label{Name: "le", Value: b.le})
	}
	metricOf(&rows, "took_sum", model.Histogram, 12.5, model.Label{Name: "route", Value: "/infer"})
	metricOf(&rows, "took_count", model.Histogram, 6, model.Label{Name: "route", Value: "/infer"})
	rows.Logs = []model.Log{{
		Time: viewed, ObservedTime: viewed, ServiceName: "loans", SeverityText: "ERROR", SeverityNumber: 17, Body: "no answer", TraceID: "0af7651916cd43dd8448eb211c80319c",
		ResourceAttributes: map[string]string{"service.name": "loans"}, LogAttributes: map[string]string{"http.route": "/infer"},
	}}
	rows.Spans = []model.Span{{
		Time: viewed, Duration: 1500 * time.Microsecond, TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "00f067aa0ba902b7", Name: "infer", Kind: "Server", ServiceName: "loans",
		SpanAttributes: map[string]string{"http.route": "/infer"}, ResourceAttributes: map[string]string{"service.name": "loans"}, StatusCode: "Error",
		Events: []model.SpanEvent{{Time: viewed, Name: "retry", Attributes: map[string]string{"n": "1"}}},
	}}
	if err := s.Write(t.Context(), model.SpoolBatch(1), &rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
	return s
}

// texts gives the rows of a query, each as one text.
func texts(t *testing.T, s *clickhouse.Store, query string, args ...any) []string {
	t.Helper()
	rows, err := s.Conn().Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s\n%v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		into := make([]any, len(rows.ColumnTypes()))
		for i, c := range rows.ColumnTypes() {
			into[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("%s\n%v", query, err)
		}
		line := ""
		for _, v := range into {
			line += fmt.Sprint(reflect.ValueOf(v).Elem().Interface(), "|")
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s\n%v", query, err)
	}
	return out
}

func TestMetricViews(t *testing.T) {
	s := storeViewed(t)
	for query, want := range map[string][]string{
		"SELECT MetricName, Attributes, ResourceAttributes, ServiceName, ScopeName, MetricUnit, Value, Flags, toString(TimeUnix) FROM otel_metrics_gauge WHERE MetricName = 'queue_length'": {
			"queue_length|map[queue:a]|map[evenkeel.system.id:loan-approval service.name:loans]|loans|lib|1|3|0|2026-03-14 12:00:00.000|",
		},
		"SELECT MetricName, Flags FROM otel_metrics_gauge ORDER BY MetricName": {"gone|1|", "queue_length|0|"},
		"SELECT MetricName, Value, AggregationTemporality, IsMonotonic, Attributes FROM otel_metrics_sum ORDER BY MetricName": {
			"bytes|5|1|false|map[]|", "requests|7|2|true|map[route:/infer]|",
		},
		"SELECT MetricName, Count, Sum, BucketCounts, ExplicitBounds, AggregationTemporality, Attributes FROM otel_metrics_histogram": {
			"took|6|12.5|[1 2 1 2]|[0.5 2 10]|2|map[route:/infer]|",
		},
		// As dashboards for the exporter's tables ask.
		`SELECT toStartOfInterval(TimeUnix, INTERVAL 60 second) AS time, avg(Value) FROM otel_metrics_gauge
			WHERE ServiceName = 'loans' AND MetricName = 'queue_length' AND TimeUnix >= fromUnixTimestamp64Milli(1773489600000) AND Attributes['queue'] = 'a' GROUP BY time`: {
			"2026-03-14 12:00:00 +0000 UTC|3|",
		},
	} {
		if got := texts(t, s, query); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%q\nwant\n%q", query, got, want)
		}
	}
	for _, view := range []string{"otel_metrics_gauge", "otel_metrics_sum", "otel_metrics_histogram"} {
		if got := texts(t, s, "SELECT * FROM "+view); len(got) == 0 {
			t.Errorf("%s is empty", view)
		}
	}
}

// What Grafana's ClickHouse data source asks of logs and traces where it is told
// that they are OpenTelemetry's: a list, levels over time, a trace by its id, a
// search for traces.
func TestGrafanaAsksLogsAndTraces(t *testing.T) {
	s := storeViewed(t)
	const between = `fromUnixTimestamp64Milli(1773489000000) AND "Timestamp" <= fromUnixTimestamp64Milli(1773490200000)`
	for query, want := range map[string][]string{
		`SELECT Timestamp AS "timestamp", Body AS "body", SeverityText AS "level", LogAttributes AS "labels", TraceId AS "traceID" FROM "otel_logs"
			WHERE ( timestamp >= fromUnixTimestamp64Milli(1773489000000) AND timestamp <= fromUnixTimestamp64Milli(1773490200000) ) AND ( level = 'ERROR' ) ORDER BY timestamp DESC LIMIT 1000`: {
			"2026-03-14 12:00:00 +0000 UTC|no answer|ERROR|map[http.route:/infer]|0af7651916cd43dd8448eb211c80319c|",
		},
		`SELECT toStartOfInterval("TimestampTime", INTERVAL 60 SECOND) AS "time", sum(multiSearchAny(lower(toString("SeverityText")), ['error','err','eror'])) AS error, count(*) AS total FROM "otel_logs"
			WHERE ( time >= toDateTime(1773489000) AND time <= toDateTime(1773490200) ) GROUP BY toStartOfInterval("TimestampTime", INTERVAL 60 SECOND) AS "time" ORDER BY time ASC LIMIT 10000`: {
			"2026-03-14 12:00:00 +0000 UTC|1|1|",
		},
		`WITH '0af7651916cd43dd8448eb211c80319c' AS trace_id,
			(SELECT min(Start) FROM "otel_traces_trace_id_ts" WHERE TraceId = trace_id) AS trace_start,
			(SELECT max(End) + 1 FROM "otel_traces_trace_id_ts" WHERE TraceId = trace_id) AS trace_end
			SELECT "TraceId" AS traceID, "SpanId" AS spanID, "ParentSpanId" AS parentSpanID, "ServiceName" AS serviceName, "SpanName" AS operationName,
			multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) AS startTime, multiply("Duration", 0.000001) AS duration,
			arrayMap(key -> map('key', key, 'value', "SpanAttributes"[key]), mapKeys("SpanAttributes")) AS tags,
			arrayMap(key -> map('key', key, 'value', "ResourceAttributes"[key]), mapKeys("ResourceAttributes")) AS serviceTags,
			if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode,
			arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)), arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes)))::Tuple(name String, timestamp String, fields Array(Map(String, String))), "Events".Name, "Events".Timestamp, "Events".Attributes) AS logs,
			"SpanKind" AS kind, "StatusMessage" AS statusMessage, "ScopeName" AS instrumentationLibraryName, "ScopeVersion" AS instrumentationLibraryVersion, "TraceState" AS traceState
			FROM "otel_traces" WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end LIMIT 1000`: {
			"0af7651916cd43dd8448eb211c80319c|00f067aa0ba902b7||loans|infer|1.7734896e+12|1.5|[map[key:http.route value:/infer]]|[map[key:service.name value:loans]]|2|" +
				"[map[fields:[map[key:n value:1]] name:retry timestamp:1773489600000]]|Server|||||",
		},
		`SELECT "TraceId" AS traceID, "ServiceName" AS serviceName, "SpanName" AS operationName, "Timestamp" AS startTime, multiply("Duration", 0.000001) AS duration FROM "otel_traces"
			WHERE ( "Timestamp" >= ` + between + ` ) AND ( ParentSpanId = '' ) AND ( Duration > 0 ) ORDER BY "Timestamp" DESC, "Duration" DESC LIMIT 1000`: {
			"0af7651916cd43dd8448eb211c80319c|loans|infer|2026-03-14 12:00:00 +0000 UTC|1.5|",
		},
	} {
		if got := texts(t, s, query); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%q\nwant\n%q", query, got, want)
		}
	}
}
