package measure

import (
	"fmt"
	"math"
	"math/bits"
)

// Conventions of the fairness measures.
const (
	ConventionParityDifference = "statistical_parity_difference/newcombe@1"
	ConventionDisparateImpact  = "disparate_impact/mover_r@1"
)

// ParityDifference is the statistical parity difference: the group's share of
// favourable outcomes minus the reference group's, within [-1, 1], with
// Newcombe's hybrid score interval at the given confidence. Exchanging the
// groups negates value and interval. Samples counts the rows of both groups.
//
// Undefined where either group has no rows. Newcombe, Statistics in Medicine
// 17 (1998), method 10.
func ParityDifference(group, reference Proportion, confidence float64) (Estimate, error) {
	return difference("statistical parity difference", ConventionParityDifference, group, reference, confidence)
}

// difference is the group's share less the reference group's, with Newcombe's
// interval.
func difference(name, convention string, group, reference Proportion, confidence float64) (Estimate, error) {
	g, r, samples, err := compare(group, reference, confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", name, err)
	}
	value := g.share - r.share
	lower := max(-1, value-length(g.share-g.lower, r.upper-r.share))
	upper := min(1, value+length(g.upper-g.share, r.share-r.lower))
	return Estimate{Value: value, Lower: &lower, Upper: &upper, Samples: samples, Convention: convention}, nil
}

// DisparateImpact is the group's share of favourable outcomes over the
// reference group's, with the MOVER-R interval on Wilson limits, which exists
// also for a group without any favourable outcome, the worst case. There is no
// upper limit (nil) where the reference's own lower limit is 0. Exchanging the
// groups inverts value and interval. Samples counts the rows of both groups.
//
// Undefined where either group has no rows or the reference group has no
// favourable outcome. Donner and Zou, Statistical Methods in Medical Research
// 21 (2012).
func DisparateImpact(group, reference Proportion, confidence float64) (Estimate, error) {
	g, r, samples, err := compare(group, reference, confidence)
	if err != nil {
		return Estimate{}, fmt.Errorf("disparate impact: %w", err)
	}
	if reference.Favourable == 0 {
		return Estimate{}, fmt.Errorf("disparate impact: the reference group has no favourable outcome in %d: %w", reference.Total, ErrUndefined)
	}
	value := g.share / r.share
	lower, upper := ratioLimits(g, r, value)
	return Estimate{Value: value, Lower: &lower, Upper: upper, Samples: samples, Convention: ConventionDisparateImpact}, nil
}

// ratioLimits are the MOVER-R limits of g over r. With p = g.share r.share,
// a(l) = l (2 g.share - l) and b(u) = u (2 r.share - u) the lower limit is
// (p - sqrt(p^2 - a b)) / b at l = g.lower, u = r.upper. It is computed as
// a / (p + sqrt(p^2 - a b)), the same number, which stays finite where b is 0
// or negative (few favourable outcomes in the reference).
func ratioLimits(g, r limits, value float64) (lower float64, upper *float64) {
	product := float64(g.share * r.share)
	root := func(a, b float64) float64 {
		return math.Sqrt(max(0, float64(product*product)-float64(a*b)))
	}
	if g.lower > 0 {
		a, b := g.lower*(2*g.share-g.lower), r.upper*(2*r.share-r.upper)
		lower = min(a/(product+root(a, b)), value)
	}
	a, b := g.upper*(2*g.share-g.upper), r.lower*(2*r.share-r.lower)
	if u := (product + root(a, b)) / b; b > 0 && !math.IsInf(u, 0) {
		u = max(u, value)
		upper = &u
	}
	return lower, upper
}

// length is sqrt(x^2 + y^2) for shares. math.Hypot guards against overflow that
// cannot occur here and is not the same to the last bit on every CPU.
func length(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }

// limits are a share with its Wilson interval.
type limits struct{ share, lower, upper float64 }

func compare(group, reference Proportion, confidence float64) (g, r limits, samples uint64, err error) {
	g.share, r.share = group.share(), reference.share()
	if g.lower, g.upper, err = Wilson(group, confidence); err != nil {
		return g, r, 0, fmt.Errorf("group: %w", err)
	}
	if r.lower, r.upper, err = Wilson(reference, confidence); err != nil {
		return g, r, 0, fmt.Errorf("reference group: %w", err)
	}
	samples, carry := bits.Add64(group.Total, reference.Total, 0)
	if carry != 0 {
		return g, r, 0, fmt.Errorf("the rows add up to more than 64 bits: %w", ErrUndefined)
	}
	return g, r, samples, nil
}
