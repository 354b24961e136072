package window

import (
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/internal/category"
)

// outcome is what one row's answer means for the person.
type outcome uint8

const (
	unfavourable outcome = iota
	favourable
	outcomeMissing
	outcomeFaulty // no number where at_least needs one
)

// outcomeReader turns the outcome column into outcomes, in a reused slice.
type outcomeReader struct {
	source  *source
	texts   []string
	numbers []float64 // those of texts that are numbers
	atLeast *float64
	rows    []outcome // of the observation at hand
}

func newOutcomeReader(o Outcome, from *source) *outcomeReader {
	r := &outcomeReader{source: from, texts: o.Values, atLeast: o.AtLeast}
	for _, v := range o.Values {
		if x, ok := category.Number(v); ok {
			r.numbers = append(r.numbers, x)
		}
	}
	return r
}

// read finds the outcome of each row of the observation at hand; all are missing
// where it has no such column.
func (r *outcomeReader) read(rows int) {
	col := r.source.at
	r.rows = slices.Grow(r.rows[:0], rows)[:rows]
	for i := range r.rows {
		switch {
		case col == nil:
			r.rows[i] = outcomeMissing
		case col.Strings == nil:
			r.rows[i] = r.ofNumber(col.Numbers[i])
		default:
			r.rows[i] = r.ofText(textAt(col, i))
		}
	}
}

func (r *outcomeReader) ofNumber(x float64) outcome {
	if math.IsNaN(x) {
		return outcomeMissing
	}
	if r.atLeast != nil {
		return when(x >= *r.atLeast)
	}
	return when(slices.Contains(r.numbers, x))
}

func (r *outcomeReader) ofText(s string, missing bool) outcome {
	if missing {
		return outcomeMissing
	}
	if r.atLeast == nil && slices.Contains(r.texts, s) {
		return favourable
	}
	x, ok := category.Number(s)
	if ok {
		return r.ofNumber(x)
	}
	if r.atLeast != nil {
		return outcomeFaulty
	}
	return unfavourable
}

func when(isFavourable bool) outcome {
	if isFavourable {
		return favourable
	}
	return unfavourable
}
