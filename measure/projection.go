package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Projections turn a row of many columns, or an embedding, into a few numbers
// that are binned and merged like any feature:
//
//	row -> standardised -> one number per axis -> grid -> SlicedWasserstein, SlicedJS
//
// The first axes are the principal ones of the baseline, where its columns move
// together; the others point anywhere, to see a change where the baseline had
// no variance. All of it is found once, from the baseline, and belongs to it.
// A Projections does not change and may be used from many goroutines.
type Projections struct {
	Standard  Standard    `json:"standard"`
	Seed      uint64      `json:"seed"`      // of the random axes
	Principal int         `json:"principal"` // how many of the axes are principal ones
	Axes      [][]float64 `json:"axes"`      // unit vectors over the standardised columns
}

// maxProjectedColumns bounds the covariance matrix to 128 MiB.
const maxProjectedColumns = 4096

// FitProjections finds the standardisation and the given number of axes from a
// baseline's rows: half of them, rounded up, are principal as long as the rows
// have a variance left, the rest is random. The same rows, number and seed give
// the same axes.
//
// Undefined for no axes, for fewer than two rows, for rows of different length,
// none or more than 4096 columns, for numbers that are not finite or beyond
// MaxMagnitude, and where every column is constant.
func FitProjections(rows [][]float64, axes int, seed uint64) (*Projections, error) {
	standard, err := fitStandard(rows)
	if err != nil {
		return nil, fmt.Errorf("projections: %w", err)
	}
	columns := len(standard.Mean)
	if axes < 1 || columns > maxProjectedColumns {
		return nil, fmt.Errorf("projections: %d axes over %d columns, at most %d: %w", axes, columns, maxProjectedColumns, ErrUndefined)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	p := &Projections{Standard: standard, Seed: seed}
	p.Axes = principalAxes(standard.correlation(rows), (axes+1)/2, random)
	p.Principal = len(p.Axes)
	for len(p.Axes) < axes {
		p.Axes = append(p.Axes, randomDirection(random, columns))
	}
	return p, nil
}

// Check says whether projections that were read from elsewhere hold together:
// Project relies on it.
func (p *Projections) Check() error {
	if err := p.Standard.check(); err != nil {
		return fmt.Errorf("projections: %w", err)
	}
	if len(p.Axes) == 0 || p.Principal < 0 || p.Principal > len(p.Axes) {
		return fmt.Errorf("projections: %d axes, %d of them principal: %w", len(p.Axes), p.Principal, ErrUndefined)
	}
	for i, axis := range p.Axes {
		if len(axis) != len(p.Standard.Mean) {
			return fmt.Errorf("projections: axis %d has %d columns, the baseline %d: %w", i, len(axis), len(p.Standard.Mean), ErrUndefined)
		}
		if square := dot(axis, axis); !(math.Abs(square-1) < 1e-6) {
			return fmt.Errorf("projections: axis %d has length %v, not 1: %w", i, math.Sqrt(square), ErrUndefined)
		}
	}
	return nil
}

// Project writes one number per axis into into, which must have room for exactly
// these. It allocates nothing. Undefined, with into left in no particular
// state, where the row has another number of columns or a number that is missing
// (NaN), infinite or beyond MaxMagnitude: such a row is missing in every
// projection.
func (p *Projections) Project(row, into []float64) error {
	if len(row) != len(p.Standard.Mean) || len(into) != len(p.Axes) {
		return fmt.Errorf("project: %d columns onto %d axes, the baseline has %d and %d: %w", len(row), len(into), len(p.Standard.Mean), len(p.Axes), ErrUndefined)
	}
	clear(into)
	for column, x := range row {
		if !(math.Abs(x) <= MaxMagnitude) {
			return fmt.Errorf("project: column %d is %v: %w", column, x, ErrUndefined)
		}
		z := p.Standard.value(column, x)
		for k, axis := range p.Axes {
			into[k] += float64(axis[column] * z)
		}
	}
	return nil
}
