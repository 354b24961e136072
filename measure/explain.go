package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Move is how one cell's share of the rows changed.
type Move struct {
	Label              string
	Reference, Current float64 // shares, 0 to 1
}

// Change is the current share minus the reference's.
func (m Move) Change() float64 { return m.Current - m.Reference }

// Moves lists the cells by how much their shares changed, the largest change
// first; of equal changes the first cell is first. Labels names the cells for
// people. The changes add up to 0, their sizes to twice TVD.
//
// Undefined for an empty table on either side and where tables and labels are
// not of one length.
func Moves(labels []string, reference, current []uint64) ([]Move, error) {
	n, m, err := totals(reference, current)
	if err != nil {
		return nil, fmt.Errorf("moves: %w", err)
	}
	if len(labels) != len(reference) {
		return nil, fmt.Errorf("moves: %d labels for %d cells: %w", len(labels), len(reference), ErrUndefined)
	}
	moves := make([]Move, len(labels))
	for i, label := range labels {
		moves[i] = Move{Label: label, Reference: float64(reference[i]) / float64(n), Current: float64(current[i]) / float64(m)}
	}
	slices.SortStableFunc(moves, func(a, b Move) int {
		return cmp.Compare(math.Abs(b.Change()), math.Abs(a.Change()))
	})
	return moves, nil
}

// Cells that a sentence names: at most so many, and none whose share changed by
// less than this or by less than a quarter of the largest change.
const (
	namedMoves    = 3
	smallestNamed = 0.001
)

// Explain puts the largest of the moves, as Moves orders them, into one plain
// sentence about subject, for example:
//
//	income: "above 5200" rose from 10% to 31.4% of rows, "2100 to 3000" fell from 20% to 8.5%.
//
// Shares are rounded to three digits; where the rows are many, a named change
// need not be large, and where they are few, it may be chance.
func Explain(subject string, moves []Move) string {
	var parts []string
	for i, m := range moves {
		size := math.Abs(m.Change())
		if i == namedMoves || size < smallestNamed || size < math.Abs(moves[0].Change())/4 {
			break
		}
		verb, unit := "rose", ""
		if m.Change() < 0 {
			verb = "fell"
		}
		if i == 0 {
			unit = " of rows"
		}
		parts = append(parts, fmt.Sprintf("%q %s from %s to %s%s", m.Label, verb, percent(m.Reference), percent(m.Current), unit))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%s: no cell's share changed by as much as %s of rows.", subject, percent(smallestNamed))
	}
	return subject + ": " + strings.Join(parts, ", ") + "."
}

// percent writes a share as a percentage of three digits.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e5)/1e3, 'g', 3, 64) + "%"
}
