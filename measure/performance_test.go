package measure_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func TestClassificationByHand(t *testing.T) {
	c := measure.Confusion{TruePositive: 40, FalseNegative: 10, FalsePositive: 20, TrueNegative: 130}
	mcc := (40*130 - 20*10) / math.Sqrt(60*50*150*140)
	for name, m := range map[string]struct {
		of   func(measure.Confusion, float64) (measure.Estimate, error)
		want float64
		rows uint64
	}{
		"accuracy":    {measure.AccuracyScore, 0.85, 200},
		"precision":   {measure.Precision, 2.0 / 3, 60},
		"recall":      {measure.Recall, 0.8, 50},
		"specificity": {measure.Specificity, 130.0 / 150, 150},
		"f1":          {measure.F1, 80.0 / 110, 70},
		"mcc":         {func(c measure.Confusion, _ float64) (measure.Estimate, error) { return measure.MCC(c) }, mcc, 200},
	} {
		e, err := m.of(c, 0.95)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		near(t, name, e.Value, m.want, 1e-14)
		if e.Samples != m.rows {
			t.Errorf("%s: %d samples, want %d", name, e.Samples, m.rows)
		}
		if name != "mcc" && !(*e.Lower < e.Value && e.Value < *e.Upper) {
			t.Errorf("%s: %v in [%v, %v]", name, e.Value, *e.Lower, *e.Upper)
		}
	}
	never := measure.Confusion{TrueNegative: 5, FalseNegative: 2}
	for name, err := range map[string]error{
		"precision, nothing predicted positive": errorOf(measure.Precision(never, 0.95)),
		"mcc, nothing predicted positive":       errorOf(measure.MCC(never)),
		"recall, nothing positive":              errorOf(measure.Recall(measure.Confusion{TrueNegative: 5}, 0.95)),
		"specificity, nothing negative":         errorOf(measure.Specificity(measure.Confusion{TruePositive: 5}, 0.95)),
		"f1, nothing positive at all":           errorOf(measure.F1(measure.Confusion{TrueNegative: 5}, 0.95)),
		"accuracy, no rows":                     errorOf(measure.AccuracyScore(measure.Confusion{}, 0.95)),
		"accuracy, confidence of 1":             errorOf(measure.AccuracyScore(c, 1)),
		"mcc, too many rows":                    errorOf(measure.MCC(measure.Confusion{TruePositive: 1 << 63, TrueNegative: 1 << 63, FalseNegative: 1})),
		"auc, confidence NaN":                   errorOf(measure.AUC([]measure.ScoreCell{{Rows: 2, Positives: 1}}, math.NaN())),
		"ece, confidence NaN":                   errorOf(measure.ECE([]measure.ScoreCell{{Rows: 2, Positives: 1}}, math.NaN())),
		"mae, confidence of 0":                  errorOf(measure.Residuals{Rows: 2}.MAE(0)),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestMCCLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := confusions(t, "c")
		e, err := measure.MCC(c)
		if err != nil {
			return
		}
		tp, fp, tn, fn := float64(c.TruePositive), float64(c.FalsePositive), float64(c.TrueNegative), float64(c.FalseNegative)
		textbook := (tp*tn - fp*fn) / math.Sqrt((tp+fp)*(tp+fn)*(tn+fp)*(tn+fn))
		if math.Abs(e.Value-textbook) > 1e-9 {
			t.Fatalf("%v, by the formula %v", e.Value, textbook)
		}
		turned, err := measure.MCC(measure.Confusion{TruePositive: c.FalseNegative, FalseNegative: c.TruePositive, FalsePositive: c.TrueNegative, TrueNegative: c.FalsePositive})
		if err != nil || math.Abs(turned.Value+e.Value) > 1e-12 {
			t.Fatalf("%v, with the predictions turned %v, %v", e.Value, turned.Value, err)
		}
	})
}

// scored draws scores, with ties, and outcomes.
func scored(t *rapid.T) (scores []float64, actual []bool) {
	n := rapid.IntRange(1, 60).Draw(t, "rows")
	for range n {
		scores = append(scores, float64(rapid.IntRange(0, 20).Draw(t, "score"))/20)
		actual = append(actual, rapid.Bool().Draw(t, "actual"))
	}
	return scores, actual
}

// AUC is the share of pairs in order, and the binned area's bounds hold it
// however the axis is cut.
func TestAUCIsTheShareOfPairsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, actual := scored(t)
		cells, err := measure.DistinctScores(scores, actual)
		if err != nil {
			t.Fatal(err)
		}
		e, err := measure.AUC(cells, 0.95)
		var ordered, pairs float64
		for i := range scores {
			for j := range scores {
				if !actual[i] || actual[j] {
					continue
				}
				pairs++
				if scores[i] > scores[j] {
					ordered++
				} else if scores[i] == scores[j] {
					ordered += 0.5
				}
			}
		}
		if pairs == 0 {
			if !errors.Is(err, measure.ErrUndefined) {
				t.Fatalf("one class: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !close(e.Value, ordered/pairs) || !(0 <= *e.Lower && *e.Lower <= e.Value && e.Value <= *e.Upper && *e.Upper <= 1) {
			t.Fatalf("%+v [%v, %v], of %v pairs %v are in order", e, *e.Lower, *e.Upper, pairs, ordered)
		}
		var coarse []measure.ScoreCell
		for start := 0; start < len(cells); {
			end := min(len(cells), start+rapid.IntRange(1, 6).Draw(t, "cells"))
			coarse = append(coarse, joined(cells[start:end]))
			start = end
		}
		least, greatest, err := measure.AUCBounds(coarse)
		if err != nil || !(least <= e.Value+1e-12 && e.Value <= greatest+1e-12) {
			t.Fatalf("%v is not in [%v, %v], %v", e.Value, least, greatest, err)
		}
		binned, err := measure.BinnedAUC(coarse, 0.95)
		if err != nil || !(*binned.Lower <= least && greatest <= *binned.Upper) {
			t.Fatalf("[%v, %v] does not hold the bounds [%v, %v], %v", *binned.Lower, *binned.Upper, least, greatest, err)
		}
	})
}

func joined(cells []measure.ScoreCell) measure.ScoreCell {
	var out measure.ScoreCell
	for _, c := range cells {
		out.Rows += c.Rows
		out.Positives += c.Positives
		out.Scores += c.Scores
	}
	return out
}

// binnedScores counts scores in a grid of ten cells.
func binnedScores(scores []float64, actual []bool) []measure.ScoreCell {
	grid := measure.Grid{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}
	cells := make([]measure.ScoreCell, len(grid)+1)
	for i, s := range scores {
		c := &cells[grid.Index(s)]
		c.Rows++
		c.Scores += s
		if actual[i] {
			c.Positives++
		}
	}
	return cells
}

func TestMergedScoreCellsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, actual := scored(t)
		cut := rapid.IntRange(0, len(scores)).Draw(t, "cut")
		whole, parts := binnedScores(scores, actual), binnedScores(scores[:cut], actual[:cut])
		if err := measure.MergeScoreCells(parts, binnedScores(scores[cut:], actual[cut:])); err != nil {
			t.Fatal(err)
		}
		a, errA := measure.BinnedAUC(whole, 0.95)
		b, errB := measure.BinnedAUC(parts, 0.95)
		if (errA == nil) != (errB == nil) || a.Value != b.Value {
			t.Fatalf("auc: whole %v, %v; merged %v, %v", a.Value, errA, b.Value, errB)
		}
		a, errA = measure.ECE(whole, 0.95)
		b, errB = measure.ECE(parts, 0.95)
		if errA != nil || errB != nil || !close(a.Value, b.Value) {
			t.Fatalf("ece: whole %v, %v; merged %v, %v", a.Value, errA, b.Value, errB)
		}
	})
}

func TestScoreCellsThatDoNotMerge(t *testing.T) {
	into := []measure.ScoreCell{{Rows: 1, Positives: 1, Scores: 1}, {Rows: math.MaxUint64}}
	for what, from := range map[string][]measure.ScoreCell{
		"another number": {{Rows: 1}},
		"beyond 64 bits": {{Rows: 1}, {Rows: 1}},
	} {
		if err := measure.MergeScoreCells(into, from); !errors.Is(err, measure.ErrUndefined) || into[0].Rows != 1 {
			t.Errorf("%s: %v, %+v", what, err, into)
		}
	}
}

// The limits are where the data just do not reject.
func TestAUCLimitsSolveTheirEquation(t *testing.T) {
	cells := []measure.ScoreCell{{Rows: 30, Positives: 5, Scores: 3}, {Rows: 30, Positives: 20, Scores: 20}}
	e, err := measure.AUC(cells, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	const m, n = 25.0, 35.0
	for _, limit := range []float64{*e.Lower, *e.Upper} {
		k := (m+n)/2 - 1
		v := limit * (1 - limit) * (1 + k*(1-limit)/(2-limit) + k*limit/(1+limit)) / (m * n)
		near(t, "distance in standard errors", math.Abs(e.Value-limit)/math.Sqrt(v), 1.959963984540054, 1e-9)
	}
	perfect, err := measure.AUC([]measure.ScoreCell{{Rows: 20}, {Rows: 20, Positives: 20, Scores: 20}}, 0.95)
	if err != nil || perfect.Value != 1 || *perfect.Upper != 1 || !(*perfect.Lower > 0.8 && *perfect.Lower < 0.98) {
		t.Errorf("perfect order: %+v, %v", perfect, err)
	}
}

func TestScoreCellsAreChecked(t *testing.T) {
	for what, cells := range map[string][]measure.ScoreCell{
		"more positives than rows": {{Rows: 1, Positives: 2, Scores: 1}},
		"out of order":             {{Rows: 2, Positives: 1, Scores: 2}, {Rows: 2, Positives: 1, Scores: 1}},
		"scores without rows":      {{Scores: 1}, {Rows: 2, Positives: 1, Scores: 2}},
		"NaN":                      {{Rows: 2, Positives: 1, Scores: math.NaN()}},
		"no rows":                  {},
		"too many rows":            {{Rows: math.MaxUint64, Positives: 1}, {Rows: math.MaxUint64}},
	} {
		if _, err := measure.BinnedAUC(cells, 0.95); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("auc, %s: %v", what, err)
		}
		if _, err := measure.CorrectedECE(cells, 0.95, 1); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("ece, %s: %v", what, err)
		}
	}
	if _, err := measure.ECE([]measure.ScoreCell{{Rows: 2, Positives: 1, Scores: 3}}, 0.95); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("a score of 1.5 is a probability: %v", err)
	}
	for what, err := range map[string]error{
		"NaN":               errorOf(measure.DistinctScores([]float64{math.NaN()}, []bool{true})),
		"infinite":          errorOf(measure.DistinctScores([]float64{math.Inf(1)}, []bool{true})),
		"different lengths": errorOf(measure.DistinctScores([]float64{1}, nil)),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("scores, %s: %v", what, err)
		}
	}
}

func TestLossesByHand(t *testing.T) {
	var l measure.ProbabilityLoss
	for _, r := range []struct {
		p      float64
		actual bool
	}{{0.9, true}, {0.2, false}, {0, true}} {
		if err := l.Add(r.p, r.actual); err != nil {
			t.Fatal(err)
		}
	}
	e, err := l.LogLossScore(0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log loss", e.Value, (-math.Log(0.9)-math.Log(0.8)+52*math.Ln2)/3, 1e-12)
	if e, err = l.Brier(0.95); err != nil {
		t.Fatal(err)
	}
	near(t, "brier", e.Value, (0.01+0.04+1)/3, 1e-15)
	if !(0 <= *e.Lower && *e.Lower < e.Value && e.Value < *e.Upper && *e.Upper <= 1) {
		t.Errorf("brier in [%v, %v]", *e.Lower, *e.Upper)
	}
	before := l
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		if err := l.Add(p, true); !errors.Is(err, measure.ErrUndefined) || l != before {
			t.Errorf("%v: %v", p, err)
		}
	}
	var none measure.ProbabilityLoss
	if _, err := none.Brier(0.95); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("no rows: %v", err)
	}
}

func TestMergedLossesAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "rows")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		var wholeLoss, firstLoss, secondLoss measure.ProbabilityLoss
		var whole, first, other measure.Residuals
		value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64Range(1e6, 1e6+10))
		var predicted, actual []float64
		for i := range n {
			p, y := rapid.Float64Range(0, 1).Draw(t, "p"), rapid.Bool().Draw(t, "y")
			f, a := value.Draw(t, "predicted"), value.Draw(t, "actual")
			predicted, actual = append(predicted, f), append(actual, a)
			loss, residuals := &firstLoss, &first
			if i >= cut {
				loss, residuals = &secondLoss, &other
			}
			for _, err := range []error{wholeLoss.Add(p, y), loss.Add(p, y), whole.Add(f, a), residuals.Add(f, a)} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		firstLoss.Merge(secondLoss)
		first.Merge(other)
		for name, pair := range map[string][2]func() (measure.Estimate, error){
			"log loss": {func() (measure.Estimate, error) { return wholeLoss.LogLossScore(0.95) }, func() (measure.Estimate, error) { return firstLoss.LogLossScore(0.95) }},
			"brier":    {func() (measure.Estimate, error) { return wholeLoss.Brier(0.95) }, func() (measure.Estimate, error) { return firstLoss.Brier(0.95) }},
			"mae":      {func() (measure.Estimate, error) { return whole.MAE(0.95) }, func() (measure.Estimate, error) { return first.MAE(0.95) }},
			"rmse":     {func() (measure.Estimate, error) { return whole.RMSE(0.95) }, func() (measure.Estimate, error) { return first.RMSE(0.95) }},
			"r2":       {whole.R2, first.R2},
		} {
			a, errA := pair[0]()
			b, errB := pair[1]()
			if name == "r2" && whole.ActualSpread < 0.01 {
				continue // all but constant: a ratio of rounding errors
			}
			if (errA == nil) != (errB == nil) || errA == nil && (math.Abs(a.Value-b.Value) > 1e-6*(1+math.Abs(b.Value)) || a.Samples != b.Samples) {
				t.Fatalf("%s: whole %+v, %v; merged %+v, %v", name, a, errA, b, errB)
			}
		}
		naive(t, whole, predicted, actual)
	})
}

// naive compares with sums over the rows in two passes.
func naive(t *rapid.T, r measure.Residuals, predicted, actual []float64) {
	n := float64(len(actual))
	var mean, absolute, squared, spread float64
	for _, a := range actual {
		mean += a / n
	}
	for i, a := range actual {
		absolute += math.Abs(predicted[i]-a) / n
		squared += (predicted[i] - a) * (predicted[i] - a)
		spread += (a - mean) * (a - mean)
	}
	mae, errMAE := r.MAE(0.95)
	rmse, errRMSE := r.RMSE(0.95)
	if errMAE != nil || errRMSE != nil || !close(mae.Value, absolute) || !close(rmse.Value, math.Sqrt(squared/n)) {
		t.Fatalf("mae %v for %v, rmse %v for %v", mae.Value, absolute, rmse.Value, math.Sqrt(squared/n))
	}
	if r2, err := r.R2(); err == nil && spread > 0.01 && math.Abs(r2.Value-(1-squared/spread)) > 1e-5*(1+squared/spread) {
		t.Fatalf("r2 %v for %v", r2.Value, 1-squared/spread)
	}
}

// Constant actual values have no variance, also where sums of squares would make
// one up.
func TestR2OfAConstantIsUndefined(t *testing.T) {
	var r measure.Residuals
	for i := range 1000 {
		if err := r.Add(float64(i), 1e9+0.1); err != nil {
			t.Fatal(err)
		}
	}
	if e, err := r.R2(); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("%+v, %v", e, err)
	}
}

func FuzzResiduals(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 4.0, 0.95)
	f.Add(1e140, -1e140, 1e140, 1e-300, 0.5)
	f.Add(math.NaN(), 0.0, 0.0, math.Inf(1), math.NaN())
	f.Fuzz(func(t *testing.T, p1, a1, p2, a2, confidence float64) {
		var r measure.Residuals
		var l measure.ProbabilityLoss
		for _, err := range []error{r.Add(p1, a1), r.Add(p2, a2), l.Add(p1, a1 > 0), l.Add(p2, a2 > 0)} {
			if err != nil && !errors.Is(err, measure.ErrUndefined) {
				t.Fatal(err)
			}
		}
		for name, score := range map[string]func(float64) (measure.Estimate, error){
			"mae": r.MAE, "rmse": r.RMSE, "r2": func(float64) (measure.Estimate, error) { return r.R2() },
			"log loss": l.LogLossScore, "brier": l.Brier,
		} {
			e, err := score(confidence)
			sound(t, name, e, err)
		}
	})
}
