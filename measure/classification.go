package measure

import (
	"fmt"
	"math"
)

// Conventions of the measures of realised classification performance.
const (
	ConventionAccuracy    = "accuracy/wilson@1"
	ConventionPrecision   = "precision/wilson@1"
	ConventionRecall      = "recall/wilson@1"
	ConventionSpecificity = "specificity/wilson@1"
	ConventionF1          = "f1/wilson_jaccard@1"
	ConventionMCC         = "mcc@1"
)

// AccuracyScore is the share of right predictions among all rows, with Wilson's
// interval. Undefined without rows.
func AccuracyScore(c Confusion, confidence float64) (Estimate, error) {
	return proportionScore("accuracy", ConventionAccuracy, c.Accuracy(), confidence)
}

// Precision is the share of actual positives among the positive predictions,
// with Wilson's interval; Samples counts the positive predictions. Undefined
// where nothing was predicted positive.
func Precision(c Confusion, confidence float64) (Estimate, error) {
	return proportionScore("precision", ConventionPrecision, c.PositivePredictiveValue(), confidence)
}

// Recall is the share of positive predictions among the actual positives, with
// Wilson's interval; Samples counts the actual positives. Undefined where
// nothing was positive.
func Recall(c Confusion, confidence float64) (Estimate, error) {
	return proportionScore("recall", ConventionRecall, c.TruePositiveRate(), confidence)
}

// Specificity is the share of negative predictions among the actual negatives,
// with Wilson's interval; Samples counts the actual negatives. Undefined where
// nothing was negative.
func Specificity(c Confusion, confidence float64) (Estimate, error) {
	return proportionScore("specificity", ConventionSpecificity, c.TrueNegativeRate(), confidence)
}

// F1 is the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN),
// within [0, 1]. True negatives do not enter. It is 2 J / (1 + J) of the
// proportion J = TP / (TP + FP + FN), and its interval is Wilson's of J, carried
// over. Samples counts TP + FP + FN.
//
// Undefined where there is neither a positive prediction nor an actual
// positive. Hand, Christen and Kirielle, Machine Learning 110 (2021), for J.
func F1(c Confusion, confidence float64) (Estimate, error) {
	e, err := proportionScore("f1", ConventionF1, among(exact(c.TruePositive), add(c.FalsePositive, c.FalseNegative)), confidence)
	if err != nil {
		return Estimate{}, err
	}
	for _, v := range []*float64{&e.Value, e.Lower, e.Upper} {
		*v = 2 * *v / (1 + *v)
	}
	return e, nil
}

// MCC is Matthews' correlation coefficient of predicted and actual outcome,
//
//	(TP TN - FP FN) / sqrt((TP+FP) (TP+FN) (TN+FP) (TN+FN))
//
// within [-1, 1]; 0 is no better than chance. It is computed as sqrt(PPV TPR TNR
// NPV) - sqrt(FDR FNR FPR FOR), the same number without products of counts. It
// has no interval. Samples counts all rows.
//
// Undefined where predictions or outcomes are of one class only.
func MCC(c Confusion) (Estimate, error) {
	right, wrong := 1.0, 1.0
	for _, pair := range [][2]Proportion{
		{c.PositivePredictiveValue(), c.FalseDiscoveryRate()},
		{c.TruePositiveRate(), c.FalseNegativeRate()},
		{c.TrueNegativeRate(), c.FalsePositiveRate()},
		{among(exact(c.TrueNegative), exact(c.FalseNegative)), c.FalseOmissionRate()},
	} {
		if pair[0].Total == 0 {
			return Estimate{}, fmt.Errorf("mcc: predictions or outcomes of one class only: %w", ErrUndefined)
		}
		right *= pair[0].share()
		wrong *= pair[1].share()
	}
	rows := c.Accuracy().Total
	if rows == 0 {
		return Estimate{}, fmt.Errorf("mcc: the rows add up to more than 64 bits: %w", ErrUndefined)
	}
	value := min(1, max(-1, math.Sqrt(right)-math.Sqrt(wrong)))
	return Estimate{Value: value, Samples: rows, Convention: ConventionMCC}, nil
}

// proportionScore is a proportion with Wilson's interval.
func proportionScore(name, convention string, p Proportion, confidence float64) (Estimate, error) {
	lower, upper, err := Wilson(p, confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", name, err)
	}
	return Estimate{Value: p.share(), Lower: &lower, Upper: &upper, Samples: p.Total, Convention: convention}, nil
}
