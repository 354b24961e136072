//go:build parity

package parity

import (
	"math"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

// The differences of convention, as the table and the reference page name them.
const (
	noteBase2     = "nannyml takes base 2"
	noteFloor     = "evidently floors empty cells only, ours every share below 1e-4"
	noteEqual     = "evidently takes equal-width bins over both samples, ours the reference's deciles"
	noteFit       = "evidently tests goodness of fit: it takes the reference for exact"
	noteNew       = "evidently tests goodness of fit: a category that the reference has not gives p = 0"
	notePooled    = "ours pools cells that expect fewer than 5 rows"
	noteFinite    = "scipy takes the finite-sample distribution, ours its limit"
	noteDeviation = "evidently floors the deviation at 0.001"
	noteGrid      = "ours from 40 bins and the moments, scipy from the raw values"
	noteLower     = "from 40 bins: a lower bound of scipy's"
	noteDigits    = "evidently's form loses half of the digits near 0"
	noteEpsilon   = "the reference adds 1e-10 to every share, ours floors at 1e-4"
)

// shown says whether a case has rows in the table; every case is compared.
type shown bool

func (s shown) row(t *testing.T, measure, sample string, ours, theirs float64, library, note string) {
	t.Helper()
	if s {
		row(t, measure, sample, ours, theirs, library, note)
	}
}

func (s shown) agree(t *testing.T, measure, sample string, ours, theirs, tolerance float64, library, note string) {
	t.Helper()
	s.row(t, measure, sample, ours, theirs, library, note)
	check(t, measure, sample, ours, theirs, tolerance, library)
}

// chance compares p-values: relative to theirs, however small they are, down to
// where floating-point numbers end.
func (s shown) chance(t *testing.T, measure, sample string, ours, theirs float64, library string) {
	t.Helper()
	s.row(t, measure, sample, ours, theirs, library, "")
	if !(math.Abs(ours-theirs) <= 1e-6*theirs+1e-300) {
		t.Errorf("%s of %s: ours %.12g, %s %.12g", measure, sample, ours, library, theirs)
	}
}

// value unwraps a number that must be defined.
func value(t *testing.T) func(float64, error) float64 {
	return func(v float64, err error) float64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// estimate unwraps the value of an estimate that must be defined.
func estimate(t *testing.T) func(measure.Estimate, error) float64 {
	return func(e measure.Estimate, err error) float64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return e.Value
	}
}
