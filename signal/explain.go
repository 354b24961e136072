package signal

import (
	"fmt"
	"math"
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// Labels of the cells that hold no value of their own.
const (
	labelOther   = "(other)"
	labelNew     = "(new)"
	labelMissing = "(missing)"
)

// Moves lists how the shares of the column's cells changed, the largest change
// first: the deciles or the categories, and (other), (new) and (missing).
// Undefined for an empty window.
func (f *FeatureBaseline) Moves(d *Distribution) ([]measure.Move, error) {
	reference, current, err := f.tables(d)
	if err != nil {
		return nil, fmt.Errorf("moves of %s: %w", f.Name, err)
	}
	return measure.Moves(f.labels(), reference, current)
}

// Explain says in one plain sentence which cells moved and by how much.
func (f *FeatureBaseline) Explain(d *Distribution) (string, error) {
	moves, err := f.Moves(d)
	if err != nil {
		return "", err
	}
	return measure.Explain(string(f.Name), moves), nil
}

// labels names the cells of tables for people, in their order.
func (f *FeatureBaseline) labels() []string {
	if f.Kind == Categorical {
		return append(append(make([]string, 0, len(f.Categories)+3), f.Categories...), labelOther, labelNew, labelMissing)
	}
	out := make([]string, 0, len(f.Deciles)+2)
	for i := range len(f.Deciles) + 1 {
		out = append(out, f.intervalLabel(i))
	}
	return append(out, labelMissing)
}

// intervalLabel names the interval that ends at decile i; the one after the last
// decile is open. An edge that is the neighbour below another one encloses a
// single value, which is then named instead.
func (f *FeatureBaseline) intervalLabel(i int) string {
	edge := func(i int) float64 { return f.Grid[f.Deciles[i]] }
	last := len(f.Deciles) - 1
	if last < 0 {
		return "any value"
	}
	if i > last {
		return "above " + number(edge(last))
	}
	to := "up to " + number(edge(i))
	if i < last && besides(edge(i), edge(i+1)) {
		to = "below " + number(edge(i+1))
	}
	if i == 0 {
		return to
	}
	if besides(edge(i-1), edge(i)) {
		return "exactly " + number(edge(i))
	}
	return "above " + number(edge(i-1)) + ", " + to
}

// besides says whether b is the next number after a.
func besides(a, b float64) bool { return math.Nextafter(b, math.Inf(-1)) == a }

func number(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
