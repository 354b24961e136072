package measure_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func TestECEByHand(t *testing.T) {
	cells := []measure.ScoreCell{
		{Rows: 50, Positives: 10, Scores: 5}, // 0.2 where 0.1 was said
		{Rows: 50, Positives: 40, Scores: 45},
	}
	e, err := measure.ECE(cells, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ece", e.Value, 0.1, 1e-15)
	low1, high1, _ := measure.Wilson(measure.Proportion{Favourable: 10, Total: 50}, 0.975)
	low2, high2, _ := measure.Wilson(measure.Proportion{Favourable: 40, Total: 50}, 0.975)
	near(t, "upper", *e.Upper, (max(high1-0.1, 0.1-low1)+max(0.9-low2, high2-0.9))/2, 1e-14)
	near(t, "lower", *e.Lower, (max(0, low1-0.1)+max(0, 0.9-high2))/2, 1e-14)
	if e.Samples != 100 {
		t.Errorf("%d samples", e.Samples)
	}
}

// Bins have the mass of a tenth each where the cells are fine enough.
func TestECEBinsHaveEqualMass(t *testing.T) {
	scores, actual := make([]float64, 1000), make([]bool, 1000)
	random := rand.New(rand.NewPCG(3, 1))
	for i := range scores {
		scores[i] = (float64(i) + 0.5) / 1000
		actual[i] = random.Float64() < scores[i]*scores[i]
	}
	cells, err := measure.DistinctScores(scores, actual)
	if err != nil {
		t.Fatal(err)
	}
	var want float64
	for start := 0; start < 1000; start += 100 {
		var distance float64
		for i := start; i < start+100; i++ {
			distance -= scores[i]
			if actual[i] {
				distance++
			}
		}
		want += math.Abs(distance) / 1000
	}
	e, err := measure.ECE(cells, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ece", e.Value, want, 1e-12)
}

// meanDistance is E|X - np| of a binomial X, in De Moivre's closed form.
func meanDistance(n uint64, p float64) float64 {
	m := math.Floor(float64(n)*p) + 1
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(m + 1)
	c, _ := math.Lgamma(float64(n) - m + 1)
	return 2 * m * math.Exp(a-b-c+m*math.Log(p)+(float64(n)-m+1)*math.Log(1-p))
}

// What is taken off is the mean error of a calibrated model: the closed form
// where a bin is a cell, for rare, common and certain outcomes and for counts
// that are drawn one way and the other.
func TestCorrectionIsTheMeanOfACalibratedModel(t *testing.T) {
	for _, rows := range []uint64{20, 200, 5000, 1_000_000} {
		var cells []measure.ScoreCell
		var want float64
		for _, p := range []float64{0.004, 0.1, 0.3, 0.5, 0.8, 0.99} {
			// Two standard errors off: more than is taken off, less than a limit of 0 needs.
			off := 2 * math.Sqrt(float64(rows)*p*(1-p)) * (1 - 2*math.Floor(2*p))
			cells = append(cells, measure.ScoreCell{Rows: rows, Positives: uint64(math.Round(p*float64(rows) + off)), Scores: p * float64(rows)})
			want += meanDistance(rows, p) / float64(6*rows)
		}
		plain, err := measure.ECE(cells, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		corrected, err := measure.CorrectedECE(cells, 0.95, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := plain.Value - corrected.Value; math.Abs(got/want-1) > 0.1 {
			t.Errorf("%d rows a cell: %v is taken off, expected %v", rows, got, want)
		}
	}
}

// A calibrated model has a plain error well above 0, a corrected one near 0.
func TestCorrectedECEOfACalibratedModel(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	var plain, corrected float64
	const rounds = 100
	for round := range rounds {
		scores, actual := make([]float64, 300), make([]bool, 300)
		for i := range scores {
			scores[i] = random.Float64()
			actual[i] = random.Float64() < scores[i]
		}
		cells, err := measure.DistinctScores(scores, actual)
		if err != nil {
			t.Fatal(err)
		}
		p, errP := measure.ECE(cells, 0.95)
		c, errC := measure.CorrectedECE(cells, 0.95, uint64(round))
		if errP != nil || errC != nil {
			t.Fatal(errP, errC)
		}
		if *p.Lower > 0 && *c.Lower != *p.Lower {
			t.Errorf("other limits: %v, %v", *p.Lower, *c.Lower)
		}
		plain += p.Value / rounds
		corrected += c.Value / rounds
	}
	if plain < 0.04 || corrected > 0.01 {
		t.Errorf("plain %v, corrected %v", plain, corrected)
	}
}

func TestECELaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells, err := measure.DistinctScores(scored(t))
		if err != nil {
			t.Fatal(err)
		}
		seed := rapid.Uint64().Draw(t, "seed")
		plain, err := measure.ECE(cells, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		e, err := measure.CorrectedECE(cells, 0.95, seed)
		if err != nil {
			t.Fatal(err)
		}
		if !(0 <= *e.Lower && *e.Lower <= e.Value && e.Value <= plain.Value && plain.Value <= *e.Upper && *e.Upper <= 1) {
			t.Fatalf("%v, corrected %v, in [%v, %v]", plain.Value, e.Value, *e.Lower, *e.Upper)
		}
		again, err := measure.CorrectedECE(cells, 0.95, seed)
		if err != nil || again.Value != e.Value {
			t.Fatalf("the same seed gives %v and %v, %v", e.Value, again.Value, err)
		}
	})
}

func FuzzScoreCells(f *testing.F) {
	f.Add(uint64(3), uint64(1), 1.0, uint64(4), uint64(4), 3.5, 0.95)
	f.Add(uint64(math.MaxUint64), uint64(1), 1.0, uint64(0), uint64(0), 0.0, 0.95)
	f.Add(uint64(1<<60), uint64(1<<59), float64(1<<59), uint64(1<<62), uint64(7), float64(1<<62), 0.5)
	f.Add(uint64(2), uint64(1), math.NaN(), uint64(1), uint64(0), math.Inf(1), 0.95)
	f.Fuzz(func(t *testing.T, n1, p1 uint64, s1 float64, n2, p2 uint64, s2, confidence float64) {
		cells := []measure.ScoreCell{{Rows: n1, Positives: p1, Scores: s1}, {Rows: n2, Positives: p2, Scores: s2}}
		e, err := measure.AUC(cells, confidence)
		sound(t, "auc", e, err)
		e, err = measure.BinnedAUC(cells, confidence)
		sound(t, "binned auc", e, err)
		e, err = measure.CorrectedECE(cells, confidence, n1)
		sound(t, "ece", e, err)
		if _, _, err := measure.AUCBounds(cells); err != nil && !errors.Is(err, measure.ErrUndefined) {
			t.Fatal(err)
		}
	})
}
