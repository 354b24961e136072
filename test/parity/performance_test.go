//go:build parity

package parity

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// scoredRows are the rows of one classification case, as performance.py reads
// them.
type scoredRows struct {
	name      string
	Score     []float64 `json:"score"`
	Predicted []int     `json:"predicted"`
	Actual    []int     `json:"actual"`
}

func (s *scoredRows) outcomes() []bool {
	actual := make([]bool, len(s.Actual))
	for i, a := range s.Actual {
		actual[i] = a == 1
	}
	return actual
}

func (s *scoredRows) slice(from, to int) scoredRows {
	return scoredRows{s.name, s.Score[from:to], s.Predicted[from:to], s.Actual[from:to]}
}

// generatedScores are overconfident; rounded ones have many ties, and some are
// certain and wrong.
func generatedScores(name string, rows int, digits float64) *scoredRows {
	random := rand.New(rand.NewPCG(2, uint64(rows)))
	s := &scoredRows{name: name}
	number := map[bool]int{true: 1}
	for range rows {
		x := random.NormFloat64()
		score := 1 / (1 + math.Exp(-4*x))
		if digits > 0 {
			score = math.Round(score*digits) / digits
		}
		s.Score = append(s.Score, score)
		s.Predicted = append(s.Predicted, number[score >= 0.5])
		s.Actual = append(s.Actual, number[random.Float64() < 1/(1+math.Exp(-x))])
	}
	return s
}

// california gives the labelled reference and the analysis rows, whose labels
// are realised later, in the order of the files.
func california(t *testing.T) (reference, analysis *scoredRows) {
	whole := func(values []float64) []int {
		out := make([]int, len(values))
		for i, v := range values {
			out[i] = int(v)
		}
		return out
	}
	read := func(file, labels string) *scoredRows {
		return &scoredRows{
			name: "California", Score: shareddata.Numbers(t, file, "y_pred_proba"),
			Predicted: whole(shareddata.Numbers(t, file, "y_pred")), Actual: whole(shareddata.Numbers(t, labels, "clf_target")),
		}
	}
	return read("california_reference.csv", "california_reference.csv"), read("california_analysis.csv", "california_analysis_labels.csv")
}

// chunkSize is how many rows of the California data are estimated together.
const chunkSize = 1000

// performanceValues are what performance.py gives.
type performanceValues struct {
	Cases      []map[string]float64
	Regression map[string]float64
	Calibrator []float64
	California struct {
		NeedsCalibration    bool                  `json:"needs_calibration"`
		Estimated, Realized map[string][]*float64 // null: undefined
	}
}

func TestPerformance(t *testing.T) {
	cases := []*scoredRows{generatedScores("generated, distinct scores", 4000, 0), generatedScores("generated, many ties", 3001, 20)}
	given := map[string]any{"cases": cases}
	predicted, actual := generatedRegression()
	given["regression"] = map[string]any{"predicted": predicted, "actual": actual}
	fit := generatedScores("", 2000, 100)
	at := []float64{0, 0.003, 0.1, 0.25, 0.333, 0.5, 0.505, 0.87, 0.999, 1}
	given["calibrator"] = map[string]any{"score": fit.Score, "actual": fit.Actual, "at": at}
	var labelled, analysis *scoredRows
	t.Run("California", func(t *testing.T) {
		labelled, analysis = california(t)
		given["california"] = map[string]any{"reference": labelled, "analysis": analysis, "chunk_size": chunkSize}
	})
	var theirs performanceValues
	reference(t, "performance.py", given, &theirs)

	for i, s := range cases {
		compareClassification(t, s, theirs.Cases[i])
	}
	compareRegression(t, predicted, actual, theirs.Regression)
	compareCalibrator(t, fit, at, theirs.Calibrator)
	if analysis != nil {
		compareCBPE(t, labelled, analysis, &theirs)
	}
}

func generatedRegression() (predicted, actual []float64) {
	random := rand.New(rand.NewPCG(8, 1))
	for range 5000 {
		a := 1e6 + 3*random.NormFloat64()
		actual = append(actual, a)
		predicted = append(predicted, a+random.NormFloat64())
	}
	return predicted, actual
}

func compareClassification(t *testing.T, s *scoredRows, theirs map[string]float64) {
	var c measure.Confusion
	var loss measure.ProbabilityLoss
	for i, p := range s.Predicted {
		c.Add(p == 1, s.Actual[i] == 1)
		if err := loss.Add(s.Score[i], s.Actual[i] == 1); err != nil {
			t.Fatal(err)
		}
	}
	cells, err := measure.DistinctScores(s.Score, s.outcomes())
	if err != nil {
		t.Fatal(err)
	}
	compare := func(name, library, theirName, note string, e measure.Estimate, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s of %s: %v", name, s.name, err)
			return
		}
		agree(t, name, s.name, e.Value, theirs[theirName], 1e-10, library, note)
	}
	score := func(name string, of func(measure.Confusion, float64) (measure.Estimate, error)) {
		t.Helper()
		e, err := of(c, 0.95)
		compare(name, "scikit-learn", name, "", e, err)
	}
	score("accuracy", measure.AccuracyScore)
	score("precision", measure.Precision)
	score("recall", measure.Recall)
	score("specificity", measure.Specificity)
	score("f1", measure.F1)
	score("mcc", func(c measure.Confusion, _ float64) (measure.Estimate, error) { return measure.MCC(c) })
	e, err := measure.AUC(cells, 0.95)
	compare("auc", "scikit-learn", "auc", "", e, err)
	e, err = loss.LogLossScore(0.95)
	compare("log_loss", "scikit-learn", "log_loss", "", e, err)
	e, err = loss.Brier(0.95)
	compare("brier", "scikit-learn", "brier", "", e, err)
	compareECE(t, s, cells, theirs)
}

// Distinct scores make the same ten bins everywhere. With ties, nannyml cuts
// through equal scores, in the order of the rows; we never split a score.
func compareECE(t *testing.T, s *scoredRows, cells []measure.ScoreCell, theirs map[string]float64) {
	e, err := measure.ECE(cells, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if value, distinct := theirs["ece_sklearn"]; distinct {
		agree(t, "ece", s.name, e.Value, value, 1e-10, "scikit-learn", "")
		agree(t, "ece", s.name, e.Value, theirs["ece_nannyml"], 1e-10, "nannyml", "")
	} else {
		row(t, "ece", s.name, e.Value, theirs["ece_nannyml"], "nannyml", "nannyml cuts bins through equal scores, we do not")
	}
	corrected, err := measure.CorrectedECE(cells, 0.95, 1)
	if err != nil {
		t.Fatal(err)
	}
	row(t, "ece, corrected", s.name, corrected.Value, theirs["ece_nannyml"], "nannyml", "no library takes the chance part off")
}

func compareRegression(t *testing.T, predicted, actual []float64, theirs map[string]float64) {
	var r measure.Residuals
	for i := range predicted {
		if err := r.Add(predicted[i], actual[i]); err != nil {
			t.Fatal(err)
		}
	}
	for name, of := range map[string]func() (measure.Estimate, error){
		"mae":  func() (measure.Estimate, error) { return r.MAE(0.95) },
		"rmse": func() (measure.Estimate, error) { return r.RMSE(0.95) },
		"r2":   r.R2,
	} {
		e, err := of()
		if err != nil {
			t.Fatal(err)
		}
		agree(t, name, "generated, around 10^6", e.Value, theirs[name], 1e-10, "scikit-learn", "")
	}
}

// scikit-learn extends the fit beyond its support, where ours says nothing; all
// points are within.
func compareCalibrator(t *testing.T, fit *scoredRows, at, theirs []float64) {
	c, err := measure.FitCalibrator(fit.Score, fit.outcomes())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range at {
		p, inside := c.Probability(s)
		if !inside {
			t.Errorf("%v is outside the support", s)
		}
		agree(t, "isotonic calibration", "generated, at "+digits(s), p, theirs[i], 1e-12, "scikit-learn", "")
	}
}

// cbpeNames are the estimated measures, and nannyml's names for them.
var cbpeNames = map[string]string{"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1", "auc": "roc_auc"}

// nannyml fits the same calibrator on the same rows where it finds that one is
// needed, and extends it beyond its support; the California scores have two
// digits, so none is outside. Where nothing is predicted positive it estimates a
// precision of 0, where ours is undefined. Beside the estimate stands how far it
// is from what was realised: that is what CBPE's assumption is worth on these
// data.
func compareCBPE(t *testing.T, labelled, analysis *scoredRows, theirs *performanceValues) {
	if !theirs.California.NeedsCalibration {
		t.Fatal("nannyml does not calibrate these scores: there is nothing to compare")
	}
	c, err := measure.FitCalibrator(labelled.Score, labelled.outcomes())
	if err != nil {
		t.Fatal(err)
	}
	worst := map[string]cbpeLine{} // by measure, where the estimate is farthest from the realised value
	farthest := map[string]float64{}
	for from := 0; from < len(analysis.Score); from += chunkSize {
		chunk := analysis.slice(from, min(from+chunkSize, len(analysis.Score)))
		estimated, realised := estimateChunk(t, c, &chunk)
		for name, theirName := range cbpeNames {
			l := cbpeLine{sample: fmt.Sprintf("California, rows %d to %d", from+1, from+len(chunk.Score))}
			value, truth := theirs.California.Estimated[theirName][from/chunkSize], theirs.California.Realized[theirName][from/chunkSize]
			if value == nil {
				t.Errorf("%s of %s: nannyml has no estimate", name, l.sample)
				continue
			}
			l.theirs = *value
			var defined bool
			if l.ours, defined = estimated[name]; !defined {
				if l.ours = math.NaN(); name != "precision" || l.theirs != 0 {
					t.Errorf("estimated %s of %s: ours is undefined, nannyml's is %v", name, l.sample, l.theirs)
				}
				worst["precision of no predictions"] = l
				continue
			}
			if l.realised, defined = realised[name]; defined && math.Abs(l.ours-l.realised) > math.Abs(worst[name].ours-worst[name].realised) {
				worst[name] = l
			}
			farthest[name] = max(farthest[name], math.Abs(l.ours-l.theirs))
			if farthest[name] > cbpeTolerance {
				t.Errorf("estimated %s of %s: ours %v, nannyml %v", name, l.sample, l.ours, l.theirs)
			}
			if truth != nil && !(math.Abs(realised[name]-*truth) <= 1e-12) {
				t.Errorf("realised %s of %s: ours %v, nannyml %v", name, l.sample, realised[name], *truth)
			}
		}
	}
	for name := range cbpeNames {
		l := worst[name]
		agree(t, name+", estimated (CBPE)", l.sample, l.ours, l.theirs, cbpeTolerance, "nannyml",
			fmt.Sprintf("realised: %s; nowhere on these data more than %.1g from nannyml's estimate", digits(l.realised), farthest[name]))
	}
	if l, ok := worst["precision of no predictions"]; ok {
		row(t, "precision, estimated (CBPE)", l.sample, l.ours, l.theirs, "nannyml", "nothing is predicted positive: undefined, nannyml says 0")
	}
}

// cbpeTolerance is above what rounding does: nannyml rounds the running counts
// behind its area under the curve to five digits.
const cbpeTolerance = 1e-6

// cbpeLine is one estimate beside nannyml's and what was realised.
type cbpeLine struct {
	sample                 string
	ours, theirs, realised float64
}

// estimateChunk gives the measures that are defined.
func estimateChunk(t *testing.T, c *measure.Calibrator, rows *scoredRows) (estimated, realised map[string]float64) {
	var p measure.ExpectedPerformance
	var truth measure.Confusion
	for i, s := range rows.Score {
		if err := p.Add(c, s, rows.Predicted[i] == 1); err != nil {
			t.Fatal(err)
		}
		truth.Add(rows.Predicted[i] == 1, rows.Actual[i] == 1)
	}
	cells, err := measure.DistinctScores(rows.Score, rows.outcomes())
	if err != nil {
		t.Fatal(err)
	}
	estimated, realised = map[string]float64{}, map[string]float64{}
	put := func(into map[string]float64, name string, e measure.Estimate, err error) {
		if err == nil {
			into[name] = e.Value
		} else if !errors.Is(err, measure.ErrUndefined) {
			t.Fatal(err)
		}
	}
	for name, of := range map[string]func() (measure.Estimate, error){
		"accuracy": p.Accuracy, "precision": p.Precision, "recall": p.Recall, "f1": p.F1, "auc": p.AUC,
	} {
		e, err := of()
		put(estimated, name, e, err)
	}
	for name, of := range map[string]func(measure.Confusion, float64) (measure.Estimate, error){
		"accuracy": measure.AccuracyScore, "precision": measure.Precision, "recall": measure.Recall, "f1": measure.F1,
	} {
		e, err := of(truth, 0.95)
		put(realised, name, e, err)
	}
	e, err := measure.AUC(cells, 0.95)
	put(realised, "auc", e, err)
	return estimated, realised
}
