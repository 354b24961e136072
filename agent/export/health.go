package export

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/guard"
	"github.com/evenkeel/evenkeel/signal"
)

const (
	keySignal = "evenkeel.export.signal" // logs, metrics, predictions or traces, in the exporter's own figures
	keyPart   = "evenkeel.agent.part"    // where a panic was recovered
)

// Sources are the other parts whose state the metrics show. The functions are
// called at every export and scrape, and must not block.
type Sources struct {
	QueueBytes  func() int64              // bodies waiting to be decoded
	Dropped     func() map[string]uint64  // requests that were not captured, by reason, since the start
	Undecodable func() map[string]uint64  // requests that were captured and not profiled, or not wholly, by reason, since the start
	Ignored     func() map[string]uint64  // events of the intake that were counted for no model, by reason, since the start
	Profilers   func() []*window.Profiler // for the violations and changes they have counted
	Carries     func() window.CarryFaults // of the file of small groups
}

// Watch adds the metrics of the other parts. It is called once, before or
// after Start.
func (e *Exporter) Watch(s Sources) error {
	m := instrumentMaker{meter: e.views.meter, guard: e.o.Guard}
	queue := m.gauge("evenkeel.capture.queue.bytes", "By", "Bodies that wait to be decoded.")
	dropped := m.counter("evenkeel.capture.dropped", "{request}", "Requests that were served but not captured, by reason.")
	undecodable := m.counter("evenkeel.capture.undecodable", "{request}", "Requests that were captured and not profiled, or not wholly, by reason.")
	ignored := m.counter("evenkeel.capture.ignored", "{event}", "Logged events that were counted for no model, by reason.")
	panics := m.counter("evenkeel.agent.panics", "{panic}", "Panics that were recovered, by part of the agent; there should be none.")
	violations := m.counter(signal.MetricViolationCount, "{value}", "Values that the baseline does not expect, by feature.")
	changes := m.counter(signal.MetricDriftChange, "{change}", "Changes of the mean of a model's answers from one row to the next, by method; to look at.")
	carries := m.counter("evenkeel.agent.carry.faults", "{fault}", "What went wrong with the file of small groups that are held back, by reason; there should be none.")
	return m.observe("watch the agent", func(o metric.Observer) {
		o.ObserveInt64(queue, s.QueueBytes())
		for reason, n := range s.Dropped() {
			o.ObserveInt64(dropped, int64(n), metric.WithAttributes(attribute.String(signal.KeyReason, reason)))
		}
		for reason, n := range s.Undecodable() {
			o.ObserveInt64(undecodable, int64(n), metric.WithAttributes(attribute.String(signal.KeyReason, reason)))
		}
		for reason, n := range s.Ignored() {
			o.ObserveInt64(ignored, int64(n), metric.WithAttributes(attribute.String(signal.KeyReason, reason)))
		}
		for part, n := range e.o.Guard.Counts() {
			o.ObserveInt64(panics, int64(n), metric.WithAttributes(attribute.String(keyPart, part)))
		}
		for _, p := range s.Profilers() {
			observeViolations(o, violations, p)
			observeChanges(o, changes, p)
		}
		faults := s.Carries()
		o.ObserveInt64(carries, int64(faults.Corrupt), metric.WithAttributes(attribute.String(signal.KeyReason, "corrupt")))
		o.ObserveInt64(carries, int64(faults.Unsaved), metric.WithAttributes(attribute.String(signal.KeyReason, "unsaved")))
	})
}

func observeViolations(o metric.Observer, c metric.Int64Observable, p *window.Profiler) {
	for _, v := range p.Violations() {
		for _, part := range []struct {
			name string
			n    uint64
		}{
			{signal.ViolationMissing, v.Missing},
			{signal.ViolationType, v.Type},
			{signal.ViolationOutOfRange, v.OutOfRange},
			{signal.ViolationNewCategory, v.NewCategory},
		} {
			o.ObserveInt64(c, int64(part.n), metric.WithAttributes(append(modelAttrs(p.Model()),
				attribute.String(signal.KeyFeatureName, string(v.Feature)),
				attribute.String(signal.KeyViolation, part.name))...))
		}
	}
}

func observeChanges(o metric.Observer, counter metric.Int64Observable, p *window.Profiler) {
	for _, c := range p.Changes() {
		o.ObserveInt64(counter, int64(c.Count), metric.WithAttributes(append(modelAttrs(p.Model()),
			attribute.String(signal.KeyScope, signal.ScopeInstance),
			attribute.String(signal.KeyDriftMethod, c.Method),
			attribute.String(signal.KeyDriftTarget, string(signal.TargetPrediction)),
			attribute.String(signal.KeyFeatureName, string(c.Feature)),
			attribute.String(signal.KeyBaselineID, p.Baseline().Short()))...))
	}
}

// watchExport adds the exporter's own figures.
func (e *Exporter) watchExport() error {
	m := instrumentMaker{meter: e.views.meter, guard: e.o.Guard}
	gauges := []struct {
		c    metric.Int64Observable
		read func(Counts) int64
	}{
		{m.gauge("evenkeel.export.spool.bytes", "By", "Bytes that wait on disk for the collector."), func(c Counts) int64 { return c.Bytes }},
		{m.gauge("evenkeel.export.spool.requests", "{request}", "Requests that wait on disk for the collector."), func(c Counts) int64 { return c.Waiting }},
		{m.counter("evenkeel.export.sent", "{request}", "Requests that the collector acknowledged."), func(c Counts) int64 { return c.Sent }},
		{m.counter("evenkeel.export.retried", "{attempt}", "Attempts that failed and are repeated."), func(c Counts) int64 { return c.Retried }},
		{m.counter("evenkeel.export.refused", "{request}", "Requests that the spool did not take: it was full or could not be written."), func(c Counts) int64 { return c.Refused }},
		{m.counter("evenkeel.export.quarantined", "{request}", "Requests that the collector will never take; put aside."), func(c Counts) int64 { return c.Quarantined }},
		{m.counter("evenkeel.export.damaged", "{request}", "Spooled requests that were not read as they were written; put aside."), func(c Counts) int64 { return c.Damaged }},
		{m.counter("evenkeel.export.expired", "{request}", "Requests that waited on disk for longer than they may; removed."), func(c Counts) int64 { return c.Expired }},
		{m.counter("evenkeel.export.rejected", "{record}", "Records that the collector dropped from requests that it took."), func(c Counts) int64 { return c.Rejected }},
	}
	held := m.gauge("evenkeel.export.window.held", "{window}", "Windows that wait in memory because the spool takes none.")
	lost := m.counter("evenkeel.export.window.lost", "{window}", "Windows that were lost because too many were held.")
	rowsSent := m.counter("evenkeel.export.prediction.sent", "{prediction}", "Predictions that the collector took.")
	rowsLost := m.counter("evenkeel.export.prediction.lost", "{prediction}", "Predictions that were to be sent and never will be, by reason.")
	spansSent := m.counter("evenkeel.export.span.sent", "{span}", "Spans that the collector took.")
	spansLost := m.counter("evenkeel.export.span.lost", "{span}", "Spans that were to be sent and never will be, by reason.")
	return m.observe("watch the export", func(o metric.Observer) {
		for _, k := range kinds {
			counts, attrs := e.spool.Counts(k), metric.WithAttributes(attribute.String(keySignal, string(k)))
			for _, g := range gauges {
				o.ObserveInt64(g.c, g.read(counts), attrs)
			}
		}
		rows := e.spool.Counts(Predictions)
		o.ObserveInt64(rowsSent, rows.RecordsSent)
		for reason, n := range e.predictions.lost(rows) {
			o.ObserveInt64(rowsLost, n, metric.WithAttributes(attribute.String(signal.KeyReason, reason)))
		}
		spans := e.spool.Counts(Traces)
		o.ObserveInt64(spansSent, spans.RecordsSent)
		for reason, n := range e.traces.lost(spans, e.o.Spans.GivenUp()) {
			o.ObserveInt64(spansLost, n, metric.WithAttributes(attribute.String(signal.KeyReason, reason)))
		}
		h, l := e.held.account()
		o.ObserveInt64(held, h)
		o.ObserveInt64(lost, l)
	})
}

// instrumentMaker makes observable instruments and keeps the first error.
type instrumentMaker struct {
	meter metric.Meter
	guard *guard.Guard
	made  []metric.Observable
	err   error
}

func (m *instrumentMaker) gauge(name, unit, about string) metric.Int64Observable {
	g, err := m.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
	return m.keep(g, err)
}

func (m *instrumentMaker) counter(name, unit, about string) metric.Int64Observable {
	c, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(about))
	return m.keep(c, err)
}

func (m *instrumentMaker) keep(i metric.Int64Observable, err error) metric.Int64Observable {
	if err != nil && m.err == nil {
		m.err = err
	}
	m.made = append(m.made, i)
	return i
}

// observe registers the callback for all instruments made.
func (m *instrumentMaker) observe(op string, callback func(metric.Observer)) error {
	if m.err == nil {
		_, m.err = m.meter.RegisterCallback(guarded(m.guard, callback), m.made...)
	}
	if m.err != nil {
		return errs.E(op, errs.Other, m.err, "")
	}
	return nil
}
