package measure

import (
	"fmt"
	"math"
)

// share is the proportion as a number.
func (p Proportion) share() float64 { return float64(p.Favourable) / float64(p.Total) }

// Wilson is the score interval of a proportion: the shares that a two-sided
// normal test at the given confidence (0.95, say) would not reject. It always
// holds the observed share and stays within [0, 1]; at 0 of n it starts at
// exactly 0, at n of n it ends at exactly 1.
//
// With s the share, r = 1-s, w = z^2/n and h = z sqrt((s r + w/4)/n) the limits
// are (s + w/2 -+ h) / (1 + w); they are computed as s^2 / (s + w/2 + h) and
// 1 - r^2 / (r + w/2 + h), the same numbers without a difference of near ones.
//
// Undefined for no rows, for more favourable rows than rows, and for a
// confidence outside (0, 1). Wilson (1927), without continuity correction.
func Wilson(p Proportion, confidence float64) (lower, upper float64, err error) {
	if p.Total == 0 || p.Favourable > p.Total {
		return 0, 0, fmt.Errorf("proportion of %d among %d: %w", p.Favourable, p.Total, ErrUndefined)
	}
	z, err := criticalValue(confidence)
	if err != nil {
		return 0, 0, err
	}
	n := float64(p.Total)
	lower, upper = wilsonLimits(p.share(), float64(p.Total-p.Favourable)/n, n, z)
	return lower, upper, nil
}

// wilsonLimits are the limits of a share and the rest to 1 of n rows, which need
// not be whole.
func wilsonLimits(share, rest, n, z float64) (lower, upper float64) {
	z2n := float64(z*z) / n
	half := float64(z * math.Sqrt((float64(share*rest)+z2n/4)/n))
	lower, upper = 0, 1
	if share > 0 {
		lower = min(share*share/(share+z2n/2+half), share)
	}
	if rest > 0 {
		upper = max(1-rest*rest/(rest+z2n/2+half), share)
	}
	return lower, upper
}

// criticalValue is the z with P(|Z| <= z) = confidence for a standard normal
// Z: 1.96 for 0.95.
func criticalValue(confidence float64) (float64, error) {
	if !(confidence > 0 && confidence < 1) {
		return 0, fmt.Errorf("confidence %v is not between 0 and 1: %w", confidence, ErrUndefined)
	}
	return math.Sqrt2 * math.Erfinv(confidence), nil
}
