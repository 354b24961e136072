package signal

import (
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
)

// What one cohort tells apart at most; what comes later is folded into (other),
// but for the unknown group and those of the baseline.
const (
	maxCohortClasses    = 100
	maxCohortGroups     = 100
	maxCohortAttributes = MaxPredictionGroups
)

// maxCounted bounds the numbers of a regression, so that fourth powers of their
// differences add up without overflow.
const maxCounted = 1e70

// Add counts a prediction and, if it has one, its label. b is the baseline of
// NewCohort, or another of the same outcome and score cells. A row that the task
// cannot use is counted as such. It allocates only for what is new: a group, a
// class.
func (c *Cohort) Add(b *Baseline, p *LabelledPrediction) {
	r := judgedRow{labelled: p.Label != nil, score: math.NaN()}
	if c.judgedBy(b) {
		r = c.judge.read(p)
	} else if c.judge == nil {
		c.judge = c.blankJudge()
	}
	if c.Task == TaskDecision {
		c.addGroups(p.Groups, &r)
	}
	c.All.add(c.judge, &r)
}

// addGroups counts the row in its group of every attribute of the cohort, before
// it is counted in All.
func (c *Cohort) addGroups(groups []Membership, r *judgedRow) {
	for _, m := range groups {
		c.attribute(m.Attribute)
	}
	for i := range c.Attributes {
		a := &c.Attributes[i]
		name := GroupUnknown
		for _, m := range groups {
			if m.Attribute == a.Attribute {
				name = m.Group
			}
		}
		a.group(name, c.judge).add(c.judge, r)
	}
}

// attribute makes sure that an attribute is there. The rows before the first
// that has it belong to no known group.
func (c *Cohort) attribute(name FeatureName) {
	i, found := slices.BinarySearchFunc(c.Attributes, name, func(a AttributeOutcomes, name FeatureName) int {
		return strings.Compare(string(a.Attribute), string(name))
	})
	if found || len(c.Attributes) == maxCohortAttributes {
		return
	}
	a := AttributeOutcomes{Attribute: name}
	if c.All.Predictions > 0 {
		a.Groups = []GroupOutcomes{{Group: GroupUnknown, Outcomes: c.All.clone()}}
	}
	c.Attributes = slices.Insert(c.Attributes, i, a)
}

// group finds a group, or makes it.
func (a *AttributeOutcomes) group(name string, j *outcomeJudge) *Outcomes {
	i, found := a.find(name)
	if !found && len(a.Groups) >= maxCohortGroups && !j.keeps(a.Attribute, name) {
		i, found = a.find(labelOther)
		name = labelOther
	}
	if !found {
		a.Groups = slices.Insert(a.Groups, i, GroupOutcomes{Group: name, Outcomes: Outcomes{Scores: j.newScores()}})
	}
	return &a.Groups[i].Outcomes
}

func (a *AttributeOutcomes) find(name string) (int, bool) {
	return slices.BinarySearchFunc(a.Groups, name, func(g GroupOutcomes, name string) int {
		return strings.Compare(g.Group, name)
	})
}

// add counts one row.
func (o *Outcomes) add(j *outcomeJudge, r *judgedRow) {
	o.Predictions++
	if j.task == TaskDecision {
		o.addDecision(r)
	}
	if !r.labelled {
		return
	}
	o.Labelled++
	usable := false
	switch j.task {
	case TaskDecision:
		usable = o.addOutcome(j.scores, r)
	case TaskRegression:
		usable = o.addNumber(r.value, r.label)
	case TaskClasses:
		usable = o.addClass(&j.coding, r.value, r.label)
	}
	if !usable {
		o.Unusable++
	}
}

// addDecision counts what was predicted, and whether a label is known.
func (o *Outcomes) addDecision(r *judgedRow) {
	predictions, labelled := &o.Favourable, &o.FavourableLabelled
	switch {
	case !r.decided:
		return
	case !r.favourable:
		predictions, labelled = &o.Unfavourable, &o.UnfavourableLabelled
	}
	*predictions++
	if r.labelled {
		*labelled++
	}
}

// addOutcome counts how a decision turned out. A score counts also where the
// answer had no decision.
func (o *Outcomes) addOutcome(grid measure.Grid, r *judgedRow) (usable bool) {
	if !r.known {
		return false
	}
	if r.decided {
		o.Confusion.Add(r.favourable, r.actual)
	}
	o.addScore(grid, r.score, r.actual)
	return r.decided
}

// addScore counts a score, if there is one.
func (o *Outcomes) addScore(grid measure.Grid, score float64, actual bool) {
	if len(o.Scores) == 0 || !(math.Abs(score) <= measure.MaxMagnitude) {
		return
	}
	cell := &o.Scores[grid.Index(score)]
	cell.Rows++
	if actual {
		cell.Positives++
	}
	cell.Scores += score
	_ = o.Loss.Add(score, actual) // a score that is no probability has no loss
}

func (o *Outcomes) addNumber(value, label string) (usable bool) {
	predicted, ok := category.Number(value)
	actual, known := category.Number(label)
	if !ok || !known || !(math.Abs(predicted) <= maxCounted) || !(math.Abs(actual) <= maxCounted) {
		return false
	}
	return o.Residuals.Add(predicted, actual) == nil
}

func (o *Outcomes) addClass(coding *outcomeCoding, value, label string) (usable bool) {
	if value == "" || label == "" {
		return false
	}
	value, label = coding.class(value), coding.class(label)
	right := value == label
	predicted, actual := o.told(coding, value), o.told(coding, label)
	c := o.Classes[predicted]
	c.Predicted++
	if right {
		c.Right++
	}
	o.Classes[predicted] = c
	c = o.Classes[actual]
	c.Actual++
	o.Classes[actual] = c
	return true
}

// told is the name under which a class of the given coding is counted.
func (o *Outcomes) told(coding *outcomeCoding, name string) string {
	if !coding.told(name) {
		name = labelOther
	}
	return o.class(name)
}

// class is the name that a class is counted under.
func (o *Outcomes) class(name string) string {
	if _, ok := o.Classes[name]; ok || len(o.Classes) < maxCohortClasses {
		if o.Classes == nil {
			o.Classes = map[string]ClassOutcomes{}
		}
		if !ok {
			o.Classes[strings.Clone(name)] = ClassOutcomes{}
		}
		return name
	}
	return labelOther
}
