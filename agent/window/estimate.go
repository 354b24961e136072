package window

import (
	"math"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// estimate sums the performance that scores promise, without labels: see
// measure.ExpectedPerformance. Rows without a score or a decision are missing.
type estimate struct {
	output     signal.FeatureName
	bounds     signal.Digest
	calibrator *measure.Calibrator
	score      *source
	outcome    *outcomeReader

	expected      *measure.ExpectedPerformance
	rows, missing uint64
}

// newEstimate gives nil where the baseline has no calibrator.
func newEstimate(p *Profiler, o *signal.OutcomeBaseline) (*estimate, error) {
	if o == nil || o.Calibrator == nil || o.Score == "" || o.Favourable == nil {
		return nil, nil
	}
	bounds, err := o.EstimateBounds()
	if err != nil {
		return nil, err
	}
	return &estimate{
		output: o.Output, bounds: bounds, calibrator: o.Calibrator,
		score: p.source(signal.TargetPrediction, o.Score), outcome: p.outcome,
		expected: new(measure.ExpectedPerformance),
	}, nil
}

func (e *estimate) add(from, to int) {
	for i := from; i < to; i++ {
		score, decision := numberAt(e.score.at, i), e.outcome.rows[i]
		decided := decision == favourable || decision == unfavourable
		if !decided || !(math.Abs(score) <= measure.MaxMagnitude) || e.expected.Add(e.calibrator, score, decision == favourable) != nil {
			e.missing++
			continue
		}
		e.rows++
	}
}

func (e *estimate) take() *signal.Distribution {
	d := sums(signal.TargetPerformance, e.output, e.bounds, e.rows, e.missing)
	d.Estimated = e.expected
	e.expected, e.rows, e.missing = new(measure.ExpectedPerformance), 0, 0
	return d
}

// numberAt reads a row of a column as a number; NaN where it is missing or none,
// or where there is no column.
func numberAt(col *signal.Column, i int) float64 {
	switch {
	case col == nil:
		return math.NaN()
	case col.Strings == nil:
		return col.Numbers[i]
	}
	if s, missing := textAt(col, i); !missing {
		if x, ok := category.Number(s); ok {
			return x
		}
	}
	return math.NaN()
}
