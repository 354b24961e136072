package measure_test

import (
	"errors"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

func TestEvaluationMean(t *testing.T) {
	var m measure.Moments
	if _, err := measure.EvaluationMean(m, .95); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("no scores: %v", err)
	}
	m.Add(4)
	if e, err := measure.EvaluationMean(m, .95); err != nil || e.Value != 4 || e.Samples != 1 || e.Lower != nil || e.Upper != nil {
		t.Errorf("one score: %+v, %v", e, err)
	}
	for _, x := range []float64{1, 2, 3} {
		m.Add(x)
	}
	e, err := measure.EvaluationMean(m, .95)
	if err != nil || e.Samples != 4 || e.Convention != "evaluation_mean/student@1" {
		t.Fatalf("%+v, %v", e, err)
	}
	near(t, "mean", e.Value, 2.5, 0)
	// t(0.975, 3) = 3.182446305; the deviation of 1, 2, 3, 4 is sqrt(5/3).
	near(t, "lower", *e.Lower, 2.5-3.182446305*0.6454972244, 1e-8)
	near(t, "upper", *e.Upper, 2.5+3.182446305*0.6454972244, 1e-8)
	if _, err := measure.EvaluationMean(m, 1); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("confidence 1: %v", err)
	}
}

func TestEvaluationShare(t *testing.T) {
	e, err := measure.EvaluationShare(measure.Proportion{Favourable: 3, Total: 4}, .95)
	if err != nil || e.Value != .75 || e.Samples != 4 || !(*e.Lower > .3 && *e.Upper < 1) {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := measure.EvaluationShare(measure.Proportion{}, .95); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("%v", err)
	}
}
