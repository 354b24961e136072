package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// The isotonic fit at a score is the greatest, over starts at or below it, of
// the least mean, over ends at or above it.
func TestCalibratorIsTheIsotonicRegression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, actual := scored(t)
		c, err := measure.FitCalibrator(scores, actual)
		if !slices.Contains(actual, true) || !slices.Contains(actual, false) {
			if !errors.Is(err, measure.ErrUndefined) {
				t.Fatalf("one class: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, s := range scores {
			want := 0.0
			for _, from := range scores {
				if from > s {
					continue
				}
				least := 1.0
				for _, to := range scores {
					if to < s {
						continue
					}
					var n, positives float64
					for i, x := range scores {
						if from <= x && x <= to {
							n++
							if actual[i] {
								positives++
							}
						}
					}
					least = min(least, positives/n)
				}
				want = max(want, least)
			}
			if got, inside := c.Probability(s); !inside || math.Abs(got-want) > 1e-12 {
				t.Fatalf("at %v: %v, %v, want %v", s, got, inside, want)
			}
		}
		probabilitiesAscend(t, c)
	})
}

func probabilitiesAscend(t *rapid.T, c *measure.Calibrator) {
	low, high := c.Scores[0], c.Scores[len(c.Scores)-1]
	last := 0.0
	for i := range 101 {
		s := min(high, low+(high-low)*float64(i)/100)
		p, inside := c.Probability(s)
		if !inside || p < last || p > 1 {
			t.Fatalf("at %v: %v, %v, after %v", s, p, inside, last)
		}
		last = p
	}
	for _, s := range []float64{math.Nextafter(low, -1), math.Nextafter(high, 2), math.NaN(), math.Inf(1)} {
		if p, inside := c.Probability(s); inside {
			t.Fatalf("at %v, outside the support: %v", s, p)
		}
	}
}

func TestCalibratorThroughJSON(t *testing.T) {
	c, err := measure.FitCalibrator([]float64{0.1, 0.4, 0.35, 0.8, 0.9}, []bool{false, true, false, false, true})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"scores":[0.1,0.35,0.4,0.8,0.9],"probabilities":[0,0,0.5,0.5,1],"rows":5}`; string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
	var back measure.Calibrator
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(&back, c) {
		t.Errorf("back %+v, %v", back, err)
	}
}

func TestCalibratorIsNotFittedToWhatIsNoReference(t *testing.T) {
	for what, err := range map[string]error{
		"no rows":           errorOf(measure.FitCalibrator(nil, nil)),
		"one class":         errorOf(measure.FitCalibrator([]float64{0, 1}, []bool{true, true})),
		"different lengths": errorOf(measure.FitCalibrator([]float64{0, 1}, []bool{true})),
		"NaN":               errorOf(measure.FitCalibrator([]float64{0, math.NaN()}, []bool{true, false})),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestCalibratorValidate(t *testing.T) {
	for what, c := range map[string]measure.Calibrator{
		"empty":              {},
		"different lengths":  {Scores: []float64{1}, Probabilities: []float64{0, 1}},
		"scores descend":     {Scores: []float64{1, 0}, Probabilities: []float64{0, 1}},
		"score NaN":          {Scores: []float64{math.NaN()}, Probabilities: []float64{0}},
		"chances descend":    {Scores: []float64{0, 1}, Probabilities: []float64{1, 0}},
		"chance NaN":         {Scores: []float64{0}, Probabilities: []float64{math.NaN()}},
		"no probability":     {Scores: []float64{0}, Probabilities: []float64{1.5}},
		"score is too large": {Scores: []float64{0, 1e300}, Probabilities: []float64{0, 1}},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

var steps = &measure.Calibrator{Scores: []float64{0, 0.4, 0.6, 1}, Probabilities: []float64{0.1, 0.1, 0.7, 0.7}}

func expected(t *testing.T, scores ...float64) *measure.ExpectedPerformance {
	t.Helper()
	p := &measure.ExpectedPerformance{}
	for _, s := range scores {
		if err := p.Add(steps, s, s >= 0.5); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestExpectedPerformanceByHand(t *testing.T) {
	p := expected(t, 0.1, 0.3, 0.5, 0.9) // probabilities 0.1, 0.1, 0.4, 0.7; the last two are predicted
	// The first two share a cell: one pair in two is in order.
	inOrder := 0.5*0.2*1.8 + 0.4*1.8 + 0.5*0.4*0.6 + 0.7*(1.8+0.6) + 0.5*0.7*0.3
	for name, m := range map[string]struct {
		of   func() (measure.Estimate, error)
		want float64
	}{
		"accuracy":  {p.Accuracy, (0.9 + 0.9 + 0.4 + 0.7) / 4},
		"precision": {p.Precision, 1.1 / 2},
		"recall":    {p.Recall, 1.1 / 1.3},
		"f1":        {p.F1, 2.2 / (2.2 + 0.9 + 0.2)},
		"auc":       {p.AUC, inOrder / (1.3 * 2.7)},
	} {
		e, err := m.of()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		near(t, name, e.Value, m.want, 1e-14)
		if e.Samples != 4 || e.Lower != nil || e.Upper != nil {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestExpectedPerformanceIsUndefined(t *testing.T) {
	p := expected(t, slices.Repeat([]float64{0.2, 0.8}, 99)...)
	for i := range 3 {
		if _, err := p.Accuracy(); err != nil {
			t.Fatalf("%d of 198 outside: %v", i, err)
		}
		if err := p.Add(steps, 1.5, true); err != nil {
			t.Fatal(err)
		}
	}
	if p.Outside != 3 || p.Rows != 198 {
		t.Errorf("%d inside, %d outside", p.Rows, p.Outside)
	}
	never := expected(t, 0.1)
	for what, err := range map[string]error{
		"more than 1% outside":             errorOf(p.Accuracy()),
		"auc, more than 1% outside":        errorOf(p.AUC()),
		"no rows":                          errorOf(expected(t).Accuracy()),
		"auc, no rows":                     errorOf(expected(t).AUC()),
		"precision, nothing predicted":     errorOf(never.Precision()),
		"NaN":                              p.Add(steps, math.NaN(), true),
		"another calibrator":               p.Add(&measure.Calibrator{Scores: []float64{0}, Probabilities: []float64{0}}, 0, true),
		"merge under another calibrator":   p.Merge(measure.ExpectedPerformance{Positives: []float64{1}, Negatives: []float64{1}}),
		"merge with cells of no negatives": p.Merge(measure.ExpectedPerformance{Positives: []float64{1}}),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestMergedExpectationsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "scores")
		cut := rapid.IntRange(0, len(scores)).Draw(t, "cut")
		var whole, first, other measure.ExpectedPerformance
		for i, s := range scores {
			part := &first
			if i >= cut {
				part = &other
			}
			if err := errors.Join(whole.Add(steps, s, s > 0.3), part.Add(steps, s, s > 0.3)); err != nil {
				t.Fatal(err)
			}
		}
		if err := first.Merge(other); err != nil {
			t.Fatal(err)
		}
		for name, pair := range map[string][2]func() (measure.Estimate, error){
			"accuracy": {whole.Accuracy, first.Accuracy}, "precision": {whole.Precision, first.Precision},
			"recall": {whole.Recall, first.Recall}, "f1": {whole.F1, first.F1}, "auc": {whole.AUC, first.AUC},
		} {
			a, errA := pair[0]()
			b, errB := pair[1]()
			if (errA == nil) != (errB == nil) || !close(a.Value, b.Value) || a.Samples != b.Samples {
				t.Fatalf("%s: whole %+v, %v; merged %+v, %v", name, a, errA, b, errB)
			}
			if errA == nil && !(a.Value >= 0 && a.Value <= 1) {
				t.Fatalf("%s: %v", name, a.Value)
			}
		}
	})
}

// Where nothing has drifted but the inputs, the estimate meets what is realised.
func TestExpectedPerformanceMeetsTheRealised(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 2))
	sample := func(n int, shift float64) (scores []float64, actual []bool) {
		for range n {
			x := random.NormFloat64() + shift
			scores = append(scores, 1/(1+math.Exp(-3*x))) // overconfident
			actual = append(actual, random.Float64() < 1/(1+math.Exp(-x)))
		}
		return scores, actual
	}
	c, err := measure.FitCalibrator(sample(50_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	scores, actual := sample(50_000, 0.5)
	var p measure.ExpectedPerformance
	var realised measure.Confusion
	for i, s := range scores {
		if err := p.Add(c, s, s >= 0.5); err != nil {
			t.Fatal(err)
		}
		realised.Add(s >= 0.5, actual[i])
	}
	cells, err := measure.DistinctScores(scores, actual)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]func() (measure.Estimate, error){
		"accuracy": {p.Accuracy, func() (measure.Estimate, error) { return measure.AccuracyScore(realised, 0.95) }},
		"recall":   {p.Recall, func() (measure.Estimate, error) { return measure.Recall(realised, 0.95) }},
		"f1":       {p.F1, func() (measure.Estimate, error) { return measure.F1(realised, 0.95) }},
		"auc":      {p.AUC, func() (measure.Estimate, error) { return measure.AUC(cells, 0.95) }},
	} {
		estimated, errE := pair[0]()
		truth, errT := pair[1]()
		if errE != nil || errT != nil {
			t.Fatal(name, errE, errT)
		}
		near(t, name, estimated.Value, truth.Value, 0.01)
	}
}

func FuzzCalibrator(f *testing.F) {
	f.Add(`{"scores":[0,1],"probabilities":[0.25,0.75],"rows":7}`, 0.5)
	f.Add(`{"scores":[0,0],"probabilities":[0,1]}`, 0.0)
	f.Add(`{"scores":[-1e140,1e140],"probabilities":[0,1]}`, 1e139)
	f.Fuzz(func(t *testing.T, text string, score float64) {
		var c measure.Calibrator
		if json.Unmarshal([]byte(text), &c) != nil || c.Validate() != nil {
			return
		}
		p, inside := c.Probability(score)
		if inside != (c.Scores[0] <= score && score <= c.Scores[len(c.Scores)-1]) || !(p >= 0 && p <= 1) {
			t.Fatalf("%v at %v, %v", p, score, inside)
		}
		var e measure.ExpectedPerformance
		if err := e.Add(&c, score, true); err != nil && !errors.Is(err, measure.ErrUndefined) {
			t.Fatal(err)
		}
		estimate, err := e.AUC()
		sound(t, "auc", estimate, err)
	})
}
