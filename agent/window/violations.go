package window

import "github.com/evenkeel/evenkeel/signal"

// Violations counts, since the profiler began, the values of one column that
// were not as the baseline had them. A value counts once at most, but for one
// outside the range, which also has its place in the outermost cell.
type Violations struct {
	Feature     signal.FeatureName
	Target      signal.Target
	Missing     uint64
	Type        uint64 // text in a numeric column, infinite numbers
	OutOfRange  uint64 // beyond the baseline's range, widened by a tenth of its span
	NewCategory uint64
}

func (c *column) violations() Violations {
	v := c.before
	v.Missing += c.missing
	v.Type += c.faulty
	v.OutOfRange += c.outOfRange
	v.NewCategory += c.fresh
	return v
}

// Violations gives the running counts of every input and output that has a
// baseline, in the baseline's order, the open window included.
func (p *Profiler) Violations() []Violations {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Violations, 0, len(p.columns))
	for _, c := range p.columns {
		if c.profiled && (c.target == signal.TargetFeature || c.target == signal.TargetPrediction) {
			out = append(out, c.violations())
		}
	}
	return out
}
