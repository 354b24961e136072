package window

import (
	"maps"

	"github.com/evenkeel/evenkeel/measure"
)

// SetRate makes all windows count at another rate from now on, which must be
// above 0 and up to 1. Open windows in which something was counted at the rate
// before are closed, since a window has one; those in which nothing was go on.
func (s *Set) SetRate(rate float64) {
	for _, name := range s.order {
		m := s.models[name]
		m.mu.Lock()
		m.options.Rate = rate
		m.mu.Unlock()
		for _, p := range m.profilers() {
			p.setRate(rate)
		}
	}
}

func (p *Profiler) setRate(rate float64) {
	defer p.handOver()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.Rate == rate {
		return
	}
	now := p.o.Clock()
	p.closeDue(now)
	if p.rows > 0 || p.requests > 0 {
		p.close(now)
	}
	before := p.o.Rate
	p.o.Rate = rate
	for _, t := range p.groups {
		t.heldAt(&p.o, before)
	}
}

// heldAt goes on with what is held back of the rate in force, and puts what was
// held at the one before aside.
func (t *groupTable) heldAt(o *Options, before float64) {
	if o.Carries != nil {
		t.carry.Held = o.Carries.held(t.key(o)) // what was held before is there since the last window closed
		return
	}
	if t.aside == nil {
		t.aside = map[float64]map[string]measure.GroupRows{}
	}
	t.aside[before] = t.carry.Held
	t.carry.Held = maps.Clone(t.aside[o.Rate])
}
