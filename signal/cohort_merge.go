package signal

import (
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/measure"
)

// Merge adds the predictions of another part of the same window. It refuses
// cohorts of another task or baseline and scores in other cells, and then leaves
// c as it was. The order of merging changes sums by rounding only, and what is
// folded into (other) where there is too much to tell apart. c shares nothing
// with o.
func (c *Cohort) Merge(o *Cohort) error {
	if c.Task != o.Task || c.Baseline != o.Baseline || len(c.All.Scores) != len(o.All.Scores) {
		return fmt.Errorf("merge cohorts: %s by baseline %s with %d score cells and %s by baseline %s with %d do not mean the same",
			c.Task, c.Baseline.Short(), len(c.All.Scores), o.Task, o.Baseline.Short(), len(o.All.Scores))
	}
	for _, a := range o.Attributes {
		c.attribute(a.Attribute)
	}
	j := c.blankJudge()
	for i := range c.Attributes {
		a := &c.Attributes[i]
		k := slices.IndexFunc(o.Attributes, func(b AttributeOutcomes) bool { return b.Attribute == a.Attribute })
		if k < 0 {
			if o.All.Predictions > 0 {
				a.group(GroupUnknown, j).merge(&o.All)
			}
			continue
		}
		for g := range o.Attributes[k].Groups {
			from := &o.Attributes[k].Groups[g]
			a.group(from.Group, j).merge(&from.Outcomes)
		}
	}
	c.All.merge(&o.All)
	return nil
}

// merge adds what another part of the rows came to, in the same cells.
func (o *Outcomes) merge(p *Outcomes) {
	o.Predictions += p.Predictions
	o.Labelled += p.Labelled
	o.Unusable += p.Unusable
	o.Favourable += p.Favourable
	o.FavourableLabelled += p.FavourableLabelled
	o.Unfavourable += p.Unfavourable
	o.UnfavourableLabelled += p.UnfavourableLabelled
	_ = o.Confusion.Merge(p.Confusion)              // rows that were counted one by one do not overflow
	_ = measure.MergeScoreCells(o.Scores, p.Scores) // of as many cells
	o.Loss.Merge(p.Loss)
	o.Residuals.Merge(p.Residuals)
	for _, name := range slices.Sorted(maps.Keys(p.Classes)) {
		key, from := o.class(name), p.Classes[name]
		c := o.Classes[key]
		c.Predicted += from.Predicted
		c.Actual += from.Actual
		c.Right += from.Right
		o.Classes[key] = c
	}
}

func (o *Outcomes) clone() Outcomes {
	c := *o
	c.Scores, c.Classes = slices.Clone(o.Scores), maps.Clone(o.Classes)
	return c
}
