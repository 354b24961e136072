package window

import (
	"fmt"

	"github.com/evenkeel/evenkeel/signal"
)

// derivation counts what the baseline makes of a row beyond its columns one by
// one: several columns together, descriptions of a text, the row as a whole. It
// is called with the profiler's lock held and reads its sources; it allocates
// nothing for a row.
type derivation interface {
	// add counts the rows from..to of the observation at hand.
	add(from, to int)
	// take gives away what the open window holds and no column of the baseline
	// does, and begins anew; nil where the columns hold it all.
	take() *signal.Distribution
}

// monitor sets up all that the baseline watches: columns of requests and answers
// are counted from their source, the others by a derivation.
func (p *Profiler) monitor(b *signal.Baseline) error {
	derived := map[columnKey]*column{}
	for i := range b.Features {
		f := &b.Features[i]
		c, err := newColumn(f)
		if err != nil {
			return fmt.Errorf("feature %s: %w", f.Name, err)
		}
		p.columns = append(p.columns, c)
		switch f.Target {
		case signal.TargetFeature, signal.TargetPrediction:
			s := p.source(f.Target, f.Name)
			s.column, s.watched = c, true
		default:
			derived[columnKey{f.Target, f.Name}] = c
		}
	}
	for i := range b.Joint {
		j, err := newJointCount(p, &b.Joint[i], derived)
		if err != nil {
			return fmt.Errorf("joint set %s: %w", b.Joint[i].Name, err)
		}
		p.derived = append(p.derived, j)
	}
	for i := range b.Texts {
		p.derived = append(p.derived, newTextCount(p, &b.Texts[i], derived))
	}
	rows, err := newRowSketch(p, b)
	if err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	if rows != nil {
		p.derived = append(p.derived, rows)
	}
	return p.watchOutputs(b)
}

// watchOutputs sets up what is counted of the model's answers beyond their cells.
func (p *Profiler) watchOutputs(b *signal.Baseline) error {
	e, err := newEstimate(p, b.Outcome)
	if err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	if e != nil {
		p.derived = append(p.derived, e)
	}
	for i := range b.Features {
		if w := newChangeWatch(p, &b.Features[i]); w != nil {
			p.derived = append(p.derived, w)
			p.watches = append(p.watches, w)
		}
	}
	return nil
}

// takeWindow empties the open window and gives what it held.
func (p *Profiler) takeWindow() []*signal.Distribution {
	var out []*signal.Distribution
	for _, c := range p.columns {
		out = append(out, c.take())
	}
	for _, d := range p.derived {
		if taken := d.take(); taken != nil {
			out = append(out, taken)
		}
	}
	return append(out, p.takeGroups()...)
}
