package signal

import (
	"errors"
	"fmt"
	"math"

	"github.com/evenkeel/evenkeel/measure"
)

// calibratorStep is the most by which a probability may be off for the sake of
// fewer knots: an isotonic fit of many distinct scores has thousands.
const calibratorStep = 1. / 128

// outcome says what a prediction means.
func (b *builder) outcome(columns []Column) error {
	o := &b.o
	if o.Outcome == nil {
		if o.Score != "" || o.Label != nil {
			return errors.New("a score or a label, but nothing that is decided by it")
		}
		return nil
	}
	b.Outcome = &OutcomeBaseline{Output: o.Outcome.Name, Score: o.Score}
	if o.Favourable.given() {
		if err := o.Favourable.check(); err != nil {
			return err
		}
		b.Outcome.Favourable = &o.Favourable
	}
	if o.Label == nil {
		return nil
	}
	if o.Score == "" || b.Outcome.Favourable == nil {
		return errors.New("labels need a score that they calibrate, and which outcomes are favourable")
	}
	for i := range columns {
		if c := &columns[i]; c.Target == TargetPrediction && c.Name == o.Score && c.Numbers != nil {
			return b.calibrate(c)
		}
	}
	return fmt.Errorf("score %q is no numeric prediction", o.Score)
}

// given says that something is said to be favourable.
func (f Favourable) given() bool { return f.AtLeast != nil || len(f.Values) > 0 }

// calibrate fits the calibrator on the rows that have score and label.
func (b *builder) calibrate(score *Column) error {
	label := b.o.Label
	if label.rows() != score.rows() {
		return fmt.Errorf("label %q has %d rows, the score %d", label.Name, label.rows(), score.rows())
	}
	var scores []float64
	var actual []bool
	for i, s := range score.Numbers {
		if math.IsNaN(s) || label.missing(i) {
			continue
		}
		favourable, err := b.o.Favourable.Judge(label, i)
		if err != nil {
			return fmt.Errorf("label %q: %w", label.Name, err)
		}
		scores, actual = append(scores, s), append(actual, favourable)
	}
	c, err := measure.FitCalibrator(scores, actual)
	if err != nil {
		return fmt.Errorf("label %q: %w", label.Name, err)
	}
	b.Outcome.Calibrator = c.Thin(calibratorStep)
	return nil
}
