package clickhouse

import (
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// Column names of otel_logs are those that readers of OpenTelemetry logs
// expect, so they are not in this house's style.
var logsTable = table[model.Log]{
	name:       "otel_logs",
	timeColumn: "Timestamp",
	day:        logTime,
	columns: []column[model.Log]{
		moment("Timestamp", logTime),
		moment("ObservedTimestamp", func(l *model.Log) time.Time { return l.ObservedTime }),
		field("TraceId", "String", func(l *model.Log) string { return l.TraceID }),
		field("SpanId", "String", func(l *model.Log) string { return l.SpanID }),
		field("TraceFlags", "UInt8", func(l *model.Log) uint8 { return uint8(l.TraceFlags) }), // the flags are the low byte
		field("SeverityText", "String", func(l *model.Log) string { return l.SeverityText }),
		field("SeverityNumber", "UInt8", func(l *model.Log) uint8 { return uint8(min(max(l.SeverityNumber, 0), 24)) }),
		field("ServiceName", "String", func(l *model.Log) string { return l.ServiceName }),
		field("Body", "String", func(l *model.Log) string { return l.Body }),
		field("ResourceSchemaUrl", "String", func(l *model.Log) string { return l.ResourceSchemaURL }),
		field("ResourceAttributes", "Map(String, String)", func(l *model.Log) map[string]string { return l.ResourceAttributes }),
		field("ScopeSchemaUrl", "String", func(l *model.Log) string { return l.ScopeSchemaURL }),
		field("ScopeName", "String", func(l *model.Log) string { return l.ScopeName }),
		field("ScopeVersion", "String", func(l *model.Log) string { return l.ScopeVersion }),
		field("ScopeAttributes", "Map(String, String)", func(l *model.Log) map[string]string { return l.ScopeAttributes }),
		field("LogAttributes", "Map(String, String)", func(l *model.Log) map[string]string { return l.LogAttributes }),
		field("EventName", "String", func(l *model.Log) string { return l.EventName }),
	},
}

// logTime is when it happened, or when it was noticed if nobody said.
func logTime(l *model.Log) time.Time {
	if l.Time.IsZero() {
		return l.ObservedTime
	}
	return l.Time
}
