package signal

import "github.com/evenkeel/evenkeel/measure"

// blendEstimated gives n rows of the weighted expectations.
func blendEstimated(byRate []*Distribution, n uint64) *measure.ExpectedPerformance {
	var e measure.ExpectedPerformance
	var inside, outside float64
	for _, p := range byRate {
		if p.Estimated == nil {
			continue
		}
		w := 1 / p.rate()
		one := scaled(*p.Estimated, w)
		inside += float64(w * float64(p.Estimated.Rows))
		outside += float64(w * float64(p.Estimated.Outside))
		_ = e.Merge(one) // of the same cells, as mergeSums has found
	}
	counts := apportion([]float64{inside, outside}, n)
	e = scaled(e, ratio(float64(counts[0]), inside))
	e.Rows, e.Outside = counts[0], counts[1]
	return &e
}

// scaled multiplies the expected rows; Rows and Outside become 0.
func scaled(e measure.ExpectedPerformance, by float64) measure.ExpectedPerformance {
	out := measure.ExpectedPerformance{
		TruePositive: e.TruePositive * by, FalsePositive: e.FalsePositive * by,
		TrueNegative: e.TrueNegative * by, FalseNegative: e.FalseNegative * by,
		Positives: make([]float64, len(e.Positives)), Negatives: make([]float64, len(e.Negatives)),
	}
	for i := range e.Positives {
		out.Positives[i], out.Negatives[i] = e.Positives[i]*by, e.Negatives[i]*by
	}
	return out
}

// blendGroup gives the effective rows of one group.
func blendGroup(name string, byRate []*Distribution) GroupCount {
	out := GroupCount{Group: name}
	var all measure.Weights
	var favourable, squaredRows float64
	var requests measure.Requests // of weights and their squares; Count is plain
	several := false
	for _, p := range byRate {
		for _, g := range p.Groups {
			if g.Group != name {
				continue
			}
			w := 1 / p.rate()
			n := float64(g.Total)
			several = several || g.Requests != nil
			all.Merge(measure.Weights{Sum: float64(w * n), Squares: float64(float64(w*w) * n)})
			favourable += float64(w * float64(g.Favourable))
			r, square := g.requests(), float64(w*w)
			squaredRows += float64(square * n)
			requests.Merge(measure.Requests{
				Count: r.Count, RowsSquared: float64(square * r.RowsSquared),
				RowsFavourable: float64(square * r.RowsFavourable), FavourableSquare: float64(square * r.FavourableSquare),
			})
		}
	}
	counts := apportion([]float64{favourable, all.Sum - favourable}, effective(all))
	out.Favourable, out.Total = counts[0], counts[0]+counts[1]
	if out.Total > 0 {
		out.weight = all.Sum
	}
	if several {
		// The variance of a weighted share sums squares of weights.
		by := ratio(float64(out.Total), squaredRows)
		out.Requests = &measure.Requests{
			Count: requests.Count, Rows: float64(out.Total), Favourable: float64(out.Favourable),
			RowsSquared: float64(by * requests.RowsSquared), RowsFavourable: float64(by * requests.RowsFavourable),
			FavourableSquare: float64(by * requests.FavourableSquare),
		}
	}
	return out
}
