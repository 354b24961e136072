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
	sources []*source // what is read of an observation
	byName  map[columnKey]*source
	derived []derivation
	watches []*changeWatch // those among derived
	outcome *outcomeReader // nil without an outcome
	groups  []*groupTable

	lineage lineageTable // what stood behind the open window's requests

	start, end time.Time // end is zero where only the count closes it
	rows       uint64    // in the open window
	requests   uint64    // in the open window
	total      Totals
	closed     []*Closed // not handed over yet
	retired    bool      // nothing is counted any more
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
	p := &Profiler{o: o, account: a, byName: map[columnKey]*source{}}
	if o.Outcome.Output != "" {
		p.outcome = newOutcomeReader(o.Outcome, p.source(signal.TargetPrediction, o.Outcome.Output))
	}
	if o.Baseline != nil {
		digest, err := o.Baseline.Digest()
		if err == nil {
			p.baseline, err = digest, p.monitor(o.Baseline)
		}
		if err != nil {
			return nil, fmt.Errorf("window: baseline of %s: %w", o.Model, err)
		}
	}
	for _, attribute := range o.Protected {
		t, err := newGroupTable(p, attribute)
		if err != nil {
			return nil, fmt.Errorf("window: protected attribute %s: %w", attribute, err)
		}
		p.groups = append(p.groups, t)
	}
	if err := p.intersect(); err != nil {
		return nil, err
	}
	p.open(o.Clock())
	return p, nil
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
	p.lineage.add(&obs.Lineage)
	p.attend(obs)
	defer p.release()
	for from := 0; from < obs.Rows; {
		to := obs.Rows
		if p.o.Count > 0 {
			to = from + int(min(p.o.Count-p.rows, uint64(obs.Rows-from)))
		}
		p.count(from, to)
		p.rows += uint64(to - from)
		p.total.Rows += uint64(to - from)
		from = to
		if p.o.Count > 0 && p.rows == p.o.Count {
			p.close(p.o.Clock())
		}
	}
	return true
}

// count adds the rows from..to of the observation at hand to the open window.
func (p *Profiler) count(from, to int) {
	for _, s := range p.sources {
		switch {
		case s.column == nil:
		case s.at == nil:
			s.column.missing += uint64(to - from)
		default:
			s.column.add(s.at, from, to)
		}
	}
	for _, d := range p.derived {
		d.add(from, to)
	}
	for _, t := range p.groups {
		t.add(p.outcome.rows, from, to)
	}
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
