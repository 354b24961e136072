package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Conventions of the expected calibration error.
const (
	ConventionECE          = "ece/equal_mass10@1"
	ConventionECECorrected = "ece/equal_mass10_corrected@1"
)

// calibrationBins is how many bins of equal mass the calibration error has at
// most.
const calibrationBins = 10

// calibrationRounds is how often a calibrated model is simulated: the mean over
// them is off by less than 2% of itself.
const calibrationRounds = 200

// ECE is the expected calibration error of predicted probabilities: with the
// rows in ten bins of equal mass, by score,
//
//	sum over bins rows/all |share of positives - mean score|
//
// within [0, 1]. Cells are not split: a bin ends with the cell that brings the
// rows so far to k tenths of all, so coarse cells make fewer and uneven bins.
// Chance alone lifts it above 0; CorrectedECE takes that off.
//
// The interval adds up the distances that Wilson's intervals of the bins' shares
// allow, at Bonferroni's confidence for their number: it holds for the error in
// these bins, and is wide. Samples counts all rows.
//
// Undefined without rows and where a cell's mean score is no probability. Naeini,
// Cooper and Hauskrecht (2015), with the equal-mass bins of Nixon et al. (2019).
func ECE(cells []ScoreCell, confidence float64) (Estimate, error) {
	bins, rows, err := calibrationTable(cells)
	if err != nil {
		return Estimate{}, err
	}
	var value, lower, upper float64
	for _, b := range bins {
		p := Proportion{Favourable: b.Positives, Total: b.Rows}
		low, high, err := Wilson(p, Bonferroni(confidence, len(bins)))
		if err != nil {
			return Estimate{}, fmt.Errorf("ece: %w", err)
		}
		weight, mean := float64(b.Rows)/float64(rows), b.meanScore()
		least, greatest := fold(low-mean, high-mean)
		value += float64(weight * math.Abs(p.share()-mean))
		lower += float64(weight * least)
		upper += float64(weight * greatest)
	}
	lower, upper = min(lower, value), min(1, max(upper, value))
	return Estimate{Value: value, Lower: &lower, Upper: &upper, Samples: rows, Convention: ConventionECE}, nil
}

// CorrectedECE is ECE less the mean that it has for a perfectly calibrated model
// with the same scores and bins, found by simulation from the seed; never less
// than the lower limit of ECE, hence not negative. Interval and samples are
// those of ECE, and it is undefined where that is.
//
// Within a cell all rows count as having the mean score, which overstates the
// chance part a little where cells are wide. The same cells and seed give the
// same value.
func CorrectedECE(cells []ScoreCell, confidence float64, seed uint64) (Estimate, error) {
	e, err := ECE(cells, confidence)
	if err != nil {
		return Estimate{}, err
	}
	e.Value = max(e.Value-calibratedMean(cells, e.Samples, seed), *e.Lower)
	e.Convention = ConventionECECorrected
	return e, nil
}

// calibratedMean is the mean error of simulated outcomes that have the
// probabilities that the scores say.
func calibratedMean(cells []ScoreCell, rows, seed uint64) float64 {
	random := rand.New(rand.NewPCG(seed, 0))
	var total float64
	for bin := range equalMass(cells, rows) {
		var scores float64
		for _, c := range bin {
			scores += c.Scores
		}
		for range calibrationRounds {
			var positives float64
			for _, c := range bin {
				positives += binomial(random, c.Rows, c.meanScore())
			}
			total += math.Abs(positives - scores)
		}
	}
	return total / calibrationRounds / float64(rows)
}

// calibrationTable checks the cells and adds them up in bins of equal mass.
func calibrationTable(cells []ScoreCell) (bins []ScoreCell, rows uint64, err error) {
	if rows, _, err = checkCells(cells); err != nil {
		return nil, 0, fmt.Errorf("ece: %w", err)
	}
	if rows == 0 {
		return nil, 0, fmt.Errorf("ece: no rows: %w", ErrUndefined)
	}
	for i, c := range cells {
		if mean := c.meanScore(); c.Rows > 0 && !(mean >= 0 && mean <= 1) {
			return nil, 0, fmt.Errorf("ece: cell %d has a mean score of %v, which is no probability: %w", i, mean, ErrUndefined)
		}
	}
	for bin := range equalMass(cells, rows) {
		var b ScoreCell
		for _, c := range bin {
			b.Rows += c.Rows
			b.Positives += c.Positives
			b.Scores += c.Scores
		}
		bins = append(bins, b)
	}
	return bins, rows, nil
}

// equalMass yields runs of neighbouring cells, each ended by the first cell that
// brings the rows so far to the next tenth of all. Every run has rows.
func equalMass(cells []ScoreCell, rows uint64) func(yield func([]ScoreCell) bool) {
	return func(yield func([]ScoreCell) bool) {
		var seen uint64
		start, ended := 0, 0.0
		for i, c := range cells {
			seen += c.Rows
			tenths := math.Floor(float64(seen) / float64(rows) * calibrationBins)
			if tenths <= ended {
				continue
			}
			if !yield(cells[start : i+1]) {
				return
			}
			start, ended = i+1, tenths
		}
	}
}

// meanScore is the mean of the cell's scores; NaN without rows.
func (c ScoreCell) meanScore() float64 { return c.Scores / float64(c.Rows) }

// fewEvents is the variance of a binomial count from which on it is drawn as a
// rounded normal one, whose mean distance from the mean is right to 1 in 1000.
const fewEvents = 100

// binomial draws how many of n rows are positive with probability p each.
func binomial(random *rand.Rand, n uint64, p float64) float64 {
	rows := float64(n)
	switch {
	case n == 0 || p <= 0:
		return 0
	case p >= 1:
		return rows
	case p > 0.5:
		return rows - binomial(random, n, 1-p)
	}
	if variance := float64(rows*p) * (1 - p); variance > fewEvents {
		x := math.Round(float64(rows*p) + float64(math.Sqrt(variance)*random.NormFloat64()))
		return min(rows, max(0, x))
	}
	// The least k with a cumulative probability above a uniform draw.
	left := random.Float64()
	odds := p / (1 - p)
	chance := math.Exp(float64(rows * math.Log1p(-p)))
	k := 0.0
	for left >= chance && k < rows {
		left -= chance
		chance *= (rows - k) / (k + 1) * odds
		k++
	}
	return k
}
