package ingest

import (
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"
)

// overflowMetric counts, for each source, the points that were refused because
// it has too many series: the one series that stands for them.
const overflowMetric = "evenkeel.ingest.overflow"

// SeriesBudgetOptions bound how many time series are taken. A series is held
// against its budget until nothing of it came for Idle.
type SeriesBudgetOptions struct {
	PerSource int // of one source: what has the same values of resourceKeys; 0: no bound
	Total     int // of all sources together; 0: no bound
	Idle      time.Duration
}

// seriesBudget remembers which series came lately, in some 30 bytes for each
// data point stream. It knows nothing after a restart: then who comes first is
// taken first. Safe for concurrent use.
type seriesBudget struct {
	o SeriesBudgetOptions

	mu      sync.Mutex
	swept   time.Time
	total   int
	sources map[uint64]*source
}

// source is what one source sent lately.
type source struct {
	streams  map[uint64]stream // by name, scope and attributes
	series   int
	overflow int64 // points refused since it was first seen
}

// stream is a metric's points with the same attributes.
type stream struct {
	seen   int64 // unix seconds
	series int32 // that it becomes; a histogram becomes several
}

// newSeriesBudget gives a budget that nothing was taken from.
func newSeriesBudget(o SeriesBudgetOptions) *seriesBudget {
	return &seriesBudget{o: o, sources: map[uint64]*source{}}
}

// sourceBudget is the budget of one source for the length of one request; it
// holds the lock until unlock. A nil one allows everything.
type sourceBudget struct {
	all     *seriesBudget
	key     uint64
	source  *source
	now     time.Time
	refused int64
}

// of locks the budget of a source. A nil budget gives nil.
func (b *seriesBudget) of(resource pcommon.Map, now time.Time) *sourceBudget {
	if b == nil || b.o.PerSource == 0 && b.o.Total == 0 {
		return nil
	}
	var h xxhash.Digest
	h.Reset()
	for _, key := range resourceKeys {
		if v, ok := resource.Get(key); ok {
			_, _ = h.WriteString(v.AsString())
		}
		_, _ = h.Write([]byte{0xff})
	}
	b.mu.Lock()
	b.sweep(now)
	s := &sourceBudget{all: b, key: h.Sum64(), now: now}
	if s.source = b.sources[s.key]; s.source == nil {
		s.source = &source{streams: map[uint64]stream{}}
	}
	return s
}

// allows takes note of a stream, and says whether its points may be stored.
func (s *sourceBudget) allows(metric, scope string, attributes pcommon.Map, series int) bool {
	if s == nil {
		return true
	}
	return s.allowsStream(streamKey(metric, scope, attributes), series)
}

// allowsStream is allows for a stream's key.
func (s *sourceBudget) allowsStream(key uint64, series int) bool {
	if s == nil {
		return true
	}
	known, ok := s.source.streams[key]
	if !ok {
		o := &s.all.o
		if o.PerSource > 0 && s.source.series+series > o.PerSource || o.Total > 0 && s.all.total+series > o.Total {
			s.refused++
			return false
		}
		known.series = int32(series)
		s.source.series += series
		s.all.total += series
	}
	if now := s.now.Unix(); known.seen != now {
		known.seen = now
		s.source.streams[key] = known
	}
	return true
}

// unlock lets others have the budget.
func (s *sourceBudget) unlock() {
	if s != nil {
		s.all.mu.Unlock()
	}
}

// leave keeps what was noted and lets others have the budget; what was refused
// is counted by whoever refuses it.
func (s *sourceBudget) leave() {
	if s != nil {
		s.refused = 0
		s.overflow()
		s.unlock()
	}
}

// overflow gives the points of this source that were refused since it was first
// seen, if some of this request are among them, else 0. A source of which
// nothing was ever taken is not remembered.
func (s *sourceBudget) overflow() int64 {
	if s == nil {
		return 0
	}
	s.source.overflow += s.refused
	if len(s.source.streams) == 0 {
		delete(s.all.sources, s.key)
		return 0
	}
	s.all.sources[s.key] = s.source
	if s.refused == 0 {
		return 0
	}
	return s.source.overflow
}

// sweep forgets, now and then, what was not seen for Idle.
func (b *seriesBudget) sweep(now time.Time) {
	if now.Sub(b.swept) < b.o.Idle/4 {
		return
	}
	b.swept = now
	oldest := now.Add(-b.o.Idle).Unix()
	for key, s := range b.sources {
		for id, st := range s.streams {
			if st.seen < oldest {
				delete(s.streams, id)
				s.series -= int(st.series)
				b.total -= int(st.series)
			}
		}
		if len(s.streams) == 0 {
			delete(b.sources, key)
		}
	}
}

// streamKey identifies a stream within its source, whatever the order of its
// attributes.
func streamKey(metric, scope string, attributes pcommon.Map) uint64 {
	var sum uint64
	for key, v := range attributes.All() {
		sum += attributeHash(key, scalarOf(v))
	}
	return streamOf(streamBase(metric, scope), sum)
}

// streamBase begins the keys of the streams of a metric; streamOf ends one, with
// the sum of its attributes' hashes.
func streamBase(metric, scope string) uint64 {
	var h xxhash.Digest
	h.Reset()
	_, _ = h.WriteString(metric)
	_, _ = h.Write([]byte{0xff})
	_, _ = h.WriteString(scope)
	return h.Sum64()
}

func streamOf(base, attributes uint64) uint64 { return base ^ attributes*0x9e3779b97f4a7c15 }

// attributeHash gives the hash of one attribute; what the sum of several is
// tells which value belongs to which key. Lists and maps count as their text.
func attributeHash(key string, v scalar) uint64 {
	value := v.bits + uint64(v.field)
	if v.field == scalarText {
		value = xxhash.Sum64String(v.text)
	}
	h := xxhash.Sum64String(key) ^ bits.RotateLeft64(value*0x9e3779b97f4a7c15, 31)
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// scalarOf gives an attribute's value; of a list or a map, its text.
func scalarOf(v pcommon.Value) scalar {
	switch v.Type() {
	case pcommon.ValueTypeBool:
		return scalar{field: scalarBool, bits: protowire.EncodeBool(v.Bool())}
	case pcommon.ValueTypeInt:
		return scalar{field: scalarInt, bits: uint64(v.Int())}
	case pcommon.ValueTypeDouble:
		return scalar{field: scalarFloat, bits: math.Float64bits(v.Double())}
	}
	return scalar{field: scalarText, text: v.AsString()}
}

// putOverflow adds to a resource the series that says how many of its points
// had no room.
func putOverflow(rm pmetric.ResourceMetrics, points int64, at time.Time) {
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(overflowMetric)
	m.SetUnit("{data_point}")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := sum.DataPoints().AppendEmpty()
	p.SetIntValue(points)
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
}
