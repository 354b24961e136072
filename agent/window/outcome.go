package window

import (
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
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
	output  signal.FeatureName
	texts   []string
	numbers []float64 // those of texts that are numbers
	atLeast *float64
	rows    []outcome
}

func newOutcomeReader(o Outcome) *outcomeReader {
	r := &outcomeReader{output: o.Output, texts: o.Values, atLeast: o.AtLeast}
	for _, v := range o.Values {
		if x, ok := category.Number(v); ok {
			r.numbers = append(r.numbers, x)
		}
	}
	return r
}

// read gives the outcome of each row; all are missing where col is nil. The
// slice is valid until the next call.
func (r *outcomeReader) read(col *signal.Column, rows int) []outcome {
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
	return r.rows
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
