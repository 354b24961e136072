package measure

import (
	"fmt"
	"math"
)

// Conventions of the measures of realised regression performance.
const (
	ConventionMAE  = "mae/normal@1"
	ConventionRMSE = "rmse/normal@1"
	ConventionR2   = "r2@1"
)

// Residuals are the running sums of predicted less actual values. Those of
// parts of the data merge; the zero value is empty and ready to use.
//
// The actual values are kept as their mean and the sum of squared distances
// from it, not as sums of values and squares: the difference of those would lose
// all digits where the mean is far from 0, and would make up a variance for a
// constant.
type Residuals struct {
	Rows         uint64  `json:"rows"`
	Absolute     float64 `json:"absolute"` // sum of |e|
	Squared      float64 `json:"squared"`  // sum of e^2
	Fourth       float64 `json:"fourth"`   // sum of e^4
	ActualMean   float64 `json:"actual_mean"`
	ActualSpread float64 `json:"actual_spread"` // sum of (actual - mean)^2
}

// Add counts one row. Undefined for values that are not finite or beyond
// MaxMagnitude; the sums stay as they were then.
func (r *Residuals) Add(predicted, actual float64) error {
	if !countable(predicted) || !countable(actual) {
		return fmt.Errorf("predicted %v, actual %v: %w", predicted, actual, ErrUndefined)
	}
	e := math.Abs(predicted - actual)
	square := float64(e * e)
	r.Merge(Residuals{Rows: 1, Absolute: e, Squared: square, Fourth: float64(square * square), ActualMean: actual})
	return nil
}

// Merge adds what another part of the data counted. The order of merging
// changes the sums by rounding only. Chan, Golub and LeVeque, The American
// Statistician 37 (1983), for mean and spread.
func (r *Residuals) Merge(o Residuals) {
	if o.Rows == 0 {
		return
	}
	n, m := float64(r.Rows), float64(o.Rows)
	distance := o.ActualMean - r.ActualMean
	share := m / (n + m)
	r.ActualMean += float64(distance * share)
	r.ActualSpread += o.ActualSpread + float64(float64(distance*distance)*(n*share))
	r.Rows += o.Rows
	r.Absolute += o.Absolute
	r.Squared += o.Squared
	r.Fourth += o.Fourth
}

// MAE is the mean absolute residual, in the unit of the values, with a normal
// interval from the spread of the residuals (none for fewer than two rows).
// Undefined without rows.
func (r Residuals) MAE(confidence float64) (Estimate, error) {
	e, err := meanScore("mae", r.Rows, r.Absolute, r.Squared, confidence)
	e.Convention = ConventionMAE
	return e, err
}

// RMSE is the root of the mean squared residual, in the unit of the values, with
// the root of the mean square's normal interval (none for fewer than two rows,
// and where fourth powers overflow). Undefined without rows.
func (r Residuals) RMSE(confidence float64) (Estimate, error) {
	e, err := meanScore("rmse", r.Rows, r.Squared, r.Fourth, confidence)
	e.Value = math.Sqrt(e.Value)
	for _, v := range []*float64{e.Lower, e.Upper} {
		if v != nil {
			*v = math.Sqrt(*v)
		}
	}
	e.Convention = ConventionRMSE
	return e, err
}

// R2 is the coefficient of determination: 1 less the squared residuals over the
// squared distances of the actual values from their mean. At most 1, 0 for
// always predicting the mean of these rows, and without a floor below. It has no
// interval.
//
// Undefined where the actual values do not vary, hence for fewer than two rows.
func (r Residuals) R2() (Estimate, error) {
	value := 1 - r.Squared/r.ActualSpread
	if r.Rows < 2 || !(r.ActualSpread > 0) || math.IsInf(r.ActualSpread, 0) || math.IsInf(value, 0) || math.IsNaN(value) {
		return Estimate{}, fmt.Errorf("r2: %d actual values with a spread of %v: %w", r.Rows, r.ActualSpread, ErrUndefined)
	}
	return Estimate{Value: value, Samples: r.Rows, Convention: ConventionR2}, nil
}
