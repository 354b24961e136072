package measure

import (
	"fmt"
	"math"
	"slices"
)

// Calibrator turns a model's raw score into the probability of the positive
// class that rows with such a score had in a labelled reference. It is data: a
// baseline carries it as JSON. Between two knots it is linear; outside of them
// it says nothing.
type Calibrator struct {
	Scores        []float64 `json:"scores"`        // ascending
	Probabilities []float64 `json:"probabilities"` // at those scores, not descending
	Rows          uint64    `json:"rows"`          // of the reference
}

// FitCalibrator fits the isotonic regression of the outcomes on the scores: the
// ascending function with the least squared distance from them. The rows must be
// held out, seen neither in training nor in tuning, since a model is overly
// certain on the rows that it learnt from.
//
// It pools adjacent violators (Ayer et al., 1955), equal scores first. Undefined
// for columns of different length, a score that is not finite, and outcomes of
// one class only.
func FitCalibrator(scores []float64, actual []bool) (*Calibrator, error) {
	cells, err := DistinctScores(scores, actual)
	if err != nil {
		return nil, fmt.Errorf("fit a calibrator: %w", err)
	}
	rows, positives, err := checkCells(cells)
	if err != nil {
		return nil, fmt.Errorf("fit a calibrator: %w", err)
	}
	if positives == 0 || positives == rows {
		return nil, fmt.Errorf("fit a calibrator: %d positives among %d rows: %w", positives, rows, ErrUndefined)
	}
	c := &Calibrator{Rows: rows}
	distinct := slices.Compact(slices.Sorted(slices.Values(scores)))
	first := 0
	for _, b := range pool(cells) {
		p := Proportion{Favourable: b.positives, Total: b.rows}.share()
		last := first + b.cells - 1
		c.knot(distinct[first], p)
		if last > first {
			c.knot(distinct[last], p)
		}
		first = last + 1
	}
	return c, nil
}

func (c *Calibrator) knot(score, probability float64) {
	c.Scores = append(c.Scores, score)
	c.Probabilities = append(c.Probabilities, probability)
}

// block is a run of cells that get one probability.
type block struct {
	rows, positives uint64
	cells           int
}

// pool joins neighbouring cells until the shares of positives ascend strictly.
func pool(cells []ScoreCell) []block {
	var blocks []block
	for _, cell := range cells {
		b := block{cell.Rows, cell.Positives, 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if float64(last.positives)/float64(last.rows) < float64(b.positives)/float64(b.rows) {
				break
			}
			b = block{last.rows + b.rows, last.positives + b.positives, last.cells + b.cells}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// Validate reports what does not hold together about a calibrator that was read
// from somewhere.
func (c *Calibrator) Validate() error {
	if len(c.Scores) == 0 || len(c.Scores) != len(c.Probabilities) {
		return fmt.Errorf("calibrator: %d scores and %d probabilities", len(c.Scores), len(c.Probabilities))
	}
	for i, s := range c.Scores {
		p := c.Probabilities[i]
		switch {
		case !countable(s) || i > 0 && s <= c.Scores[i-1]:
			return fmt.Errorf("calibrator: scores[%d] is %v; scores must be finite and ascend", i, s)
		case !(p >= 0 && p <= 1) || i > 0 && p < c.Probabilities[i-1]:
			return fmt.Errorf("calibrator: probabilities[%d] is %v; probabilities must be within [0, 1] and not descend", i, p)
		}
	}
	return nil
}

// Probability is the calibrated probability of the positive class; false for a
// score outside the reference's, and for NaN.
func (c *Calibrator) Probability(score float64) (float64, bool) {
	p, _, inside := c.at(score)
	return p, inside
}

// cells is how many cells at can give: every knot and every gap between two.
func (c *Calibrator) cells() int { return max(0, 2*len(c.Scores)-1) }

// at gives the probability and the cell of a score: 2i at knot i, 2i+1 between
// the knots i and i+1. The stretch between two knots of one probability belongs
// to the lower knot's cell with both ends, since order means nothing there.
func (c *Calibrator) at(score float64) (probability float64, cell int, inside bool) {
	i, found := slices.BinarySearch(c.Scores, score)
	if math.IsNaN(score) || i == len(c.Scores) || i == 0 && !found {
		return 0, 0, false
	}
	if i > 0 && c.Probabilities[i-1] == c.Probabilities[i] {
		return c.Probabilities[i], 2 * (i - 1), true
	}
	if found {
		return c.Probabilities[i], 2 * i, true
	}
	low, high := c.Scores[i-1], c.Scores[i]
	t := (score - low) / (high - low)
	rise := c.Probabilities[i] - c.Probabilities[i-1]
	return min(c.Probabilities[i], c.Probabilities[i-1]+float64(rise*t)), 2*i - 1, true
}
