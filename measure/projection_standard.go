package measure

import (
	"fmt"
	"math"
)

// Standard is how a baseline makes columns of different units comparable: minus
// the mean, over the standard deviation (with n-1). A column that is constant in
// the baseline has the scale 0 and is left out, standing at 0: there is no unit
// to measure its changes in, and a drift of its own shows them.
type Standard struct {
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"`
}

// fitStandard finds means and deviations. Undefined for fewer than two rows, for
// rows of different length or none, for numbers that are not finite or beyond
// MaxMagnitude, and where every column is constant.
func fitStandard(rows [][]float64) (Standard, error) {
	if len(rows) < 2 || len(rows[0]) == 0 {
		return Standard{}, fmt.Errorf("standardise %d rows: %w", len(rows), ErrUndefined)
	}
	columns := len(rows[0])
	s := Standard{Mean: make([]float64, columns), Scale: make([]float64, columns)}
	for i, row := range rows {
		if len(row) != columns {
			return Standard{}, fmt.Errorf("standardise: row %d has %d columns, the first has %d: %w", i, len(row), columns, ErrUndefined)
		}
		for j, x := range row { // Welford: no difference of large sums
			if !(math.Abs(x) <= MaxMagnitude) {
				return Standard{}, fmt.Errorf("standardise: column %d of row %d is %v: %w", j, i, x, ErrUndefined)
			}
			distance := x - s.Mean[j]
			s.Mean[j] += distance / float64(i+1)
			s.Scale[j] += float64(distance * (x - s.Mean[j]))
		}
	}
	varied := false
	for j, squares := range s.Scale {
		s.Scale[j] = math.Sqrt(squares / float64(len(rows)-1))
		// A deviation in the last digits of the mean is rounding.
		if s.Scale[j] <= 1e-14*math.Abs(s.Mean[j]) || s.Scale[j] < 1/MaxMagnitude {
			s.Scale[j] = 0
		}
		varied = varied || s.Scale[j] > 0
	}
	if !varied {
		return Standard{}, fmt.Errorf("standardise: each of %d columns is constant: %w", columns, ErrUndefined)
	}
	return s, nil
}

// maxStandardised bounds what a value far outside the baseline becomes, so that
// its products stay finite.
const maxStandardised = 1e100

// value is one number of a column, standardised.
func (s *Standard) value(column int, x float64) float64 {
	if s.Scale[column] == 0 {
		return 0
	}
	return max(-maxStandardised, min(maxStandardised, (x-s.Mean[column])/s.Scale[column]))
}

// rows standardises a sample; its numbers must be finite and as many as the
// baseline has columns.
func (s *Standard) rows(sample [][]float64) ([][]float64, error) {
	out := make([][]float64, len(sample))
	for i, row := range sample {
		if len(row) != len(s.Mean) {
			return nil, fmt.Errorf("row %d has %d columns, the baseline has %d: %w", i, len(row), len(s.Mean), ErrUndefined)
		}
		out[i] = make([]float64, len(row))
		for j, x := range row {
			if !(math.Abs(x) <= MaxMagnitude) {
				return nil, fmt.Errorf("column %d of row %d is %v: %w", j, i, x, ErrUndefined)
			}
			out[i][j] = s.value(j, x)
		}
	}
	return out, nil
}

func (s *Standard) check() error {
	if len(s.Mean) == 0 || len(s.Mean) != len(s.Scale) {
		return fmt.Errorf("%d means and %d scales: %w", len(s.Mean), len(s.Scale), ErrUndefined)
	}
	for j, scale := range s.Scale {
		if !(scale >= 0 && scale <= MaxMagnitude*MaxMagnitude) || !(math.Abs(s.Mean[j]) <= MaxMagnitude) {
			return fmt.Errorf("column %d has the mean %v and the scale %v: %w", j, s.Mean[j], scale, ErrUndefined)
		}
	}
	return nil
}

// correlation is the matrix of the standardised columns' correlations; its line
// of a constant column is 0. It takes rows times columns^2 / 2 steps.
func (s *Standard) correlation(rows [][]float64) [][]float64 {
	columns := len(s.Mean)
	matrix := make([][]float64, columns)
	for i := range matrix {
		matrix[i] = make([]float64, columns)
	}
	z := make([]float64, columns)
	for _, row := range rows {
		for j, x := range row {
			z[j] = s.value(j, x)
		}
		for i, a := range z {
			line := matrix[i][:i+1]
			for j := range line {
				line[j] += float64(a * z[j])
			}
		}
	}
	for i := range matrix {
		for j := range i + 1 {
			matrix[i][j] /= float64(len(rows) - 1)
			matrix[j][i] = matrix[i][j]
		}
	}
	return matrix
}
