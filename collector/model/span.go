package model

import "time"

// Span is one OTLP span, with the columns of the OpenTelemetry Collector's
// ClickHouse exporter.
type Span struct {
	Time               time.Time // of its start
	Duration           time.Duration
	TraceID, SpanID    string // hexadecimal; empty where the sender gave none
	ParentSpanID       string
	TraceState         string
	Name               string
	Kind               string // Unspecified, Internal, Server, Client, Producer, Consumer
	ServiceName        string
	ScopeName          string
	ScopeVersion       string
	StatusCode         string // Unset, Ok, Error
	StatusMessage      string
	ResourceAttributes map[string]string
	SpanAttributes     map[string]string
	Events             []SpanEvent
	Links              []SpanLink
}

// SpanEvent is something that happened while a span lasted.
type SpanEvent struct {
	Time       time.Time
	Name       string
	Attributes map[string]string
}

// SpanLink points from a span to another, of the same trace or not.
type SpanLink struct {
	TraceID, SpanID string
	TraceState      string
	Attributes      map[string]string
}
