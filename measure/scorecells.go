package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// ScoreCell counts the rows whose score fell into one cell of the score's axis.
// A slice of them is ordered by score. Cells of the same bounds add up.
type ScoreCell struct {
	Rows      uint64  `json:"rows"`
	Positives uint64  `json:"positives"` // rows among them whose actual outcome is positive
	Scores    float64 `json:"scores"`    // the sum of their scores
}

// DistinctScores counts raw scores exactly, in one cell for each distinct
// score. Undefined for columns of different length and for a score that is not
// finite or beyond MaxMagnitude.
func DistinctScores(scores []float64, actual []bool) ([]ScoreCell, error) {
	if len(scores) != len(actual) {
		return nil, fmt.Errorf("%d scores and %d outcomes: %w", len(scores), len(actual), ErrUndefined)
	}
	order := make([]int, len(scores))
	for i, s := range scores {
		if !countable(s) {
			return nil, fmt.Errorf("score %d is %v: %w", i, s, ErrUndefined)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	var cells []ScoreCell
	for rank, i := range order {
		if rank == 0 || scores[i] != scores[order[rank-1]] {
			cells = append(cells, ScoreCell{})
		}
		cell := &cells[len(cells)-1]
		cell.Rows++
		if actual[i] {
			cell.Positives++
		}
		cell.Scores = float64(scores[i] * float64(cell.Rows))
	}
	return cells, nil
}

// MergeScoreCells adds the cells of another part of the data, counted in the same
// bounds, to into. It refuses another number of cells and counts beyond 64 bits,
// and then leaves into as it was. The order of merging changes the sums of scores
// by rounding only.
func MergeScoreCells(into, from []ScoreCell) error {
	if len(into) != len(from) {
		return fmt.Errorf("merge %d score cells with %d: %w", len(into), len(from), ErrUndefined)
	}
	for i := range into {
		if add(into[i].Rows, from[i].Rows).overflow || add(into[i].Positives, from[i].Positives).overflow {
			return fmt.Errorf("merge score cell %d: the counts add up to more than 64 bits: %w", i, ErrUndefined)
		}
	}
	for i := range into {
		into[i].Rows += from[i].Rows
		into[i].Positives += from[i].Positives
		into[i].Scores += from[i].Scores
	}
	return nil
}

// countable says that a number may be counted: finite, and not too large.
func countable(x float64) bool { return math.Abs(x) <= MaxMagnitude }

// checkCells refuses cells that cannot have been counted or are out of order,
// and adds them up.
func checkCells(cells []ScoreCell) (rows, positives uint64, err error) {
	var n, p tally
	last := math.Inf(-1)
	for i, c := range cells {
		if c.Positives > c.Rows {
			return 0, 0, fmt.Errorf("score cell %d: %d positives in %d rows: %w", i, c.Positives, c.Rows, ErrUndefined)
		}
		if c.Rows == 0 && c.Scores == 0 {
			continue
		}
		mean := c.Scores / float64(c.Rows)
		if !countable(mean) {
			return 0, 0, fmt.Errorf("score cell %d: the mean score is %v: %w", i, mean, ErrUndefined)
		}
		// A mean may be off by the rounding of its sum, and neighbours by as much.
		if mean < last-float64(1e-9*max(1, math.Abs(last))) {
			return 0, 0, fmt.Errorf("score cell %d: its mean score %v is below the cell before, %v: %w", i, mean, last, ErrUndefined)
		}
		last = mean
		n, p = add(n.count, c.Rows), add(p.count, c.Positives)
		if n.overflow {
			return 0, 0, fmt.Errorf("the rows add up to more than 64 bits: %w", ErrUndefined)
		}
	}
	return n.count, p.count, nil
}
