package ingest

import (
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
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
	key := streamKey(metric, scope, attributes)
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
	known.seen = s.now.Unix()
	s.source.streams[key] = known
	return true
}

// unlock lets others have the budget.
func (s *sourceBudget) unlock() {
	if s != nil {
		s.all.mu.Unlock()
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
	var h xxhash.Digest
	var sum uint64
	for key, v := range attributes.All() {
		h.Reset()
		_, _ = h.WriteString(key)
		_, _ = h.Write([]byte{0xff})
		if v.Type() == pcommon.ValueTypeStr {
			_, _ = h.WriteString(v.Str())
		} else {
			_, _ = h.WriteString(v.AsString())
		}
		sum += h.Sum64()
	}
	h.Reset()
	_, _ = h.WriteString(metric)
	_, _ = h.Write([]byte{0xff})
	_, _ = h.WriteString(scope)
	return h.Sum64() ^ sum*0x9e3779b97f4a7c15
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
