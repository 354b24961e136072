// Package otlptest is an OTLP/HTTP receiver for tests of the agent: it decodes
// what arrives on the wire with the collector's own library and remembers it.
package otlptest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Request is one export request as it arrived.
type Request struct {
	Path    string
	Batch   string // Evenkeel-Batch
	Token   string // Authorization
	Logs    plog.Logs
	Metrics pmetric.Metrics
	Traces  ptrace.Traces
}

// Answer is what the receiver says to a request. The zero Answer is 200.
type Answer struct {
	Status      int
	RetryAfter  string
	ContentType string
	Body        []byte
	Hold        <-chan struct{} // answered when it is closed, or the client has gone
}

// Receiver takes OTLP requests. Those answered with 200 are accepted.
type Receiver struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	answer   func(Request) Answer
	arrived  []Request // every attempt
	accepted []Request // in order, each batch once
	seen     map[string]bool
}

// Start serves until the test ends. answer may be nil: all are accepted.
func Start(t testing.TB, answer func(Request) Answer) *Receiver {
	r := &Receiver{t: t, answer: answer, seen: map[string]bool{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

// URL is the endpoint for the agent's configuration.
func (r *Receiver) URL() string { return r.server.URL }

// Answer changes what is said to later requests; nil accepts all.
func (r *Receiver) Answer(answer func(Request) Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// ServeHTTP takes one request.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	req, err := decode(hr)
	if err != nil {
		r.t.Errorf("a request to %s is not OTLP: %v", hr.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.arrived = append(r.arrived, req)
	decide := r.answer
	r.mu.Unlock()
	var a Answer
	if decide != nil {
		a = decide(req)
	}
	if a.Hold != nil {
		select {
		case <-a.Hold:
		case <-hr.Context().Done():
			return
		}
	}
	if a.Status == 0 || a.Status == http.StatusOK {
		r.accept(req)
	}
	if a.RetryAfter != "" {
		w.Header().Set("Retry-After", a.RetryAfter)
	}
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	_, _ = w.Write(a.Body) // the client may have gone; that is its test's matter
}

// accept remembers a request once, as the collector does, by its batch.
func (r *Receiver) accept(req Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seen[req.Batch] {
		r.seen[req.Batch] = true
		r.accepted = append(r.accepted, req)
	}
}

func decode(hr *http.Request) (Request, error) {
	req := Request{Path: hr.URL.Path, Batch: hr.Header.Get("Evenkeel-Batch"), Token: hr.Header.Get("Authorization")}
	var body io.Reader = hr.Body
	if hr.Header.Get("Content-Encoding") == "gzip" {
		zipped, err := gzip.NewReader(hr.Body)
		if err != nil {
			return req, err
		}
		body = zipped
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return req, err
	}
	if hr.URL.Path == "/v1/metrics" {
		m := pmetricotlp.NewExportRequest()
		err = m.UnmarshalProto(raw)
		req.Metrics = m.Metrics()
		return req, err
	}
	if hr.URL.Path == "/v1/traces" {
		t := ptraceotlp.NewExportRequest()
		err = t.UnmarshalProto(raw)
		req.Traces = t.Traces()
		return req, err
	}
	l := plogotlp.NewExportRequest()
	err = l.UnmarshalProto(raw)
	req.Logs = l.Logs()
	return req, err
}

// Arrived gives every attempt so far, in order.
func (r *Receiver) Arrived() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.arrived...)
}

// Accepted gives every accepted request so far, in order, each batch once.
func (r *Receiver) Accepted() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.accepted...)
}

// Event is one log record.
type Event struct {
	Name       string
	Time       time.Time
	Request    int // index into Accepted
	Body       string
	TraceID    string         // empty: none
	SpanID     string         // likewise
	Attributes map[string]any // int64, float64, string, []any
	Resource   map[string]any
}

// Events gives the accepted log records with the given event name, in order.
func (r *Receiver) Events(name string) []Event {
	var out []Event
	for i, req := range r.Accepted() {
		if req.Path != "/v1/logs" {
			continue
		}
		for _, rl := range req.Logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, rec := range sl.LogRecords().All() {
					if rec.EventName() == name {
						out = append(out, Event{
							Name: name, Time: rec.Timestamp().AsTime(), Request: i, Body: rec.Body().AsString(),
							TraceID: rec.TraceID().String(), SpanID: rec.SpanID().String(),
							Attributes: rec.Attributes().AsRaw(), Resource: rl.Resource().Attributes().AsRaw(),
						})
					}
				}
			}
		}
	}
	return out
}

// Point is one number of a metric.
type Point struct {
	Value      float64
	Attributes map[string]any
	Resource   map[string]any
}

// Points gives the points of a gauge or sum in the latest accepted request
// that has the metric.
func (r *Receiver) Points(name string) []Point {
	accepted := r.Accepted()
	for i := len(accepted) - 1; i >= 0; i-- {
		if points := accepted[i].Points(name); len(points) > 0 {
			return points
		}
	}
	return nil
}

// Points gives the points of a gauge or sum in one request.
func (r Request) Points(name string) []Point {
	if r.Path != "/v1/metrics" {
		return nil
	}
	var out []Point
	for _, rm := range r.Metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != name {
					continue
				}
				for _, p := range numbers(m).All() {
					out = append(out, Point{value(p), p.Attributes().AsRaw(), rm.Resource().Attributes().AsRaw()})
				}
			}
		}
	}
	return out
}

func numbers(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints()
	}
	return pmetric.NewNumberDataPointSlice()
}

func value(p pmetric.NumberDataPoint) float64 {
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue())
	}
	return p.DoubleValue()
}

// Eventually waits until ok holds, and fails the test after 20 seconds.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("did not happen within 20 s: %s", what)
		case <-poll.C:
		}
	}
}
