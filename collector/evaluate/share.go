package evaluate

import (
	"math"

	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
)

// shareConfidence is that of the interval of a share.
const shareConfidence = 0.95

// shares reads parts of wholes: a whole without a part has a share of 0, and a
// whole of nothing has none. Counts that PromQL extrapolates are rounded; what
// is beyond the whole, because two counters are read at two times, counts as
// all of it.
func shares(rule *rules.Effective, o *occasion, parts, wholes promql.Vector) []reading {
	var out []reading
	found := beside(parts)
	for _, s := range wholes {
		r := reading{subject: subjectOf(rule, o, s.Metric)}
		if !o.about(r.subject) || !(s.F > 0) || math.IsInf(s.F, 0) {
			continue
		}
		part := 0.0
		if p := found[keyWithoutName(s.Metric)]; p != nil {
			part = *p
		}
		r.value = part / s.F
		if r.value = min(max(r.value, 0), 1); math.IsNaN(part) {
			r.value = math.NaN()
		}
		r.samples = uint64(math.Round(s.F))
		if r.samples > 0 && !math.IsNaN(part) {
			p := measure.Proportion{Favourable: uint64(math.Round(r.value * float64(r.samples))), Total: r.samples}
			if lower, upper, err := measure.Wilson(p, shareConfidence); err == nil { // a proportion of something has one
				r.lower, r.upper = &lower, &upper
			}
		}
		out = append(out, r)
	}
	return out
}
