package clickhouse

import (
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// Column names of otel_traces are those that readers of OpenTelemetry traces
// expect, like those of otel_logs.
var tracesTable = table[model.Span]{
	name:       "otel_traces",
	timeColumn: "Timestamp",
	day:        func(s *model.Span) time.Time { return s.Time },
	columns: []column[model.Span]{
		moment("Timestamp", func(s *model.Span) time.Time { return s.Time }),
		field("TraceId", "String", func(s *model.Span) string { return s.TraceID }),
		field("SpanId", "String", func(s *model.Span) string { return s.SpanID }),
		field("ParentSpanId", "String", func(s *model.Span) string { return s.ParentSpanID }),
		field("TraceState", "String", func(s *model.Span) string { return s.TraceState }),
		field("SpanName", "String", func(s *model.Span) string { return s.Name }),
		field("SpanKind", "String", func(s *model.Span) string { return s.Kind }),
		field("ServiceName", "String", func(s *model.Span) string { return s.ServiceName }),
		field("ResourceAttributes", "Map(String, String)", func(s *model.Span) map[string]string { return s.ResourceAttributes }),
		field("ScopeName", "String", func(s *model.Span) string { return s.ScopeName }),
		field("ScopeVersion", "String", func(s *model.Span) string { return s.ScopeVersion }),
		field("SpanAttributes", "Map(String, String)", func(s *model.Span) map[string]string { return s.SpanAttributes }),
		field("Duration", "UInt64", func(s *model.Span) uint64 { return uint64(max(0, s.Duration)) }),
		field("StatusCode", "String", func(s *model.Span) string { return s.StatusCode }),
		field("StatusMessage", "String", func(s *model.Span) string { return s.StatusMessage }),
		field("Events.Timestamp", "Array(DateTime64(9, 'UTC'))", events(func(e *model.SpanEvent) time.Time { return storable(e.Time) })),
		field("Events.Name", "Array(String)", events(func(e *model.SpanEvent) string { return e.Name })),
		field("Events.Attributes", "Array(Map(String, String))", events(func(e *model.SpanEvent) map[string]string { return e.Attributes })),
		field("Links.TraceId", "Array(String)", links(func(l *model.SpanLink) string { return l.TraceID })),
		field("Links.SpanId", "Array(String)", links(func(l *model.SpanLink) string { return l.SpanID })),
		field("Links.TraceState", "Array(String)", links(func(l *model.SpanLink) string { return l.TraceState })),
		field("Links.Attributes", "Array(Map(String, String))", links(func(l *model.SpanLink) map[string]string { return l.Attributes })),
	},
}

// events gives one column of the events of a span.
func events[V any](get func(*model.SpanEvent) V) func(*model.Span) []V {
	return func(s *model.Span) []V { return each(s.Events, get) }
}

// links gives one column of its links.
func links[V any](get func(*model.SpanLink) V) func(*model.Span) []V {
	return func(s *model.Span) []V { return each(s.Links, get) }
}

func each[R, V any](rows []R, get func(*R) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = get(&rows[i])
	}
	return out
}

// traceTimes says when the spans of one batch and trace began: by it, readers
// find the days to search for a trace.
type traceTimes struct {
	id         string
	start, end time.Time
}

// Contrib's exporter fills this table by a materialized view. Here its rows are
// written like all others, since a view's rows could not be counted by batch.
var traceTimesTable = table[traceTimes]{
	name:       "otel_traces_trace_id_ts",
	timeColumn: "Start",
	day:        func(t *traceTimes) time.Time { return t.start },
	columns: []column[traceTimes]{
		field("TraceId", "String", func(t *traceTimes) string { return t.id }),
		field("Start", "DateTime('UTC')", func(t *traceTimes) time.Time { return storable(t.start) }),
		field("End", "DateTime('UTC')", func(t *traceTimes) time.Time { return storable(t.end) }),
	},
}

// timesOfTraces gives a row for each trace, in the order in which they come.
func timesOfTraces(spans []model.Span) []traceTimes {
	var out []traceTimes
	at := map[string]int{}
	for i := range spans {
		s := &spans[i]
		if s.TraceID == "" {
			continue
		}
		n, known := at[s.TraceID]
		if !known {
			at[s.TraceID] = len(out)
			out = append(out, traceTimes{s.TraceID, s.Time, s.Time})
			continue
		}
		if s.Time.Before(out[n].start) {
			out[n].start = s.Time
		}
		if s.Time.After(out[n].end) {
			out[n].end = s.Time
		}
	}
	return out
}
