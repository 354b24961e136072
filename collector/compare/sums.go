package compare

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// columnSums is all that one side counted of a column: one sum for each bounds,
// baseline and rate.
type columnSums struct {
	key  columnKey
	sums []model.CountedSum
}

type sideSums []*columnSums

// byColumn gathers sums, which come ordered by column.
func byColumn(sums []model.CountedSum) sideSums {
	var out sideSums
	for _, s := range sums {
		key := columnKey{s.Target, s.Feature}
		if len(out) == 0 || out[len(out)-1].key != key {
			out = append(out, &columnSums{key: key})
		}
		last := out[len(out)-1]
		last.sums = append(last.sums, s)
	}
	return out
}

func (s sideSums) find(key columnKey) *columnSums {
	for _, c := range s {
		if c.key == key {
			return c
		}
	}
	return nil
}

// ordered gives inputs before outputs, each by name.
func (s sideSums) ordered() sideSums {
	slices.SortStableFunc(s, func(a, b *columnSums) int {
		return cmp.Or(cmp.Compare(a.key.target, b.key.target), cmp.Compare(a.key.feature, b.key.feature))
	})
	return s
}

// sum adds all of it up in common cells. Rows that were kept at different rates
// are weighed, as fleet does.
func (c *columnSums) sum(to *cells) (*signal.Distribution, error) {
	byRate := map[float64]*signal.Distribution{}
	var parts []*signal.Distribution
	for i := range c.sums {
		d, err := to.fold(&c.sums[i])
		if err != nil {
			return nil, err
		}
		if sum := byRate[d.Rate]; sum != nil {
			if err := sum.Merge(d); err != nil {
				return nil, errs.E("compare", errs.Other, err, "")
			}
			continue
		}
		byRate[d.Rate] = d
		parts = append(parts, d)
	}
	slices.SortFunc(parts, func(a, b *signal.Distribution) int { return cmp.Compare(a.Rate, b.Rate) })
	sum, err := signal.Blend(parts)
	if err != nil {
		return nil, errs.E("compare", errs.Other, err, "")
	}
	return sum, nil
}

// side tells what a sum was made of. A replica that was counted under two
// baselines counts once for each.
func (c *columnSums) side(sum *signal.Distribution) Side {
	out := Side{Rows: sum.N, Missing: sum.Missing, Dropped: sum.Capture.Dropped}
	for i := range c.sums {
		s := &c.sums[i]
		out.Windows += s.Windows
		out.Instances = max(out.Instances, s.Instances)
		out.Versions = append(out.Versions, s.Versions...)
		out.Baselines = append(out.Baselines, s.Baseline)
	}
	slices.Sort(out.Versions)
	out.Versions = slices.Compact(out.Versions)
	slices.Sort(out.Baselines)
	out.Baselines = slices.Compact(out.Baselines)
	return out
}
