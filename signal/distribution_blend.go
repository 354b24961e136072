package signal

import (
	"errors"
	"fmt"
	"math"

	"github.com/evenkeel/evenkeel/measure"
)

// Blend adds windows of the same column that kept their rows at any rates, and
// leaves them as they are. Windows of one rate are merged. Of different rates a
// row weighs 1/rate, and the result holds as many effective rows as rows of equal
// weight would be as precise, (sum w)^2 / sum w^2, rounded down: its shares are
// the weighted ones within one row, its moments keep the weighted mean and
// spread. Of a table of groups each group has its own effective rows. Time,
// capture account, rows held back and different rows are those of Merge, and
// the rate is that of all rows together.
//
// It fails where Merge does for another reason than the rate, and without any.
func Blend(parts []*Distribution) (*Distribution, error) {
	if len(parts) == 0 {
		return nil, errors.New("blend windows: there are none")
	}
	byRate, err := mergeByRate(parts)
	if err != nil {
		return nil, err
	}
	out := byRate[0].Clone()
	if len(byRate) == 1 {
		return out, nil
	}
	for _, d := range byRate[1:] {
		if err := out.sameColumn(d); err != nil {
			return nil, err
		}
		if err := out.mergeSums(d); err != nil {
			return nil, fmt.Errorf("blend %s %q: %w", d.Target, d.Feature, err)
		}
		out.mergeAccount(d)
		out.mergeGroups(d.Groups)
	}
	out.Rate = jointRate(byRate)
	if out.Target == TargetRows {
		// A sketch has seen the rows that it has seen, however rare they are.
		for _, d := range byRate[1:] {
			out.Counts[0] += d.Counts[0]
			out.Missing += d.Missing
			out.N += d.N
		}
		return out, nil
	}
	out.blendCells(byRate)
	for i := range out.Groups {
		out.Groups[i] = blendGroup(out.Groups[i].Group, byRate)
		if out.Target == TargetGroup {
			out.N += out.Groups[i].Total
		}
	}
	return out, nil
}

// mergeByRate gives one window for each rate, in the order of their first.
func mergeByRate(parts []*Distribution) ([]*Distribution, error) {
	var out []*Distribution
next:
	for _, p := range parts {
		for _, d := range out {
			if d.rate() == p.rate() {
				if err := d.Merge(p); err != nil {
					return nil, err
				}
				continue next
			}
		}
		out = append(out, p.Clone())
	}
	return out, nil
}

// jointRate is the share of all requests' rows that were kept.
func jointRate(byRate []*Distribution) float64 {
	var kept, all float64
	for _, d := range byRate {
		n := float64(d.rows())
		kept += n
		all += n / d.rate()
	}
	if kept == 0 {
		return byRate[0].rate()
	}
	return kept / all
}

// rows is N, or what a table of groups holds.
func (d *Distribution) rows() uint64 {
	if d.Target != TargetGroup {
		return d.N
	}
	var n uint64
	for _, g := range d.Groups {
		n += g.Total
	}
	return n
}

// blendCells fills in cells and sums with the effective rows of all windows.
func (d *Distribution) blendCells(byRate []*Distribution) {
	weights := make([]float64, len(d.Counts)+4)
	var all measure.Weights
	var outOfRange, sum, squares float64
	embedded := make([]float64, len(d.Embedded))
	for _, p := range byRate {
		w := 1 / p.rate()
		for i, n := range p.cells() {
			x := float64(n)
			weights[i] += float64(w * x)
			all.Merge(measure.Weights{Sum: float64(w * x), Squares: float64(float64(w*w) * x)})
		}
		outOfRange += float64(w * float64(p.OutOfRange))
		sum += float64(w * p.Sum)
		squares += float64(w * p.SumSquares)
		for i, x := range p.Embedded {
			embedded[i] += float64(w * x)
		}
	}
	values := len(d.Counts)
	counts := apportion(weights, effective(all))
	if d.Kind == Numeric && values > 0 {
		occupyEnds(counts[:values], weights[:values])
	}
	copy(d.Counts, counts)
	d.Missing, d.Other, d.New, d.Invalid = counts[values], counts[values+1], counts[values+2], counts[values+3]
	d.N, _ = addUp(counts...)
	n := total(d.Counts)
	scale := ratio(float64(n), addFloats(weights[:values]))
	d.OutOfRange = min(n, uint64(math.Round(float64(scale*outOfRange))))
	d.Sum, d.SumSquares = float64(scale*sum), float64(scale*squares)
	for i, x := range embedded {
		d.Embedded[i] = float64(scale * x)
	}
	if d.Estimated != nil {
		d.Estimated = blendEstimated(byRate, n)
	}
}

// cells are the counts that add up to N, but for a table of groups.
func (d *Distribution) cells() []uint64 {
	return append(append(make([]uint64, 0, len(d.Counts)+4), d.Counts...), d.Missing, d.Other, d.New, d.Invalid)
}

// effective is how many rows of equal weight would be as precise.
func effective(all measure.Weights) uint64 {
	n, err := all.EffectiveRows(1)
	if err != nil {
		return 0 // no rows
	}
	return uint64(n * (1 + 1e-12)) // equal weights give whole numbers, up to rounding
}

// apportion divides n rows in proportion to the weights: each place has what the
// rounded sums up to it differ by, which is within one row of its share, and so is
// everything up to it. Rounding places one by one would move rows to the low ones
// where many weigh the same.
func apportion(weights []float64, n uint64) []uint64 {
	out := make([]uint64, len(weights))
	all := addFloats(weights)
	if n == 0 || !(all > 0) {
		return out
	}
	var sum float64
	var given uint64
	largest := 0
	for i, w := range weights {
		sum += w
		upTo := min(n, uint64(math.Round(float64(float64(n)*(sum/all)))))
		out[i], given = upTo-given, upTo
		if out[i] > out[largest] {
			largest = i
		}
	}
	out[largest] += n - given // of counts that no float64 holds
	return out
}

// occupyEnds gives the outermost cells that weigh something a row, from the next
// cell that has one: least and greatest value are in them, and would else lie
// beyond all rows.
func occupyEnds(counts []uint64, weights []float64) {
	last := len(counts) - 1
	for _, at := range [][2]int{{0, 1}, {last, -1}} {
		end, step := at[0], at[1]
		if weights[end] == 0 || counts[end] > 0 {
			continue
		}
		for i := end + step; i >= 0 && i <= last; i += step {
			if counts[i] > 0 {
				counts[i]--
				counts[end]++
				break
			}
		}
	}
}

func addFloats(numbers []float64) float64 {
	var sum float64
	for _, x := range numbers {
		sum += x
	}
	return sum
}

// ratio is part over all; of nothing it is 0.
func ratio(part, all float64) float64 {
	if all == 0 {
		return 0
	}
	return part / all
}
