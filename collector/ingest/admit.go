package ingest

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/signal"
)

// Limits say which items of a request are taken. What they refuse is taken out
// of the request before it is spooled, so that the drain, which decodes it
// again, needs no limits and always makes the same rows.
type Limits struct {
	MaxAge   time.Duration // how long before its receipt something may have happened; 0: no bound
	MaxAhead time.Duration // how far ahead of our clock; 0: no bound

	Series SeriesBudgetOptions
}

// admission is a request as it goes into the spool.
type admission struct {
	Tally
	body    []byte
	changed bool // body is not what arrived
	empty   bool // nothing is left to spool
}

// admit decodes a request, takes out of it what limits refuse, and says what of
// the rest the drain will refuse. A payload that is not a request is
// errs.Invalid.
func admit(kind spool.Kind, payload []byte, received time.Time, limits Limits, budget *seriesBudget) (admission, error) {
	d := inspectors.Get().(*Decoder)
	defer func() {
		d.reset()
		inspectors.Put(d)
	}()
	if d.quick(kind, payload, received, &cutter{limits: limits, budget: budget, received: received, refused: &Refused{}}) {
		return admission{Tally: d.Tally, body: payload, empty: d.Items == 0}, nil
	}
	return admitWhole(d, kind, payload, received, limits, budget)
}

// admitWhole is admit for requests that quick leaves alone.
func admitWhole(d *Decoder, kind spool.Kind, payload []byte, received time.Time, limits Limits, budget *seriesBudget) (admission, error) {
	r, err := parse(kind, payload)
	if err != nil {
		return admission{}, err
	}
	c := cutter{limits: limits, budget: budget, received: received, refused: &d.Refused}
	c.cut(r)
	d.Items += c.removed
	d.add(r, received)
	out := admission{Tally: d.Tally, body: payload, changed: c.removed > 0 || len(c.overflows) > 0}
	out.empty = d.Items == c.removed && len(c.overflows) == 0
	for _, o := range c.overflows {
		putOverflow(o.resource, o.points, received)
	}
	if out.changed {
		out.body, err = r.MarshalProto()
	}
	return out, err
}

// inspectors are decoders that look and make no rows.
var inspectors = sync.Pool{New: func() any {
	d := NewDecoder()
	d.inspect = true
	return d
}}

// cutter takes items out of requests.
type cutter struct {
	limits   Limits
	budget   *seriesBudget
	received time.Time
	refused  *Refused
	removed  int // items taken out

	overflows []overflow // added when the rest has been counted
}

// overflow says how many points of a resource had no room, ever.
type overflow struct {
	resource pmetric.ResourceMetrics
	points   int64
}

func (c *cutter) cut(r *request) {
	switch r.kind {
	case spool.Logs:
		c.cutLogs(r.logs.Logs())
	case spool.Metrics:
		c.cutMetrics(r.metrics.Metrics())
	case spool.Traces:
		c.cutTraces(r.traces.Traces())
	}
}

// outside says whether a time is outside of what is taken. An absent one will
// be the time of receipt.
func (c *cutter) outside(at pcommon.Timestamp) bool {
	if at == 0 || at > math.MaxInt64 {
		return false
	}
	age := time.Duration(c.received.UnixNano() - int64(at))
	return c.limits.MaxAge > 0 && age > c.limits.MaxAge || c.limits.MaxAhead > 0 && age < -c.limits.MaxAhead
}

// refuse counts an item of such a time.
func (c *cutter) refuse(what string, at pcommon.Timestamp) {
	t := timeOr(uint64(at), c.received)
	c.refused.add(reasonTimestamp, "%s: its time is %s, but it was received at %s", what, t.Format(time.RFC3339), c.received.UTC().Format(time.RFC3339))
	c.removed++
}

// isRow says that addRow takes a record.
func isRow(lr plog.LogRecord) bool {
	return slices.Contains([]string{signal.EventPrediction, signal.EventLabel, signal.EventLineage}, eventName(lr))
}

// cutLogs lets events pass that become no rows of otel_logs: how old they may
// be is judged where they are read.
func (c *cutter) cutLogs(logs plog.Logs) {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool {
				at := lr.Timestamp()
				if at == 0 {
					at = lr.ObservedTimestamp()
				}
				if !c.outside(at) || isRow(lr) {
					return false
				}
				c.refuse("a log record", at)
				return true
			})
		}
	}
}

func (c *cutter) cutTraces(traces ptrace.Traces) {
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			ss.Spans().RemoveIf(func(s ptrace.Span) bool {
				at := s.StartTimestamp()
				if at == 0 {
					at = s.EndTimestamp()
				}
				if !c.outside(at) {
					return false
				}
				c.refuse(fmt.Sprintf("span %q", s.Name()), at)
				return true
			})
		}
	}
}

func (c *cutter) cutMetrics(metrics pmetric.Metrics) {
	for _, rm := range metrics.ResourceMetrics().All() {
		c.cutResource(rm)
	}
}

func (c *cutter) cutResource(rm pmetric.ResourceMetrics) {
	b := c.budget.of(rm.Resource().Attributes(), c.received)
	defer b.unlock()
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			c.cutMetric(m, sm.Scope().Name(), b)
		}
	}
	if points := b.overflow(); points > 0 {
		c.overflows = append(c.overflows, overflow{rm, points})
	}
}

func (c *cutter) cutMetric(m pmetric.Metric, scope string, b *sourceBudget) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().RemoveIf(remover[pmetric.NumberDataPoint](c, m, scope, b, one))
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().RemoveIf(remover[pmetric.NumberDataPoint](c, m, scope, b, one))
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().RemoveIf(remover(c, m, scope, b, func(p pmetric.HistogramDataPoint) int { return p.ExplicitBounds().Len() + 3 }))
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().RemoveIf(remover(c, m, scope, b, exponentialSeries))
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().RemoveIf(remover(c, m, scope, b, func(p pmetric.SummaryDataPoint) int { return p.QuantileValues().Len() + 2 }))
	}
}

func one(pmetric.NumberDataPoint) int { return 1 }

// exponentialSeries is how many series the present buckets take; the merging to
// powers of two makes fewer of them.
func exponentialSeries(p pmetric.ExponentialHistogramDataPoint) int {
	shift := max(0, p.Scale())
	return p.Positive().BucketCounts().Len()>>shift + p.Negative().BucketCounts().Len()>>shift + 4
}

// point is what the data points of all types have.
type point interface {
	Timestamp() pcommon.Timestamp
	Attributes() pcommon.Map
}

// remover says which points of a metric to take out: those of absurd times,
// and those whose series are beyond the budget.
func remover[P point](c *cutter, m pmetric.Metric, scope string, b *sourceBudget, series func(P) int) func(P) bool {
	return func(p P) bool {
		if at := p.Timestamp(); c.outside(at) {
			c.refuse(fmt.Sprintf("metric %q", m.Name()), at)
			return true
		}
		if b.allows(m.Name(), scope, p.Attributes(), series(p)) {
			return false
		}
		c.refused.add(reasonBudget, "metric %q: its source has as many series as otlp.series.per_source allows, or all have as many as otlp.series.total", m.Name())
		c.removed++
		return true
	}
}
