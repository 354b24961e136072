package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// cells are what both sides are counted in: those of one of the baselines.
type cells struct {
	column *signal.FeatureBaseline
	bounds signal.Digest
	folds  bool                                      // some sums are folded into them
	from   map[signal.Digest]*signal.FeatureBaseline // by bounds: what sums were counted in
}

// common finds the coarsest cells, of those that the sums were counted in, that
// all others can be folded into exactly. Of cells that are the same but for their
// order it takes those of the side against.
func (c *comparer) common(ctx context.Context, current, against *columnSums) (*cells, error) {
	sums := slices.Concat(against.sums, current.sums)
	from := map[signal.Digest]*signal.FeatureBaseline{}
	for i := range sums {
		s := &sums[i]
		if from[s.Bounds] != nil {
			continue
		}
		column, err := c.counted(ctx, s)
		if err != nil {
			return nil, err
		}
		from[s.Bounds] = column
	}
	for i := range sums {
		bounds := sums[i].Bounds
		to, fits := from[bounds], true
		for _, f := range from {
			fits = fits && folds(f, to)
		}
		if fits {
			return &cells{column: to, bounds: bounds, folds: len(from) > 1, from: from}, nil
		}
	}
	return nil, c.differ(current, against)
}

// counted gives the column of the baseline that a sum was counted under.
func (c *comparer) counted(ctx context.Context, s *model.CountedSum) (*signal.FeatureBaseline, error) {
	if s.Baseline == "" {
		return nil, errs.E("compare", errs.Conflict, fmt.Errorf("%s %q was counted without a baseline, so that nothing says what its cells are", s.Target, s.Feature),
			"give the agent a baseline (evenkeel baseline build); what it counts from then on can be compared")
	}
	b := c.baselines[s.Baseline]
	if b == nil {
		var err error
		if b, err = c.store.Baseline(ctx, s.Baseline); err != nil {
			return nil, err
		}
		c.baselines[s.Baseline] = b
	}
	f := b.Feature(s.Target, s.Feature)
	if f != nil {
		if bounds, err := f.Bounds(); err == nil && bounds == s.Bounds {
			return f, nil
		}
	}
	return nil, errs.E("compare", errs.Conflict, fmt.Errorf("%s %q was counted in other cells than its baseline %s has", s.Target, s.Feature, s.Baseline.Short()), "")
}

// folds says that every cell of to is made of whole cells of from.
func folds(from, to *signal.FeatureBaseline) bool {
	if from.Kind != to.Kind {
		return false
	}
	if from.Kind == signal.Categorical { // in another order, but the same: what is (other) and (new) depends on them
		a, b := slices.Sorted(slices.Values(from.Categories)), slices.Sorted(slices.Values(to.Categories))
		return slices.Equal(a, b)
	}
	for _, edge := range to.Grid {
		if _, there := slices.BinarySearch(from.Grid, edge); !there {
			return false
		}
	}
	return true
}

// fold gives a sum in the common cells. The result is the caller's.
func (c *cells) fold(s *model.CountedSum) (*signal.Distribution, error) {
	d := s.Clone()
	d.Baseline = "" // one sum over all of them
	from := c.from[s.Bounds]
	if len(d.Counts) != cellsOf(from) {
		return nil, errs.E("compare", errs.Corrupt, fmt.Errorf("%s %q has %d cells, and its bounds %d", s.Target, s.Feature, len(d.Counts), cellsOf(from)), "")
	}
	if s.Bounds == c.bounds {
		return d, nil
	}
	counts := make([]uint64, cellsOf(c.column))
	for i, n := range d.Counts {
		counts[c.place(from, i)] += n
	}
	d.Counts, d.Bounds = counts, c.bounds
	return d, nil
}

// place gives the common cell that holds a cell. Cell i of a grid is
// (edge[i-1], edge[i]]; the last one is open.
func (c *cells) place(from *signal.FeatureBaseline, i int) int {
	if c.column.Kind == signal.Categorical {
		return slices.Index(c.column.Categories, from.Categories[i])
	}
	if i == len(from.Grid) {
		return len(c.column.Grid)
	}
	at, _ := slices.BinarySearch(c.column.Grid, from.Grid[i])
	return at
}

func cellsOf(f *signal.FeatureBaseline) int {
	if f.Kind == signal.Categorical {
		return len(f.Categories)
	}
	return len(f.Grid) + 1
}

// differ says that the sides cannot be compared, when each baseline was in use,
// and what to do about it.
func (c *comparer) differ(current, against *columnSums) error {
	var uses []string
	for _, side := range []*columnSums{against, current} {
		for i := range side.sums {
			s := &side.sums[i]
			uses = append(uses, fmt.Sprintf("%s from %s to %s", s.Baseline.Short(), s.Start.Format(time.RFC3339), s.End.Format(time.RFC3339)))
		}
	}
	return errs.E("compare", errs.Conflict,
		fmt.Errorf("%s %q was counted in cells that mean different things, under the baselines %s", current.key.target, current.key.feature, strings.Join(slices.Compact(uses), ", ")),
		"choose times under one baseline; to compare over a change of it, keep the cells: build the new one on the edges of the old")
}
