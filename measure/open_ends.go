package measure

import (
	"fmt"
	"math"
)

// end is where the values of an open cell are taken to lie, uniformly.
type end struct{ from, to float64 }

// ends is what is known of the two open cells: the rows in them, how far they
// reach beyond the outermost edges, and what they must add to the moments.
type ends struct {
	first, last       float64 // the outermost edges, about the mean
	rowsLow, rowsHigh float64
	reachLow          float64 // first edge minus minimum
	reachHigh         float64 // maximum minus last edge
	surplus           float64 // rowsHigh u - rowsLow t, by the sum
	squares           float64 // of the values in the open cells, about the mean
}

// openEnds places the values of the two open cells. With t and u the mean
// distance of their values below the first and above the last edge, the sum of
// all values fixes rowsHigh u - rowsLow t, and the sum of squares, which grows
// with t along that line, fixes t; the cells between the edges are uniform. Both
// distances stay within min and max, also where the moments would have them
// elsewhere: then the shape is not uniform, and the sum is met as far as it can
// be. Each cell is as wide around its mean as edge and min or max allow.
func (b Binned) openEnds(edges Grid) (low, high end, err error) {
	e, err := b.ends(edges)
	if err != nil {
		return end{}, end{}, err
	}
	t, u := e.distances()
	first, last := edges[0], edges[len(edges)-1]
	half := min(t, e.reachLow-t)
	low = end{first - (t + half), first - (t - half)}
	half = min(u, e.reachHigh-u)
	high = end{last + (u - half), last + (u + half)}
	return low, high, nil
}

// ends gathers what is known, and refuses counts and moments that contradict
// each other.
func (b Binned) ends(edges Grid) (ends, error) {
	m := b.Moments
	rows, ok := sum(b.Counts)
	if len(b.Counts) != len(edges)+1 || !ok || rows != m.N {
		return ends{}, fmt.Errorf("%d cells with %d values for %d edges and moments of %d: %w", len(b.Counts), rows, len(edges), m.N, ErrUndefined)
	}
	if err := m.check(); err != nil {
		return ends{}, err
	}
	first, last := edges[0], edges[len(edges)-1]
	rowsLow, rowsHigh := b.Counts[0], b.Counts[len(edges)]
	if (rowsLow > 0) != (m.Min <= first) || (rowsHigh > 0) != (m.Max > last) {
		return ends{}, fmt.Errorf("min %g and max %g do not fit %d values up to %g and %d above %g: %w",
			m.Min, m.Max, rowsLow, first, rowsHigh, last, ErrUndefined)
	}
	mean := m.Sum / float64(m.N)
	e := ends{
		first: first - mean, last: last - mean,
		rowsLow: float64(rowsLow), rowsHigh: float64(rowsHigh),
		reachLow: max(0, first-m.Min), reachHigh: max(0, m.Max-last),
		squares: m.SumSquares - float64(m.Sum*mean),
	}
	for i := 1; i < len(edges); i++ {
		n, middle, width := float64(b.Counts[i]), (edges[i-1]+edges[i])/2-mean, edges[i]-edges[i-1]
		e.surplus -= float64(n * middle)
		e.squares -= float64(n * (float64(middle*middle) + float64(width*width/12)))
	}
	e.surplus -= float64(e.rowsLow*e.first) + float64(e.rowsHigh*e.last)
	return e, nil
}

// distances gives t and u of openEnds; 0 for an empty cell.
func (e ends) distances() (t, u float64) {
	if e.rowsLow == 0 && e.rowsHigh == 0 {
		return 0, 0
	}
	if e.rowsLow == 0 {
		return 0, clamp(e.surplus/e.rowsHigh, e.reachHigh)
	}
	if e.rowsHigh == 0 {
		return clamp(-e.surplus/e.rowsLow, e.reachLow), 0
	}
	above := func(t float64) float64 { return (e.surplus + float64(e.rowsLow*t)) / e.rowsHigh }
	least := clamp(-e.surplus/e.rowsLow, e.reachLow)
	most := clamp((float64(e.rowsHigh*e.reachHigh)-e.surplus)/e.rowsLow, e.reachLow)
	for range 60 {
		t = least + (most-least)/2
		if e.rowsLow*uniformSquares(e.first, -t, e.reachLow) < e.squares-float64(e.rowsHigh*uniformSquares(e.last, above(t), e.reachHigh)) {
			least = t
		} else {
			most = t
		}
	}
	return t, clamp(above(t), e.reachHigh)
}

// uniformSquares is the mean square of values that lie uniformly around edge +
// distance, as wide as the edge and the reach allow.
func uniformSquares(edge, distance, reach float64) float64 {
	half := min(math.Abs(distance), reach-math.Abs(distance))
	middle := edge + distance
	return float64(middle*middle) + float64(half*half/3)
}

// clamp keeps a distance within 0 and the reach.
func clamp(distance, reach float64) float64 { return min(max(distance, 0), reach) }
