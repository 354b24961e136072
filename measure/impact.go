package measure

import "fmt"

// ConventionImpactRatio is the convention of ImpactRatio.
const ConventionImpactRatio = "impact_ratio_min_max/mover_r_bonferroni@1"

// ImpactRatio is the least over the greatest selection rate of all the groups
// that are judged, within [0, 1]; it needs no reference group.
//
// It is the least of the ratios of all pairs. Its interval takes the least
// lower and the least upper MOVER-R limit of all pairs, at Bonferroni's
// confidence for their number, so that it holds although the data chose the
// pair; with two groups it is that of DisparateImpact folded at 1, since the
// group with the lower rate may in truth have the higher. Samples counts the
// rows of all groups.
//
// Undefined for fewer than two groups, a group without rows, and where no group
// has a favourable outcome.
func ImpactRatio(groups []Proportion, confidence float64) (Estimate, error) {
	if len(groups) < 2 {
		return Estimate{}, fmt.Errorf("impact ratio: %d groups: %w", len(groups), ErrUndefined)
	}
	rates := make([]limits, len(groups))
	var samples tally
	least, greatest := 1.0, 0.0
	pairs := len(groups) * (len(groups) - 1) / 2
	for i, p := range groups {
		lower, upper, err := Wilson(p, Bonferroni(confidence, pairs))
		if err != nil {
			return Estimate{}, fmt.Errorf("impact ratio: group %d: %w", i, err)
		}
		rates[i] = limits{p.share(), lower, upper}
		least, greatest = min(least, p.share()), max(greatest, p.share())
		if samples = add(samples.count, p.Total); samples.overflow {
			return Estimate{}, fmt.Errorf("impact ratio: the rows add up to more than 64 bits: %w", ErrUndefined)
		}
	}
	if greatest == 0 {
		return Estimate{}, fmt.Errorf("impact ratio: no group has a favourable outcome: %w", ErrUndefined)
	}
	value := least / greatest
	lower, upper := leastRatio(rates, value)
	return Estimate{Value: value, Lower: &lower, Upper: &upper, Samples: samples.count, Convention: ConventionImpactRatio}, nil
}

// leastRatio gives the limits of the least ratio over all ordered pairs; those
// over a rate of 0 say nothing.
func leastRatio(rates []limits, value float64) (lower, upper float64) {
	lower, upper = value, 1
	for i, a := range rates {
		for j, b := range rates {
			if i == j || b.share == 0 {
				continue
			}
			l, u := ratioLimits(a, b, a.share/b.share)
			lower = min(lower, l)
			if u != nil {
				upper = min(upper, *u)
			}
		}
	}
	return lower, max(upper, value)
}
