package window

import (
	"github.com/evenkeel/evenkeel/signal"
)

// source is one column of requests or answers that somebody reads. Each column
// of an observation is looked up once; all that reads it shares the source.
type source struct {
	column  *column        // counts its values; nil where only other parts read it
	watched bool           // by the baseline, on its own or together with others
	at      *signal.Column // of the observation at hand; nil where that lacks it
}

type columnKey struct {
	target signal.Target
	name   signal.FeatureName
}

// source finds or makes the source of a column.
func (p *Profiler) source(target signal.Target, name signal.FeatureName) *source {
	key := columnKey{target, name}
	s, ok := p.byName[key]
	if !ok {
		s = &source{}
		p.byName[key] = s
		p.sources = append(p.sources, s)
	}
	return s
}

// either is a column that is an input or, where a request has no such input, an
// output: the coordinates of an embedding that the model answers with, or a text
// that it writes.
type either struct{ input, output *source }

func (p *Profiler) either(name signal.FeatureName) either {
	e := either{p.source(signal.TargetFeature, name), p.source(signal.TargetPrediction, name)}
	e.input.watched, e.output.watched = true, true
	return e
}

// at gives the column of the observation at hand; nil where that lacks it.
func (e either) at() *signal.Column {
	if e.input.at != nil {
		return e.input.at
	}
	return e.output.at
}

// attend finds the columns of an observation that somebody reads. Of doubled
// columns the first one counts.
func (p *Profiler) attend(obs *signal.Observation) {
	for i := range obs.Columns {
		col := &obs.Columns[i]
		s := p.sourceOf(col, obs.Rows)
		if s == nil || s.at != nil {
			p.total.Unmonitored++
			continue
		}
		s.at = col
		if !s.watched {
			p.total.Unmonitored++
		}
	}
	if p.outcome != nil {
		p.outcome.read(obs.Rows)
	}
}

// release lets go of the observation, whose columns may alias a pooled buffer.
func (p *Profiler) release() {
	for _, s := range p.sources {
		s.at = nil
	}
}

// maxLooseColumns bounds what is profiled of a model without a baseline.
const maxLooseColumns = 256

// sourceOf finds the source of an observation's column; nil where nobody reads
// it, or where it is not as long as the rows. Without a baseline columns are
// counted as they come.
func (p *Profiler) sourceOf(col *signal.Column, rows int) *source {
	if !fits(col, rows) {
		return nil
	}
	s := p.byName[columnKey{col.Target, col.Name}]
	if p.o.Baseline != nil || s != nil && s.column != nil || len(p.columns) >= maxLooseColumns {
		return s
	}
	c, err := newLooseColumn(col)
	if err != nil { // its bounds have no digest: nothing could be merged with it
		return s
	}
	c.missing = p.rows
	s = p.source(c.target, c.name)
	s.column, s.watched = c, true
	p.columns = append(p.columns, c)
	return s
}

func fits(col *signal.Column, rows int) bool {
	if col.Strings != nil {
		return len(col.Strings) == rows && (col.Missing == nil || len(col.Missing) == rows)
	}
	return len(col.Numbers) == rows
}
