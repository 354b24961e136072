package window

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// maxCatchUp bounds the empty windows that are handed over at once after the
// process could not run (suspended, clock set forward). Windows beyond it are
// left out, without a gap in the sequence: nobody was there to see them.
const maxCatchUp = 60

// maxSetBack is how far the clock may go back, as it does when it is adjusted,
// without an effect on the open window.
const maxSetBack = time.Second

// closeDue closes every window that ended by now, and one that has not begun by
// now: the clock was set back, and its end may be far away.
func (p *Profiler) closeDue(now time.Time) {
	if p.start.Sub(now) > maxSetBack {
		p.o.Log.Warn("the clock was set back; the open window is closed", "model", p.o.Model.String(), "from", p.start, "to", now)
		if p.rows > 0 || p.requests > 0 {
			p.close(now)
		}
		p.open(now)
	}
	for n := 0; !p.end.IsZero() && !now.Before(p.end); n++ {
		if n == maxCatchUp {
			p.o.Log.Warn("windows left out: the agent was not running", "model", p.o.Model.String(), "from", p.end, "to", now)
			p.open(now)
			return
		}
		p.close(p.end)
	}
}

// open begins a window. Its end is the next multiple of the length since the
// epoch, so that replicas' windows match.
func (p *Profiler) open(start time.Time) {
	p.start = start.Round(0) // the wall clock's, which windows are compared by
	p.rows, p.requests = 0, 0
	if p.o.Length > 0 {
		p.end = nextBoundary(start, p.o.Length)
	}
}

// reach lets the first window begin earlier, as far as it may: its first request
// was answered before there was a profiler to count it.
func (p *Profiler) reach(seen time.Time) {
	if seen.IsZero() || !seen.Before(p.start) {
		return
	}
	if earliest := p.end.Add(-p.o.Length); p.o.Length > 0 && seen.Before(earliest) {
		seen = earliest
	}
	p.start = seen.Round(0)
}

// nextBoundary gives the first multiple of length since the epoch after t.
// (time.Truncate counts from the year 1, where a length of seven days falls on
// other instants.)
func nextBoundary(t time.Time, length time.Duration) time.Time {
	ns, l := t.UnixNano(), int64(length)
	rest := ns % l
	if rest < 0 {
		rest += l
	}
	return time.Unix(0, ns-rest+l).UTC()
}

// close ends the open window and begins the next one at end. The caller sees
// to it that handOver follows when the lock is free.
func (p *Profiler) close(end time.Time) {
	if !end.After(p.start) {
		end = p.start.Add(1) // a count can be reached within one tick of the clock, which may also be set back
	}
	sequence, err := p.o.Sequences.next(p.o.Model)
	if err != nil {
		p.total.Unnumbered++
		p.o.Log.Error("window sequence not saved; a restart may repeat it", "model", p.o.Model.String(), "sequence", sequence, "error", err)
	}
	w := &Closed{
		Model:    p.o.Model,
		ID:       signal.WindowID{Instance: p.o.Instance, Sequence: sequence},
		Start:    p.start.UTC(),
		End:      end.UTC(),
		Baseline: p.o.Baseline,
		Capture:  p.account.take(p.requests),
		Lineage:  p.lineage.take(),

		Distributions: p.takeWindow(),
	}
	for _, d := range w.Distributions {
		p.stamp(d, w)
	}
	p.total.Windows++
	p.open(end)
	p.closed = append(p.closed, w)
}

// handOver gives closed windows to the sink, in order. When it returns, all
// windows that were closed before it have been given.
func (p *Profiler) handOver() {
	p.handing.Lock()
	defer p.handing.Unlock()
	for _, w := range p.takeClosed() {
		p.o.Guard.Run(partSink, func() { p.o.Sink(w) })
	}
}

func (p *Profiler) takeClosed() []*Closed {
	p.mu.Lock()
	defer p.mu.Unlock()
	closed := p.closed
	p.closed = nil
	return closed
}

// stamp writes on a distribution what it shares with its window.
func (p *Profiler) stamp(d *signal.Distribution, w *Closed) {
	d.System, d.Model, d.Window = p.o.System, w.Model, w.ID
	d.Start, d.End, d.Parts = w.Start, w.End, len(w.Distributions)
	d.Baseline, d.Capture, d.Rate, d.Lineage = p.baseline, w.Capture, p.o.Rate, w.Lineage
}

// take gives the column's distribution away and empties the column.
func (c *column) take() *signal.Distribution {
	d := &signal.Distribution{
		Target: c.target, Feature: c.name, Kind: c.kind, Bounds: c.bounds,
		Counts: c.counts, Missing: c.missing, Other: c.other, New: c.fresh, Invalid: c.faulty,
		OutOfRange: c.outOfRange,
		N:          c.missing + c.other + c.fresh + c.faulty,
		Sum:        finite(c.sum), SumSquares: finite(c.sumSquares), Min: c.min, Max: c.max,
	}
	for _, n := range c.counts {
		d.N += n
	}
	c.before = c.violations()
	c.counts = make([]uint64, len(c.counts))
	c.clear()
	return d
}

// finite keeps a moment that overflowed representable: values beyond 1e154
// have squares that no float64 holds.
func finite(moment float64) float64 {
	if math.IsNaN(moment) {
		return 0 // overflowed in both directions
	}
	return max(-math.MaxFloat64, min(moment, math.MaxFloat64))
}
