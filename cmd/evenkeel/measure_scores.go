package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/measure"
)

// measurePerformance measures the current file, and the reference beside it.
func measurePerformance(cmd *cobra.Command, r roles, reference, current input, confidence float64) (*performanceResult, error) {
	now, err := loadDecisions(cmd.Context(), current, r, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	answers, err := now.answers(r)
	if err != nil {
		return nil, err
	}
	result := &performanceResult{Current: now.measuredFile, Compared: answers.rows, Scores: []performanceScore{}}
	if now.label != nil {
		result.Scores = answers.realized(r, confidence)
	}
	if reference.path == "" {
		return result, nil
	}
	r.labelMayLack = false
	before, err := loadDecisions(cmd.Context(), reference, r, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	result.Reference = &before.measuredFile
	earlier, err := before.answers(r)
	if err != nil {
		return nil, err
	}
	if r.outcome != "" && r.score != "" {
		result.Scores = append(result.Scores, estimated(earlier, now, r)...)
	}
	realized := earlier.realized(r, confidence)
	for i := range result.Scores {
		for _, s := range realized {
			if s.Metric == result.Scores[i].Metric && s.Value != nil {
				result.Scores[i].Before = &s.estimate
			}
		}
	}
	return result, nil
}

// answers are the rows of a file that have a label, as far as they have an
// answer.
type answers struct {
	rows      int // with a label and an answer of any kind
	confusion measure.Confusion
	residuals measure.Residuals
	scores    []float64
	favoured  []bool // the labels of scores
	loss      measure.ProbabilityLoss
	noLoss    error // why there is none
}

func (p *decisions) answers(r roles) (*answers, error) {
	a := &answers{}
	for i := range p.Rows {
		if err := a.add(p, r, i); err != nil {
			return nil, errs.E("compare with labels", errs.Invalid, fmt.Errorf("%s: %w", p.File, err), "")
		}
	}
	return a, nil
}

func (a *answers) add(p *decisions, r roles, i int) error {
	if p.label == nil || missing(p.label, i) {
		return nil
	}
	answered := false
	if r.numbers {
		if answered = !missing(p.outcome, i); answered {
			if err := a.residuals.Add(p.outcome.Numbers[i], p.label.Numbers[i]); err != nil {
				return err
			}
		}
	} else {
		label, err := r.judge(p.label, i)
		if err != nil {
			return err
		}
		outcome, err := r.judge(p.outcome, i)
		if err != nil {
			return err
		}
		if answered = outcome != unknown; answered {
			a.confusion.Add(outcome == yes, label == yes)
		}
		if p.score != nil && p.score[i] == p.score[i] { // not NaN
			answered = true
			a.scores, a.favoured = append(a.scores, p.score[i]), append(a.favoured, label == yes)
			if err := a.loss.Add(p.score[i], label == yes); err != nil && a.noLoss == nil {
				a.noLoss = err
			}
		}
	}
	if answered {
		a.rows++
	}
	return nil
}

// list gives the measures of what was counted, under a basis. A fault is why none
// of them is defined.
func list[Of any](basis string, measures []measure.PerformanceMeasure[Of], of Of, confidence float64, fault error) []performanceScore {
	out := make([]performanceScore, 0, len(measures))
	for _, m := range measures {
		e, err := measure.Estimate{}, fault
		if fault == nil {
			e, err = m.Of(of, confidence)
		}
		out = append(out, performanceScore{Metric: m.Name, Basis: basis, possible: orUndefined(e, err)})
	}
	return out
}

// realized are the measures of answers whose labels are known.
func (a *answers) realized(r roles, confidence float64) []performanceScore {
	if r.numbers {
		return list(basisRealized, measure.ResidualMeasures(), a.residuals, confidence, nil)
	}
	var out []performanceScore
	if r.outcome != "" {
		out = list(basisRealized, measure.ConfusionMeasures(), a.confusion, confidence, nil)
	}
	if r.score != "" {
		out = append(out, a.ofScores(confidence)...)
	}
	return out
}

func (a *answers) ofScores(confidence float64) []performanceScore {
	cells, fault := measure.DistinctScores(a.scores, a.favoured)
	out := list(basisRealized, []measure.PerformanceMeasure[[]measure.ScoreCell]{{Name: "auc", Of: measure.AUC}}, cells, confidence, fault)
	out = append(out, list(basisRealized, measure.LossMeasures(), a.loss, confidence, a.noLoss)...)
	return append(out, list(basisRealized, []measure.PerformanceMeasure[[]measure.ScoreCell]{{
		Name: metricCalibration, Of: func(cells []measure.ScoreCell, confidence float64) (measure.Estimate, error) {
			return measure.CorrectedECE(cells, confidence, calibrationSeed)
		},
	}}, cells, confidence, fault)...)
}

// estimated is the performance to be expected of the current scores, by what
// scores meant in the reference.
func estimated(reference *answers, now *decisions, r roles) []performanceScore {
	var expected measure.ExpectedPerformance
	calibrator, err := measure.FitCalibrator(reference.scores, reference.favoured)
	for i := 0; err == nil && i < now.Rows; i++ {
		outcome, wrong := r.judge(now.outcome, i)
		if outcome == unknown || now.score[i] != now.score[i] { // NaN
			err = wrong
			continue
		}
		err = errors.Join(wrong, expected.Add(calibrator, now.score[i], outcome == yes))
	}
	return list(basisEstimated, measure.ExpectedMeasures(), &expected, 0, err)
}
