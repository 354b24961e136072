package ingest

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/evenkeel/evenkeel/collector/model"
)

// addHistograms makes classic series of explicit histograms: _bucket with
// cumulative counts, _sum where there is one, _count.
func (d *Decoder) addHistograms(m *metric, points pmetric.HistogramDataPointSlice) {
	for _, p := range points.All() {
		d.drop(partExemplar, p.Exemplars().Len())
		labels, ok := d.labels(m, p.Attributes(), "le")
		if !ok {
			continue
		}
		bounds, counts := p.ExplicitBounds().AsRaw(), p.BucketCounts().AsRaw()
		if !consistent(bounds, counts, p.Count()) {
			d.Refused.add(reasonHistogram,
				"metric %q: %d bounds and %d counts are not the buckets of %d values", m.name, len(bounds), len(counts), p.Count())
			continue
		}
		h := classic{count: p.Count(), sum: p.Sum(), hasSum: p.HasSum(), stale: p.Flags().NoRecordedValue()}
		var total uint64
		for i, le := range bounds {
			if i < len(counts) {
				total += counts[i]
			}
			h.buckets = append(h.buckets, bucket{le, total})
		}
		d.addClassic(m, labels, p.Timestamp(), h)
	}
}

// consistent checks that bounds ascend and that counts fit them. No counts at
// all is allowed: then there is only the last bucket.
func consistent(bounds []float64, counts []uint64, n uint64) bool {
	for i, b := range bounds {
		if math.IsNaN(b) || i > 0 && b <= bounds[i-1] {
			return false
		}
	}
	if len(counts) == 0 {
		return len(bounds) == 0
	}
	var total uint64
	for _, c := range counts {
		if total+c < total {
			return false
		}
		total += c
	}
	return len(counts) == len(bounds)+1 && total == n
}

// classic is a histogram with cumulative buckets, without the infinite one.
type classic struct {
	buckets []bucket
	count   uint64
	sum     float64
	hasSum  bool
	stale   bool
}

type bucket struct {
	le    float64
	count uint64
}

func (d *Decoder) addClassic(m *metric, labels []model.Label, at pcommon.Timestamp, h classic) {
	if d.inspect {
		return
	}
	value := func(v float64) float64 {
		if h.stale {
			return staleNaN
		}
		return v
	}
	for _, b := range h.buckets {
		if math.IsInf(b.le, 1) {
			break // the one below is it
		}
		with := append(slices.Clone(labels), model.Label{Name: "le", Value: number(b.le)})
		d.sample(m, m.name+"_bucket", m.kind, with, at, value(float64(b.count)))
	}
	all := append(slices.Clone(labels), model.Label{Name: "le", Value: "+Inf"})
	d.sample(m, m.name+"_bucket", m.kind, all, at, value(float64(h.count)))
	if h.hasSum {
		d.sample(m, m.name+"_sum", m.kind, slices.Clone(labels), at, value(h.sum))
	}
	d.sample(m, m.name+"_count", m.kind, labels, at, value(float64(h.count)))
}

// addExponentials makes classic buckets of exponential histograms. Their
// buckets are first merged to scale 0, powers of two, so that the bounds stay
// the same while the sender changes its scale; a quantile is then exact up to a
// factor of two. Coarser ones stay as they are.
func (d *Decoder) addExponentials(m *metric, points pmetric.ExponentialHistogramDataPointSlice) {
	for _, p := range points.All() {
		d.drop(partExemplar, p.Exemplars().Len())
		labels, ok := d.labels(m, p.Attributes(), "le")
		if !ok {
			continue
		}
		if p.Scale() < -10 || p.Scale() > 20 || total(p) != p.Count() {
			d.Refused.add(reasonHistogram, "metric %q: the buckets at scale %d do not add up to %d values", m.name, p.Scale(), p.Count())
			continue
		}
		if !d.inspect {
			h := toClassic(p)
			if m.delta {
				h = onGrid(h)
			}
			d.addClassic(m, labels, p.Timestamp(), h)
		}
	}
}

func total(p pmetric.ExponentialHistogramDataPoint) uint64 {
	sum := p.ZeroCount()
	for _, counts := range []pcommon.UInt64Slice{p.Positive().BucketCounts(), p.Negative().BucketCounts()} {
		for _, c := range counts.All() {
			sum += c
		}
	}
	return sum
}

// toClassic orders the buckets by value: negative ones from the far end, zero,
// positive ones.
func toClassic(p pmetric.ExponentialHistogramDataPoint) classic {
	h := classic{count: p.Count(), sum: p.Sum(), hasSum: p.HasSum(), stale: p.Flags().NoRecordedValue()}
	shift := max(0, p.Scale())
	step := math.Ldexp(1, int(shift-p.Scale())) // binary exponents between two bounds
	negative, positive := merged(p.Negative(), shift), merged(p.Positive(), shift)
	var sum uint64
	for _, i := range slices.Backward(negative.indexes) { // [-2^(i+1), -2^i)
		sum += negative.counts[i]
		h.buckets = append(h.buckets, bucket{-math.Exp2(float64(i) * step), sum})
	}
	sum += p.ZeroCount()
	h.buckets = append(h.buckets, bucket{p.ZeroThreshold(), sum})
	for _, i := range positive.indexes { // (2^i, 2^(i+1)]
		sum += positive.counts[i]
		h.buckets = append(h.buckets, bucket{math.Exp2(float64(i+1) * step), sum})
	}
	return ascending(h)
}

// The grid of onGrid: powers of two.
const gridLow, gridHigh = -20, 32

// onGrid puts the counts of an exponential histogram of differences on bounds
// that are the same for every point, so that points can be added over time: a
// bound that only some points have would lack the counts of the others. Bounds
// below the lowest value are left out, since nothing is below them.
func onGrid(h classic) classic {
	var bounds []float64
	for e := gridHigh; e >= gridLow; e-- {
		bounds = append(bounds, -math.Ldexp(1, e))
	}
	bounds = append(bounds, 0)
	for e := gridLow; e <= gridHigh; e++ {
		bounds = append(bounds, math.Ldexp(1, e))
	}
	var out []bucket
	at, below := 0, uint64(0)
	for _, le := range bounds {
		for at < len(h.buckets) && h.buckets[at].le <= le {
			below = h.buckets[at].count
			at++
		}
		if below > 0 {
			out = append(out, bucket{le, below})
		}
	}
	h.buckets = out
	return h
}

// merge holds counts by bucket index at the coarser scale.
type merge struct {
	indexes []int64 // ascending, of buckets that hold something
	counts  map[int64]uint64
}

func merged(b pmetric.ExponentialHistogramDataPointBuckets, shift int32) merge {
	m := merge{counts: map[int64]uint64{}}
	for i, c := range b.BucketCounts().All() {
		if c == 0 {
			continue
		}
		index := (int64(b.Offset()) + int64(i)) >> shift
		if m.counts[index] == 0 {
			m.indexes = append(m.indexes, index)
		}
		m.counts[index] += c
	}
	return m
}

// ascending drops bounds that do not rise, keeping the higher count: a zero
// threshold inside the first bucket, or bounds beyond what a double holds.
func ascending(h classic) classic {
	out := h.buckets[:0]
	for _, b := range h.buckets {
		for len(out) > 0 && out[len(out)-1].le >= b.le {
			b.le = out[len(out)-1].le
			out = out[:len(out)-1]
		}
		out = append(out, b)
	}
	h.buckets = out
	return h
}
