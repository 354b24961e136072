package ingest

import (
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
)

// family is what the points of a metric share.
type family struct {
	metric
	hash uint64
}

// knownStream is a series that points with the same attributes, byte by byte,
// belong to. It is remembered from one batch to the next.
type knownStream struct {
	of          *family
	attributes  string
	labels      []model.Label // sorted
	fingerprint uint64
	series      int // where it stands, or stood, in Rows.Series
}

// maxStreams bounds how many of them a decoder remembers, in some 500 bytes each.
const maxStreams = 20_000

// quickReader reads the metrics of one resource.
type quickReader struct {
	d        *Decoder
	c        *cutter // nil: the request was admitted
	resource pcommon.Map
	received time.Time

	scope  string
	shared []model.Label // of the resource and the scope
	latest pcommon.Timestamp
}

func (d *Decoder) quickMetrics(payload string, received time.Time, c *cutter) bool {
	if !d.outline.read(spool.Metrics, payload) {
		return false
	}
	o := d.outline // a copy, to be used up
	had := len(d.Rows.Samples)
	for _, rm := range o.request.metrics.Metrics().ResourceMetrics().All() {
		if !d.quickResource(&o, rm, received, c) {
			return false
		}
	}
	d.Rows.Samples = grow(d, d.Rows.Samples, len(d.Rows.Samples)-had, len(payload))
	return true
}

func (d *Decoder) quickResource(o *outline, rm pmetric.ResourceMetrics, received time.Time, c *cutter) bool {
	resource := rm.Resource().Attributes()
	labels, err := d.names.resourceLabels(resource)
	if err != nil {
		return false
	}
	r := quickReader{d: d, c: c, resource: resource, received: received}
	d.pending = d.pending[:0]
	for _, sm := range rm.ScopeMetrics().All() {
		r.scope, r.shared = sm.Scope().Name(), withScope(labels, sm.Scope().Name())
		for _, item := range o.nextScope() {
			if !r.metric(item) {
				return false
			}
		}
	}
	if !r.settle() {
		return false
	}
	d.addTarget(resource, labels, r.latest, received)
	return true
}

// metric takes one metric; false: the request is left to pdata.
func (r *quickReader) metric(item string) bool {
	m, ok := readMetric(item)
	if !ok || m.sum && m.temporality == int32(pmetric.AggregationTemporalityUnspecified) {
		return r.alone(item)
	}
	name, err := r.d.names.metricName(m.name)
	if err != nil {
		return r.alone(item)
	}
	series, samples, pending := len(r.d.Rows.Series), len(r.d.Rows.Samples), len(r.d.pending)
	points, latest, verdict := r.points(&m, name)
	switch verdict {
	case leaveItem:
		r.d.forgetSamples(series, samples)
		r.d.pending = r.d.pending[:pending]
		return r.alone(item)
	case leaveRequest:
		return false
	}
	r.d.Items += points
	r.latest = max(r.latest, latest)
	return true
}

// verdict says what becomes of a metric.
type verdict int

const (
	taken        verdict = iota
	leaveItem            // pdata reads this one
	leaveRequest         // pdata reads them all
)

func (r *quickReader) points(m *wireMetric, name string) (n int, latest pcommon.Timestamp, v verdict) {
	var of *family
	var stream uint64
	if r.c == nil {
		of = r.d.family(m, name, r.shared, r.received)
	} else {
		stream = streamBase(m.name, r.scope)
	}
	in := cursor{rest: m.points}
	for in.next() {
		if in.number != 1 && m.sum {
			continue // known already
		}
		if !in.is(1, protowire.BytesType) {
			return 0, 0, leaveItem
		}
		p, ok := readPoint(in.text)
		if !ok {
			return 0, 0, leaveItem
		}
		n++
		latest = max(latest, p.at)
		if r.c == nil {
			v = r.d.quickSample(of, &p)
		} else {
			v = r.admit(stream, &p)
		}
		if v != taken {
			return 0, 0, v
		}
	}
	if in.bad {
		return 0, 0, leaveItem
	}
	return n, latest, taken
}

// admit holds a point against the limits.
func (r *quickReader) admit(stream uint64, p *wirePoint) verdict {
	if r.c.outside(p.at) {
		return leaveRequest
	}
	var sum uint64
	for in := (cursor{rest: p.attributes}); in.next(); {
		key, v, ok := readAttribute(in.text)
		if !ok || !r.d.names.translates(key) {
			return leaveItem
		}
		sum += attributeHash(key, v)
	}
	r.d.pending = append(r.d.pending, streamOf(stream, sum))
	return taken
}

// settle holds the points that were read against the budget, at once: others
// wait for it. False: one of them has no room.
func (r *quickReader) settle() bool {
	if len(r.d.pending) == 0 {
		return true
	}
	b := r.c.budget.of(r.resource, r.received)
	defer b.leave()
	for _, stream := range r.d.pending {
		if !b.allowsStream(stream, 1) {
			return false
		}
	}
	r.d.pending = r.d.pending[:0]
	return true
}

// alone lets pdata read one metric.
func (r *quickReader) alone(item string) bool {
	req, err := alone(spool.Metrics, item)
	if err != nil {
		return false
	}
	m := req.metrics.Metrics().ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	if r.c != nil && (!r.settle() || !r.uncut(m)) {
		return false
	}
	points, latest := countPoints(m)
	r.d.Items += points
	r.latest = max(r.latest, latest)
	r.d.addMetric(m, points, r.shared, r.received)
	return true
}

// uncut says whether all of a metric is taken.
func (r *quickReader) uncut(m pmetric.Metric) bool {
	b := r.c.budget.of(r.resource, r.received)
	defer b.leave()
	r.c.cutMetric(m, r.scope, b)
	return r.c.removed == 0
}

// family gives what the points of a metric share.
func (d *Decoder) family(m *wireMetric, name string, shared []model.Label, received time.Time) *family {
	kind, delta := model.Gauge, false
	switch {
	case m.sum && m.temporality == int32(pmetric.AggregationTemporalityDelta):
		delta = true
	case m.sum && m.monotonic:
		kind = model.Counter
	}
	b := d.scratch[:0]
	for _, l := range shared {
		b = append(append(append(append(b, l.Name...), 0xff), l.Value...), 0xff)
	}
	b = append(append(append(append(b, 0xff), m.name...), 0xff), m.unit...)
	b = append(append(b, 0xff), kind...)
	if delta {
		b = append(b, 0xff)
	}
	d.scratch = b
	of := d.families[string(b)]
	if of == nil {
		of = &family{metric: metric{name: name, unit: strings.Clone(m.unit), kind: kind, shared: shared, delta: delta}, hash: xxhash.Sum64(b)}
		if delta {
			of.shared = withDelta(shared)
		}
		d.families[string(b)] = of
	}
	of.received = received
	return of
}

// quickSample adds a point. Only the first one of a series needs its attributes
// read.
func (d *Decoder) quickSample(of *family, p *wirePoint) verdict {
	hash := xxhash.Sum64String(p.attributes) ^ of.hash
	known := d.streams[hash]
	if known == nil || known.of != of || known.attributes != p.attributes {
		if known = d.newStream(of, p.attributes); known == nil {
			return leaveItem
		}
		d.streams[hash] = known
	}
	if known.series >= len(d.Rows.Series) || d.Rows.Series[known.series].Fingerprint != known.fingerprint {
		known.series = d.seriesOf(&of.metric, known.fingerprint, of.name, of.kind, known.labels) // new in this batch
	}
	d.observe(known.series, &of.metric, p.at, p.value)
	return taken
}

// newStream reads the attributes of a point; nil: pdata reads the metric, since
// one of them stands twice, is no scalar, or is to be refused.
func (d *Decoder) newStream(of *family, text string) *knownStream {
	text = strings.Clone(text) // lives longer than its request
	attributes := pcommon.NewMap()
	n := 0
	for in := (cursor{rest: text}); in.next(); n++ {
		key, v, ok := readAttribute(in.text)
		if !ok {
			return nil
		}
		v.put(attributes, key)
	}
	if attributes.Len() != n || d.names.checkLabels(attributes) != nil {
		return nil
	}
	labels, _ := d.labels(&of.metric, attributes, "")
	labels = model.SortLabels(labels)
	return &knownStream{of: of, attributes: text, labels: labels, fingerprint: model.Fingerprint(of.name, labels)}
}
