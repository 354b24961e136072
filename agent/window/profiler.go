package window

import (
	"fmt"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Profiler counts the rows of one version of one model and closes a window
// when its time or its count is reached. It is safe for concurrent use.
type Profiler struct {
	handing sync.Mutex // held while windows go to the sink, so that they go in order

	mu       sync.Mutex // never held while the sink runs
	o        Options
	baseline signal.Digest // empty without a baseline
	account  *account

	columns []*column // the baseline's, then loose ones where there is no baseline
	byName  map[columnKey]*column
	outcome *outcomeReader // nil without an outcome
	groups  []*groupTable

	start, end time.Time // end is zero where only the count closes it
	rows       uint64    // in the open window
	requests   uint64    // in the open window
	total      Totals
	closed     []*Closed // not handed over yet
	retired    bool      // nothing is counted any more
	part       uint64    // numbers the runs of rows that are counted, to see which columns one lacks

	outcomes   []outcome        // scratch: of the observation at hand
	attributes []*signal.Column // scratch: its protected attributes, by group table
}

type columnKey struct {
	target signal.Target
	name   signal.FeatureName
}

// Totals are a profiler's running counts since it began.
type Totals struct {
	Requests    uint64 // observations counted
	Rows        uint64
	Windows     uint64 // handed to the sink
	Unmonitored uint64 // columns that the baseline has not, doubled, or not as long as the rows
	Unnumbered  uint64 // windows whose sequence could not be made durable
}

// New makes a profiler; its first window begins now.
func New(o Options) (*Profiler, error) {
	return newProfiler(o, &account{read: o.Capture})
}

func newProfiler(o Options, a *account) (*Profiler, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	p := &Profiler{o: o, account: a, byName: map[columnKey]*column{}}
	if o.Baseline != nil {
		digest, err := o.Baseline.Digest()
		if err != nil {
			return nil, fmt.Errorf("window: baseline of %s: %w", o.Model, err)
		}
		p.baseline = digest
		for i := range o.Baseline.Features {
			c, err := newColumn(&o.Baseline.Features[i])
			if err != nil {
				return nil, fmt.Errorf("window: baseline of %s: feature %s: %w", o.Model, o.Baseline.Features[i].Name, err)
			}
			p.register(c)
		}
	}
	if o.Outcome.Output != "" {
		p.outcome = newOutcomeReader(o.Outcome)
	}
	for _, attribute := range o.Protected {
		t, err := newGroupTable(attribute, &o)
		if err != nil {
			return nil, fmt.Errorf("window: protected attribute %s: %w", attribute, err)
		}
		p.groups = append(p.groups, t)
	}
	p.attributes = make([]*signal.Column, len(p.groups))
	p.open(o.Clock())
	return p, nil
}

func (p *Profiler) register(c *column) {
	p.columns = append(p.columns, c)
	p.byName[columnKey{c.target, c.name}] = c
}

// Model names the version that is profiled.
func (p *Profiler) Model() signal.ModelRef { return p.o.Model }

// Baseline gives the digest of the baseline; empty where there is none.
func (p *Profiler) Baseline() signal.Digest { return p.baseline }

// Totals gives the running counts.
func (p *Profiler) Totals() Totals {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// Observe counts the rows of one observation and keeps no reference to it.
// Windows that are due by the clock are closed first. Rows beyond the count
// limit go into the next window: the request itself counts where its first row
// went.
func (p *Profiler) Observe(obs *signal.Observation) { p.observe(obs) }

// observe is Observe; false where the profiler is retired.
func (p *Profiler) observe(obs *signal.Observation) bool {
	defer p.handOver()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		return false
	}
	p.closeDue(p.o.Clock())
	p.requests++
	p.total.Requests++
	p.prepare(obs)
	for from := 0; from < obs.Rows; {
		to := obs.Rows
		if p.o.Count > 0 {
			to = from + int(min(p.o.Count-p.rows, uint64(obs.Rows-from)))
		}
		p.count(obs, from, to)
		p.rows += uint64(to - from)
		p.total.Rows += uint64(to - from)
		from = to
		if p.o.Count > 0 && p.rows == p.o.Count {
			p.close(p.o.Clock())
		}
	}
	return true
}

// prepare finds the outcome and the protected attributes of an observation.
func (p *Profiler) prepare(obs *signal.Observation) {
	if p.outcome == nil {
		return
	}
	var answer *signal.Column
	clear(p.attributes)
	for i := range obs.Columns {
		col := &obs.Columns[i]
		if !fits(col, obs.Rows) {
			continue
		}
		if col.Target == signal.TargetPrediction && col.Name == p.outcome.output {
			answer = col
		}
		for j, t := range p.groups {
			if col.Target == signal.TargetFeature && col.Name == t.attribute {
				p.attributes[j] = col
			}
		}
	}
	p.outcomes = p.outcome.read(answer, obs.Rows)
}

// count adds the rows from..to of an observation to the open window.
func (p *Profiler) count(obs *signal.Observation, from, to int) {
	p.part++
	for i := range obs.Columns {
		col := &obs.Columns[i]
		c := p.column(col, obs.Rows)
		if c == nil || c.touched == p.part {
			if from == 0 {
				p.total.Unmonitored++
			}
			continue
		}
		c.touched = p.part
		c.add(col, from, to)
	}
	for _, c := range p.columns {
		if c.touched != p.part {
			c.missing += uint64(to - from)
		}
	}
	for j, t := range p.groups {
		t.add(p.attributes[j], p.outcomes, from, to)
	}
}

// maxLooseColumns bounds what is profiled of a model without a baseline.
const maxLooseColumns = 256

// column finds the accumulator of a column; nil where it is not profiled.
func (p *Profiler) column(col *signal.Column, rows int) *column {
	if !fits(col, rows) {
		return nil
	}
	if c, ok := p.byName[columnKey{col.Target, col.Name}]; ok || p.o.Baseline != nil {
		return c
	}
	if len(p.columns) >= maxLooseColumns {
		return nil
	}
	c, err := newLooseColumn(col)
	if err != nil { // its bounds have no digest: nothing could be merged with it
		return nil
	}
	c.missing = p.rows
	p.register(c)
	return c
}

func fits(col *signal.Column, rows int) bool {
	if col.Strings != nil {
		return len(col.Strings) == rows && (col.Missing == nil || len(col.Missing) == rows)
	}
	return len(col.Numbers) == rows
}

// Tick closes the windows that are due by the clock and gives the time at
// which the open one ends, zero where only the count closes it.
func (p *Profiler) Tick() time.Time {
	defer p.handOver()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeDue(p.o.Clock())
	return p.end
}

// Flush closes the open window early, at the present time, if it holds anything
// or time has passed. The profiler can go on; it is called when the agent stops.
func (p *Profiler) Flush() {
	defer p.handOver()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Clock()
	p.closeDue(now)
	if p.rows > 0 || p.requests > 0 || now.After(p.start) {
		p.close(now)
	}
}
