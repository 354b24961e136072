package measure

import (
	"fmt"
	"math"
)

// Weights sums the weights of rows that were kept at different sampling rates:
// a row kept with probability q weighs 1/q. Sums of parts of the data add up;
// the zero value is empty and ready to use.
type Weights struct {
	Sum, Squares float64 // of the weights and of their squares
}

// Add counts one row's weight, which must be positive and within MaxMagnitude.
func (w *Weights) Add(weight float64) error {
	if !(weight > 0 && countable(weight)) {
		return fmt.Errorf("weight %v: %w", weight, ErrUndefined)
	}
	w.Sum += weight
	w.Squares += float64(weight * weight)
	return nil
}

// Merge adds what another part of the data weighed.
func (w *Weights) Merge(o Weights) {
	w.Sum += o.Sum
	w.Squares += o.Squares
}

// EffectiveRows is how many rows of equal weight, each from a request of its
// own, would be as precise: (sum w)^2 / (sum w^2) over the design effect (1 where
// requests hold one row each). Not above the number of rows. Undefined without
// rows and for a design effect below 1. Kish, Survey Sampling (1965).
func (w Weights) EffectiveRows(designEffect float64) (float64, error) {
	n := w.Sum / w.Squares * w.Sum / designEffect
	if !(designEffect >= 1) || !(n > 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("effective rows of weights %v with squares %v under a design effect of %v: %w", w.Sum, w.Squares, designEffect, ErrUndefined)
	}
	return n, nil
}

// WeightedProportion is the weighted share of favourable rows with Wilson's
// interval at the effective number of rows. Samples is that number, rounded
// down. Undefined where EffectiveRows is, and where the favourable weigh less
// than nothing or, beyond rounding, more than all.
func WeightedProportion(favourable float64, all Weights, designEffect, confidence float64) (Estimate, error) {
	n, err := all.EffectiveRows(designEffect)
	if err != nil {
		return Estimate{}, err
	}
	if !(favourable >= 0 && favourable <= all.Sum*(1+1e-9)) {
		return Estimate{}, fmt.Errorf("a weight of %v favourable among %v: %w", favourable, all.Sum, ErrUndefined)
	}
	z, err := criticalValue(confidence)
	if err != nil {
		return Estimate{}, err
	}
	share := min(1, favourable/all.Sum)
	lower, upper := wilsonLimits(share, max(0, (all.Sum-favourable)/all.Sum), n, z)
	samples := uint64(math.MaxUint64)
	if n < math.MaxUint64 {
		samples = uint64(n)
	}
	return Estimate{Value: share, Lower: &lower, Upper: &upper, Samples: samples, Convention: ConventionWeightedProportion}, nil
}

// ConventionWeightedProportion is the convention of WeightedProportion.
const ConventionWeightedProportion = "proportion/wilson_effective@1"

// Requests sums, over requests that hold several rows each, what the design
// effect of a proportion needs: n rows, x of them favourable. Sums of parts of
// the data add up; the zero value is empty and ready to use.
type Requests struct {
	Count            uint64  `json:"count"`
	Rows             float64 `json:"rows"`              // sum of n
	Favourable       float64 `json:"favourable"`        // sum of x
	RowsSquared      float64 `json:"rows_squared"`      // sum of n^2
	RowsFavourable   float64 `json:"rows_favourable"`   // sum of n x
	FavourableSquare float64 `json:"favourable_square"` // sum of x^2
}

// Add counts one request's rows.
func (r *Requests) Add(p Proportion) error {
	if p.Total == 0 || p.Favourable > p.Total {
		return fmt.Errorf("a request with %d favourable among %d rows: %w", p.Favourable, p.Total, ErrUndefined)
	}
	n, x := float64(p.Total), float64(p.Favourable)
	r.Merge(Requests{1, n, x, float64(n * n), float64(n * x), float64(x * x)})
	return nil
}

// Merge adds what another part of the data counted.
func (r *Requests) Merge(o Requests) {
	r.Count += o.Count
	r.Rows += o.Rows
	r.Favourable += o.Favourable
	r.RowsSquared += o.RowsSquared
	r.RowsFavourable += o.RowsFavourable
	r.FavourableSquare += o.FavourableSquare
}

// DesignEffect is by how much rows that come in requests make the variance of
// the favourable share larger than independent rows would:
//
//	k/(k-1) sum over requests (x - p n)^2 / (p (1-p) sum n)
//
// for k requests and the share p, at least 1. Requests of one row each have
// about 1, requests of m equal rows have m. Undefined for fewer than two
// requests and where all outcomes agree. Kish (1965), the ratio estimator.
func (r Requests) DesignEffect() (float64, error) {
	p := r.Favourable / r.Rows
	spread := r.FavourableSquare - float64(2*p*r.RowsFavourable) + float64(float64(p*p)*r.RowsSquared)
	k := float64(r.Count)
	effect := k / (k - 1) * spread / (float64(p*(1-p)) * r.Rows)
	if r.Count < 2 || !(p > 0 && p < 1) || math.IsNaN(effect) || math.IsInf(effect, 0) {
		return 0, fmt.Errorf("design effect of %d requests with %v favourable among %v rows: %w", r.Count, r.Favourable, r.Rows, ErrUndefined)
	}
	return max(1, effect), nil
}

// LossBounds are the least and the greatest share of favourable rows that the
// whole can have had where lost rows were not seen: x/(n+lost) if none of them
// was favourable, (x+lost)/(n+lost) if all were. Loss is not random, so these
// stand beside an interval, which knows only of chance. Undefined without rows
// and for more favourable rows than rows.
func LossBounds(p Proportion, lost uint64) (least, greatest float64, err error) {
	all := add(p.Total, lost)
	if all.overflow || all.count == 0 || p.Favourable > p.Total {
		return 0, 0, fmt.Errorf("loss bounds of %d among %d with %d lost: %w", p.Favourable, p.Total, lost, ErrUndefined)
	}
	n := float64(all.count)
	return float64(p.Favourable) / n, float64(p.Favourable+lost) / n, nil
}
