package measure

import (
	"fmt"
	"math"
	"slices"
)

// Conventions of the Wasserstein distance.
const (
	ConventionWasserstein      = "wasserstein/grid40@1"
	ConventionWassersteinExact = "wasserstein/exact@1"
)

// Binned is what is kept of a numeric column: the counts of its values in the
// cells of a grid, and their moments.
type Binned struct {
	Counts  []uint64
	Moments Moments
}

// Wasserstein is the distance of order 1 over the reference's standard deviation
// (with n): the area between the two cumulative distributions, or by how many
// deviations the values moved on average. From 0 without bound, in any order of
// the rows, without an interval; the distance alone is symmetric, the deviation
// is the reference's. Noise alone gives about 1/sqrt(m).
//
// Within a cell the values are taken as uniform. An open end has no width of its
// own: min to max would let a single outlier count as if its cell were full up
// to it. So each open end is uniform around the mean that its values must have
// for sum and sum of squares to come out, as wide as the edge and min or max
// allow (see openEnds). A shift that moves the mean by d is seen as at least
// about d.
//
// Undefined for an empty table on either side, for tables that do not fit the
// edges or the moments, without edges, for a reference without spread, and where
// that is lost in rounding. Ramdas, Garcia and Cuturi, Entropy 19 (2017).
func Wasserstein(edges Grid, reference, current Binned) (Estimate, error) {
	if _, _, err := totals(reference.Counts, current.Counts); err != nil {
		return Estimate{}, fmt.Errorf("wasserstein: %w", err)
	}
	if err := edges.check(); err != nil {
		return Estimate{}, fmt.Errorf("wasserstein: %w", err)
	}
	s, err := reference.Moments.spread()
	if err == nil && s.variance == 0 {
		err = fmt.Errorf("one value only, %g: %w", s.mean, ErrUndefined)
	}
	if err != nil {
		return Estimate{}, fmt.Errorf("wasserstein: reference: %w", err)
	}
	r, err := reference.curve(edges)
	if err != nil {
		return Estimate{}, fmt.Errorf("wasserstein: reference: %w", err)
	}
	c, err := current.curve(edges)
	if err != nil {
		return Estimate{}, fmt.Errorf("wasserstein: current: %w", err)
	}
	return wassersteinResult(areaBetween(r, c), s.variance, reference.Moments.N, current.Moments.N, ConventionWasserstein)
}

// WassersteinExact is Wasserstein from the raw values, which must be ascending
// and within MaxMagnitude.
func WassersteinExact(reference, current []float64) (Estimate, error) {
	if err := ascending(reference, current); err != nil {
		return Estimate{}, fmt.Errorf("wasserstein: %w", err)
	}
	var mean, squares float64
	for i, x := range reference { // Welford: no difference of large sums
		d := x - mean
		mean += d / float64(i+1)
		squares += float64(d * (x - mean))
	}
	n, m := len(reference), len(current)
	if n < 2 || !(squares > 0) || math.IsInf(squares, 0) {
		return Estimate{}, fmt.Errorf("wasserstein: %d reference values without a spread: %w", n, ErrUndefined)
	}
	var total float64
	previous := min(reference[0], current[0])
	for i, j := 0, 0; i < n || j < m; {
		f, g := float64(i)/float64(n), float64(j)/float64(m)
		x := math.Inf(1)
		if i < n {
			x = reference[i]
		}
		if j < m {
			x = min(x, current[j])
		}
		total += float64(math.Abs(f-g) * (x - previous))
		for i < n && reference[i] == x {
			i++
		}
		for j < m && current[j] == x {
			j++
		}
		previous = x
	}
	return wassersteinResult(total, squares/float64(n-1), uint64(n), uint64(m), ConventionWassersteinExact)
}

func wassersteinResult(area, variance float64, n, m uint64, convention string) (Estimate, error) {
	value := area / math.Sqrt(variance*(float64(n-1)/float64(n)))
	if math.IsInf(value, 0) || math.IsNaN(value) {
		return Estimate{}, fmt.Errorf("wasserstein: an area of %g over a variance of %g: %w", area, variance, ErrUndefined)
	}
	return Estimate{Value: value, Samples: m, Convention: convention}, nil
}

// check demands at least one edge, and edges that ascend and are finite.
func (g Grid) check() error {
	if len(g) == 0 {
		return fmt.Errorf("no edges: %w", ErrUndefined)
	}
	for i, e := range g {
		if !(math.Abs(e) <= MaxMagnitude) || (i > 0 && !(g[i-1] < e)) {
			return fmt.Errorf("edge %d is %v: edges must ascend and be finite: %w", i, e, ErrUndefined)
		}
	}
	return nil
}

// knot is a point of a cumulative distribution, which is linear between knots
// and jumps where two have the same x.
type knot struct{ x, share float64 }

// curve is the cumulative distribution of binned values.
func (b Binned) curve(edges Grid) ([]knot, error) {
	low, high, err := b.openEnds(edges)
	if err != nil {
		return nil, err
	}
	n := float64(b.Moments.N)
	out := make([]knot, 0, len(edges)+4)
	out = append(out, knot{low.from, 0})
	var rows uint64
	for i, e := range edges {
		rows += b.Counts[i]
		share := float64(rows) / n
		if i == 0 {
			out = append(out, knot{low.to, share})
		}
		out = append(out, knot{e, share})
	}
	return append(out, knot{high.from, float64(rows) / n}, knot{high.to, 1}), nil
}

// areaBetween is the integral of the absolute difference of two curves.
func areaBetween(r, c []knot) float64 {
	all := make([]float64, 0, len(r)+len(c))
	for _, k := range r {
		all = append(all, k.x)
	}
	for _, k := range c {
		all = append(all, k.x)
	}
	slices.Sort(all)
	var total float64
	for i := 1; i < len(all); i++ {
		from, to := all[i-1], all[i]
		if from == to {
			continue
		}
		r, c = passed(r, from), passed(c, from)
		left := at(r, from) - at(c, from)
		right := at(r, to) - at(c, to)
		total += float64((to - from) * meanAbsolute(left, right))
	}
	return total
}

// passed drops the knots before the one that starts the piece right of x.
func passed(knots []knot, x float64) []knot {
	for len(knots) > 1 && knots[1].x <= x {
		knots = knots[1:]
	}
	return knots
}

// at is the curve's height at x on the piece that the first knot starts, taken
// from within the piece where the curve jumps at its end. Left of all knots it is
// the first one's 0, right of all the last one's 1.
func at(knots []knot, x float64) float64 {
	a := knots[0]
	if x <= a.x || len(knots) == 1 {
		return a.share
	}
	b := knots[1]
	return a.share + float64((b.share-a.share)*((x-a.x)/(b.x-a.x)))
}

// meanAbsolute is the mean of |y| along a line from a to b.
func meanAbsolute(a, b float64) float64 {
	if (a < 0) == (b < 0) || a == 0 || b == 0 {
		return (math.Abs(a) + math.Abs(b)) / 2
	}
	return (float64(a*a) + float64(b*b)) / (2 * (math.Abs(a) + math.Abs(b)))
}
