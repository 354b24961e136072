package signal

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/measure"
)

// Merge adds o's counts to d: other replicas of the same model, or later
// windows. Start and End become the hull. It refuses distributions whose
// bounds, target or feature differ, since their cells mean different things,
// whose cells or sums are of another number, and whose rows were kept at another
// rate, which is for Blend; and then leaves d as it was. Merging is associative
// and commutative, of sums up to rounding. Groups must be sorted and stay so; d
// shares nothing with o. Held is what waits after a window: it adds up over
// replicas, and of one replica only the newest is true.
func (d *Distribution) Merge(o *Distribution) error {
	if err := d.sameColumn(o); err != nil {
		return err
	}
	if d.rate() != o.rate() {
		return fmt.Errorf("merge %s %q: rows kept at a rate of %v and at %v count differently", d.Target, d.Feature, d.rate(), o.rate())
	}
	if err := d.mergeSums(o); err != nil {
		return fmt.Errorf("merge %s %q: %w", d.Target, d.Feature, err)
	}
	for i, c := range o.Counts {
		d.Counts[i] += c
	}
	d.Missing += o.Missing
	d.Other += o.Other
	d.New += o.New
	d.Invalid += o.Invalid
	d.N += o.N
	d.OutOfRange += o.OutOfRange
	d.Sum += o.Sum
	d.SumSquares += o.SumSquares
	d.mergeGroups(o.Groups)
	d.mergeAccount(o)
	return nil
}

// sameColumn refuses what counts something else.
func (d *Distribution) sameColumn(o *Distribution) error {
	if d.Bounds != o.Bounds || d.Target != o.Target || d.Feature != o.Feature || len(d.Counts) != len(o.Counts) {
		return fmt.Errorf("merge %s %q: bounds %s with %d cells and bounds %s with %d cells do not mean the same",
			d.Target, d.Feature, d.Bounds.Short(), len(d.Counts), o.Bounds.Short(), len(o.Counts))
	}
	n, m := len(d.Embedded), len(o.Embedded)
	if n != m && !(n == 0 && total(d.Counts) == 0) && !(m == 0 && total(o.Counts) == 0) {
		return fmt.Errorf("merge %s %q: %d sums of a kernel's features and %d do not mean the same", d.Target, d.Feature, n, m)
	}
	return nil
}

// mergeSums adds what is no count of a cell. It may refuse; nothing is changed
// then.
func (d *Distribution) mergeSums(o *Distribution) error {
	if o.Estimated != nil {
		var e measure.ExpectedPerformance
		if d.Estimated != nil {
			e = *d.Estimated
		}
		if err := e.Merge(*o.Estimated); err != nil {
			return err
		}
		d.Estimated = &e
	}
	if o.Distinct != nil {
		if d.Distinct == nil {
			d.Distinct = new(measure.HyperLogLog)
		}
		d.Distinct.Merge(o.Distinct)
	}
	if len(d.Embedded) == 0 {
		d.Embedded = slices.Clone(o.Embedded)
		return nil
	}
	for i, sum := range o.Embedded {
		d.Embedded[i] += sum
	}
	return nil
}

// mergeAccount adds what does not depend on how many rows a row stands for: the
// time, the extremes, what is held back and what was lost.
func (d *Distribution) mergeAccount(o *Distribution) {
	d.Min = minIgnoringNaN(d.Min, o.Min)
	d.Max = -minIgnoringNaN(-d.Max, -o.Max)
	d.Held += o.Held
	d.Capture.Add(o.Capture)
	d.Lineage = nil
	if o.Start.Before(d.Start) {
		d.Start = o.Start
	}
	if o.End.After(d.End) {
		d.End = o.End
	}
}

func (d *Distribution) mergeGroups(groups []GroupCount) {
	for _, g := range groups {
		i, found := slices.BinarySearchFunc(d.Groups, g.Group, func(a GroupCount, name string) int {
			return strings.Compare(a.Group, name)
		})
		if !found {
			d.Groups = slices.Insert(d.Groups, i, GroupCount{Group: g.Group})
		}
		d.Groups[i].add(g)
	}
}

// add counts the rows of another table. Requests stay nil as long as each row
// came in a request of its own.
func (g *GroupCount) add(o GroupCount) {
	if g.Requests != nil || o.Requests != nil {
		all := g.requests()
		all.Merge(o.requests())
		g.Requests = &all
	}
	if g.weight != 0 || o.weight != 0 {
		g.weight = g.standsFor() + o.standsFor()
	}
	g.Favourable += o.Favourable
	g.Total += o.Total
}

// requests are the sums over the requests that the rows came in.
func (g *GroupCount) requests() measure.Requests {
	if g.Requests != nil {
		return *g.Requests
	}
	n, x := float64(g.Total), float64(g.Favourable)
	return measure.Requests{Count: g.Total, Rows: n, Favourable: x, RowsSquared: n, RowsFavourable: x, FavourableSquare: x}
}

func minIgnoringNaN(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	if math.IsNaN(b) {
		return a
	}
	return math.Min(a, b)
}
