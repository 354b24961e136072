package window

import (
	"math"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Changes counts, since the profiler began, how often one method found that the
// mean of a model's answers had changed from one row to the next: to look at,
// not to judge by. Where traffic changes its mix, it fires too.
type Changes struct {
	Feature signal.FeatureName
	Method  string // signal.ChangeADWIN, signal.ChangePageHinkley
	Count   uint64
}

// changeWatch watches one output row by row, across windows: a number in
// deviations from the baseline's mean, or the decision as 1 (favourable) and 0.
type changeWatch struct {
	feature     signal.FeatureName
	source      *source
	decision    *outcomeReader // nil: the numbers themselves are watched
	mean, scale float64

	adwin       measure.ADWIN
	pageHinkley measure.PageHinkley
	found       [2]uint64 // by adwin, by pageHinkley
}

// newChangeWatch gives nil for a column whose values have no mean to watch: an
// input, or a category that decides nothing.
func newChangeWatch(p *Profiler, f *signal.FeatureBaseline) *changeWatch {
	if f.Target != signal.TargetPrediction {
		return nil
	}
	w := &changeWatch{feature: f.Name, source: p.source(f.Target, f.Name), scale: 1}
	switch {
	case f.Kind == signal.Numeric:
		w.standardise(f)
	case p.outcome != nil && f.Name == p.o.Outcome.Output:
		w.decision = p.outcome
	default:
		return nil
	}
	return w
}

// standardise finds the baseline's mean and deviation. A column that was
// constant, but for rounding, keeps its unit.
func (w *changeWatch) standardise(f *signal.FeatureBaseline) {
	n := float64(f.N - f.Missing)
	if n == 0 {
		return
	}
	w.mean = f.Sum / n
	variance := f.SumSquares/n - float64(w.mean*w.mean)
	if variance > 1e-12*f.SumSquares/n {
		w.scale = math.Sqrt(variance)
	}
}

func (w *changeWatch) add(from, to int) {
	if w.source.at == nil {
		return
	}
	for i := from; i < to; i++ {
		w.see(w.value(i))
	}
}

// value gives a row's number; NaN where it has none.
func (w *changeWatch) value(i int) float64 {
	if w.decision == nil {
		return (numberAt(w.source.at, i) - w.mean) / w.scale
	}
	switch w.decision.rows[i] {
	case favourable:
		return 1
	case unfavourable:
		return 0
	}
	return math.NaN()
}

func (w *changeWatch) see(x float64) {
	if !(math.Abs(x) <= measure.MaxMagnitude) {
		return
	}
	if changed, err := w.adwin.Add(x); changed && err == nil {
		w.found[0]++
	}
	if changed, err := w.pageHinkley.Add(x); changed && err == nil {
		w.found[1]++
	}
}

// take leaves what was found: it is counted since the profiler began.
func (w *changeWatch) take() *signal.Distribution { return nil }

// Changes gives the running counts of every output that is watched, in the
// baseline's order, ADWIN's before Page-Hinkley's.
func (p *Profiler) Changes() []Changes {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Changes, 0, 2*len(p.watches))
	for _, w := range p.watches {
		out = append(out,
			Changes{w.feature, signal.ChangeADWIN, w.found[0]},
			Changes{w.feature, signal.ChangePageHinkley, w.found[1]})
	}
	return out
}
