package signal

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/measure"
)

// conventionLabelCoverage is that of the share of predictions that have a label.
const conventionLabelCoverage = "label_coverage/wilson@1"

// Quantities gives all that a cohort says: realised performance, the measures of
// fairness that need to know how it turned out, and how many predictions have a
// label. b is the newest baseline, for its reference groups; it may be nil. What
// is undefined is left out. The same cohort gives the same numbers.
func (c *Cohort) Quantities(b *Baseline, o FairnessOptions) []Quantity {
	out := c.performance(o.Confidence)
	for i := range c.Attributes {
		out = append(out, c.fairness(b, &c.Attributes[i], o)...)
	}
	return append(out, c.coverage(o.Confidence)...)
}

// scoreBoard collects performance under one basis.
type scoreBoard struct {
	basis    string
	baseline Digest
	found    []Quantity
}

// add leaves out what is undefined.
func (s *scoreBoard) add(metric, class string, e measure.Estimate, err error) {
	if err != nil {
		return
	}
	dimensions := []Dimension{{KeyPerformance, metric}, {KeyBasis, s.basis}, {KeyBaselineID, s.baseline.Short()}}
	if class != "" {
		dimensions = append(dimensions, Dimension{KeyClass, class})
	}
	s.found = append(s.found, Quantity{Metric: MetricPerformance, Dimensions: dimensions, Estimate: e})
}

// addAll adds each measure of what was counted.
func addAll[Of any](s *scoreBoard, class string, measures []measure.PerformanceMeasure[Of], of Of, confidence float64) {
	for _, m := range measures {
		e, err := m.Of(of, confidence)
		s.add(m.Name, class, e, err)
	}
}

// performance gives the measures of the cohort's task.
func (c *Cohort) performance(confidence float64) []Quantity {
	s := &scoreBoard{basis: BasisRealized, baseline: c.Baseline}
	switch a := &c.All; c.Task {
	case TaskDecision:
		addAll(s, "", measure.ConfusionMeasures(), a.Confusion, confidence)
		s.addScores(a, confidence)
	case TaskRegression:
		addAll(s, "", measure.ResidualMeasures(), a.Residuals, confidence)
	case TaskClasses:
		s.addClasses(a.Classes, confidence)
	}
	return s.found
}

// addScores adds what the scores behind decisions say.
func (s *scoreBoard) addScores(a *Outcomes, confidence float64) {
	e, err := measure.BinnedAUC(a.Scores, confidence)
	s.add(PerformanceAUC, "", e, err)
	if !a.probabilities() {
		return
	}
	addAll(s, "", measure.LossMeasures(), a.Loss, confidence)
	e, err = measure.CorrectedECE(a.Scores, confidence, seedOf(a.Scores))
	s.add(PerformanceECE, "", e, err)
	e, err = measure.ECE(a.Scores, confidence)
	s.add(PerformanceECERaw, "", e, err)
}

// probabilities says that every score is one: only those have a loss. The mean of
// a cell may look like one where its scores do not.
func (o *Outcomes) probabilities() bool { return o.Loss.Rows == scored(o.Scores) }

// ofOneClass are the measures of a class against the rest. How often all others
// are told from it says little where there are many.
var ofOneClass = []string{PerformancePrecision, PerformanceRecall, PerformanceF1}

// addClasses adds the accuracy over all classes, and for each class how it is
// told from the rest.
func (s *scoreBoard) addClasses(classes map[string]ClassOutcomes, confidence float64) {
	var rows, right uint64
	for _, k := range classes {
		rows += k.Predicted
		right += k.Right
	}
	e, err := measure.AccuracyScore(measure.Confusion{TruePositive: right, FalsePositive: rows - right}, confidence)
	s.add(PerformanceAccuracy, "", e, err)
	measures := slices.DeleteFunc(measure.ConfusionMeasures(), func(m measure.PerformanceMeasure[measure.Confusion]) bool {
		return !slices.Contains(ofOneClass, m.Name)
	})
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		addAll(s, name, measures, classes[name].against(rows), confidence)
	}
}

// against is the class as one of two outcomes, of so many rows in all.
func (k ClassOutcomes) against(rows uint64) measure.Confusion {
	wrong := k.Predicted - k.Right + k.Actual - k.Right
	return measure.Confusion{
		TruePositive: k.Right, FalsePositive: k.Predicted - k.Right, FalseNegative: k.Actual - k.Right,
		TrueNegative: rows - k.Right - wrong,
	}
}

func scored(cells []measure.ScoreCell) uint64 {
	var n uint64
	for _, c := range cells {
		n += c.Rows
	}
	return n
}

// seedOf derives the seed of a simulation from what it is about, so that anyone
// who has the cohort finds the same number.
func seedOf(cells []measure.ScoreCell) uint64 {
	h := fnv.New64a()
	var b [24]byte
	for _, c := range cells {
		binary.LittleEndian.PutUint64(b[0:], c.Rows)
		binary.LittleEndian.PutUint64(b[8:], c.Positives)
		binary.LittleEndian.PutUint64(b[16:], math.Float64bits(c.Scores))
		_, _ = h.Write(b[:]) // a hash takes everything
	}
	return h.Sum64()
}

// coverage gives the share of predictions that have a label: of all, by what was
// predicted, and by group.
func (c *Cohort) coverage(confidence float64) []Quantity {
	var out []Quantity
	add := func(labelled, predictions uint64, of ...Dimension) {
		e, err := shareEstimate(labelled, predictions, confidence, conventionLabelCoverage)
		if err != nil {
			return
		}
		out = append(out, Quantity{
			Metric: MetricLabelCoverage, Dimensions: append([]Dimension{{KeyBaselineID, c.Baseline.Short()}}, of...), Estimate: e,
		})
	}
	a := &c.All
	add(a.Labelled, a.Predictions)
	add(a.FavourableLabelled, a.Favourable, Dimension{KeyPredicted, PredictedFavourable})
	add(a.UnfavourableLabelled, a.Unfavourable, Dimension{KeyPredicted, PredictedUnfavourable})
	for i := range c.Attributes {
		for _, g := range c.Attributes[i].Groups {
			add(g.Labelled, g.Predictions,
				Dimension{KeyProtected, string(c.Attributes[i].Attribute)}, Dimension{KeyGroup, g.Group})
		}
	}
	return out
}

// shareEstimate is a share with Wilson's interval.
func shareEstimate(part, all uint64, confidence float64, convention string) (measure.Estimate, error) {
	lower, upper, err := measure.Wilson(measure.Proportion{Favourable: part, Total: all}, confidence)
	if err != nil {
		return measure.Estimate{}, err
	}
	return measure.Estimate{Value: float64(part) / float64(all), Lower: &lower, Upper: &upper, Samples: all, Convention: convention}, nil
}
