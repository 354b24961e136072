package evaluate

import (
	"math"

	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
)

// shareConfidence is that of the interval of a share.
const shareConfidence = 0.95

// shares reads parts of wholes; a whole without a part has a share of 0.
func shares(rule *rules.Effective, o *occasion, parts, wholes promql.Vector) []reading {
	var out []reading
	found := beside(parts)
	for _, s := range wholes {
		subject := subjectOf(rule, o, s.Metric)
		if !o.about(subject) {
			continue
		}
		part := 0.0
		if p := found[keyWithoutName(s.Metric)]; p != nil {
			part = *p
		}
		if r, there := shareReading(subject, part, s.F); there {
			out = append(out, r)
		}
	}
	return out
}

// shareReading is the share of a part of a whole, with Wilson's interval; a whole
// of nothing has none. Counts that PromQL extrapolates are rounded; what is
// beyond the whole, because two counters are read at two times, counts as all
// of it.
func shareReading(subject map[string]string, part, whole float64) (reading, bool) {
	if !(whole > 0) || math.IsInf(whole, 0) {
		return reading{}, false
	}
	r := reading{subject: subject, samples: uint64(math.Round(whole))}
	if math.IsNaN(part) {
		r.value = part
		return r, true
	}
	r.value = min(max(part/whole, 0), 1)
	if r.samples > 0 {
		p := measure.Proportion{Favourable: uint64(math.Round(r.value * float64(r.samples))), Total: r.samples}
		if lower, upper, err := measure.Wilson(p, shareConfidence); err == nil { // a proportion of something has one
			r.lower, r.upper = &lower, &upper
		}
	}
	return r, true
}
