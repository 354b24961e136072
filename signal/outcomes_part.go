package signal

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeel/evenkeel/measure"
)

// NewOutcomesPart makes the window part by which an agent tells how the
// predictions of one span of time turned out: counts, and nothing about single
// rows. Its window is numbered by its end, in lengths since the Unix epoch: an
// agent that tells it again after a crash names it as before, and whoever adds
// parts takes it once. These numbers have holes where nothing was predicted, and
// are apart from those of windows over rows. output is the deciding output.
func NewOutcomesPart(m ModelRef, instance InstanceID, start, end time.Time, output FeatureName, c *Cohort) *Distribution {
	n := c.All.Predictions
	return &Distribution{
		Model: m, Window: WindowID{instance, uint64(end.UnixNano() / int64(end.Sub(start)))}, Start: start, End: end, Parts: 1,
		Baseline: c.Baseline, Target: TargetOutcomes, Feature: output, Kind: Sums,
		Counts: []uint64{n}, N: n, Min: math.NaN(), Max: math.NaN(), Outcomes: c,
	}
}

// checkOutcomes holds for parts of TargetOutcomes, and that others have none.
func (d *Distribution) checkOutcomes() error {
	c := d.Outcomes
	switch {
	case (d.Target == TargetOutcomes) != (c != nil):
		return fmt.Errorf("%s: there, or missing, with the target %q", keyOutcomes, d.Target)
	case c == nil:
		return nil
	case d.Kind != Sums || c.All.Predictions != d.N || c.Baseline != d.Baseline:
		return fmt.Errorf("%s: %d predictions by baseline %s, but the window has %d by %s", keyOutcomes, c.All.Predictions, c.Baseline.Short(), d.N, d.Baseline.Short())
	case len(c.Attributes) > maxCohortAttributes:
		return fmt.Errorf("%s: %d attributes, more than %d", keyOutcomes, len(c.Attributes), maxCohortAttributes)
	}
	if err := c.All.check(len(c.All.Scores)); err != nil {
		return fmt.Errorf("%s: %w", keyOutcomes, err)
	}
	for i, a := range c.Attributes {
		if len(a.Groups) > 10*maxCohortGroups || i > 0 && c.Attributes[i-1].Attribute >= a.Attribute {
			return fmt.Errorf("%s: attribute %q has too many groups, or is out of order", keyOutcomes, a.Attribute)
		}
		for k, g := range a.Groups {
			if k > 0 && a.Groups[k-1].Group >= g.Group {
				return fmt.Errorf("%s: group %q of %s is out of order or twice", keyOutcomes, g.Group, a.Attribute)
			}
			if err := g.check(len(c.All.Scores)); err != nil {
				return fmt.Errorf("%s: group %q of %s: %w", keyOutcomes, g.Group, a.Attribute, err)
			}
		}
	}
	return nil
}

// check holds for outcomes that came from elsewhere: no part is larger than the
// whole, and scores have as many cells as those of the cohort.
func (o *Outcomes) check(cells int) error {
	decided, overflow := addUp(o.Favourable, o.Unfavourable)
	confused, more := addUp(o.Confusion.TruePositive, o.Confusion.FalsePositive, o.Confusion.TrueNegative, o.Confusion.FalseNegative)
	switch {
	case overflow || more || decided > o.Predictions || o.Labelled > o.Predictions || o.Unusable > o.Labelled || confused > o.Labelled:
		return fmt.Errorf("a part of the %d predictions is larger than the whole", o.Predictions)
	case o.FavourableLabelled > o.Favourable || o.UnfavourableLabelled > o.Unfavourable:
		return fmt.Errorf("more labelled than predicted")
	case len(o.Scores) != cells:
		return fmt.Errorf("%d score cells, and the cohort has %d", len(o.Scores), cells)
	case len(o.Classes) > maxCohortClasses+1:
		return fmt.Errorf("%d classes, more than %d", len(o.Classes), maxCohortClasses)
	}
	for _, cell := range o.Scores {
		if cell.Positives > cell.Rows || cell.Rows > o.Labelled {
			return fmt.Errorf("a score cell has %d positive of %d rows, and %d are labelled", cell.Positives, cell.Rows, o.Labelled)
		}
	}
	return nil
}

// HoldBack takes the groups of fewer predictions than least out of the cohort and
// adds what was held of those groups before, which it keeps in held: each is told
// with the first cohort in which it has become large enough. What is told of all
// predictions stays as it is. held must be of a cohort of the same task and
// baseline, or empty.
func (c *Cohort) HoldBack(held *Cohort, least uint64) {
	j := c.blankJudge()
	for _, a := range held.Attributes {
		c.attributeAlone(a.Attribute)
	}
	var kept []AttributeOutcomes
	for i := range c.Attributes {
		a := &c.Attributes[i]
		for k := range held.Attributes {
			if b := &held.Attributes[k]; b.Attribute == a.Attribute {
				for g := range b.Groups {
					a.group(b.Groups[g].Group, j).merge(&b.Groups[g].Outcomes)
				}
			}
		}
		told, back := []GroupOutcomes{}, []GroupOutcomes{}
		for _, g := range a.Groups {
			if g.Predictions < least {
				back = append(back, g)
			} else {
				told = append(told, g)
			}
		}
		a.Groups = told
		if len(back) > 0 {
			kept = append(kept, AttributeOutcomes{a.Attribute, back})
		}
	}
	held.Task, held.Baseline, held.Attributes = c.Task, c.Baseline, kept
}

// attributeAlone is attribute without rows of no known group.
func (c *Cohort) attributeAlone(name FeatureName) {
	before := c.All.Predictions
	c.All.Predictions = 0
	c.attribute(name)
	c.All.Predictions = before
}

// Blank gives an empty cohort that means the same, to which others of its kind
// can be merged.
func (c *Cohort) Blank() *Cohort {
	out := &Cohort{Task: c.Task, Baseline: c.Baseline}
	if c.All.Scores != nil {
		out.All.Scores = make([]measure.ScoreCell, len(c.All.Scores))
	}
	return out
}

// AddUnjudged counts predictions of another meaning: that there were such, and
// that their labels say nothing here.
func (c *Cohort) AddUnjudged(o *Outcomes) {
	c.All.Predictions += o.Predictions
	c.All.Labelled += o.Labelled
	if c.Task != "" {
		c.All.Unusable += o.Labelled
	}
}
