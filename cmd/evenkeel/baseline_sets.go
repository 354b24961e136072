package main

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

const (
	// jointInputs is the set of the numeric inputs.
	jointInputs = "inputs"

	// defaultAxes are few, so that the file stays small: an axis takes about 1.5 kB
	// of it, and a column 20 bytes an axis.
	defaultAxes = 8
	maxAxes     = 256

	// fewestWindowRows is how few rows a window of the reference may have.
	fewestWindowRows = 10
)

// What the numeric inputs must be like to be watched together where nobody asked
// for it: enough rows to find axes in, not too many columns, and few holes, since
// a row that lacks one of them is lost to the set.
const (
	fewestJointRows  = 200
	mostJointColumns = 256
	mostJointMissing = 0.05
)

// plannedSet are columns that are watched together.
type plannedSet struct {
	name     signal.FeatureName
	target   signal.Target
	columns  []int // indexes into the plan's
	axes     int
	inferred bool // nobody asked for it
}

// inferredSet says that the first set is there although nobody asked for it.
func (p *plan) inferredSet() bool { return len(p.sets) > 0 && p.sets[0].inferred }

// settleEmbeddings finds the columns of each embedding.
func (p *plan) settleEmbeddings(s *schema, file string) error {
	for _, e := range s.Embeddings {
		set := plannedSet{name: signal.FeatureName(e.Name), target: signal.TargetEmbedding, axes: defaultAxes}
		if s.Joint != nil && *s.Joint > 0 {
			set.axes = *s.Joint
		}
		prefix := e.Prefix
		if prefix == "" {
			prefix = e.Name + "."
		}
		for _, name := range e.Columns {
			set.columns = append(set.columns, p.index(name))
		}
		for i := range p.columns {
			if len(e.Columns) == 0 && strings.HasPrefix(p.columns[i].Name, prefix) {
				set.columns = append(set.columns, i)
			}
		}
		switch {
		case len(e.Columns) == 1:
			return wrong("name the others, too", "embedding %q: one column is no embedding", e.Name)
		case len(set.columns) < 2:
			return wrong("name them as --embedding NAME=PREFIX or NAME=COLUMN,COLUMN", "embedding %q: %d columns of %s begin with %q; it needs two or more", e.Name, len(set.columns), file, prefix)
		}
		for _, i := range set.columns {
			c := &p.columns[i]
			if !c.Numeric() {
				return wrong("leave the column out of it, or correct the value", "embedding %q: column %q holds %s", e.Name, c.Name, c.notNumbers())
			}
			c.embedding = true
		}
		p.sets = append(p.sets, set)
	}
	return nil
}

// notNumbers says what a column that is not numeric holds.
func (c *plannedColumn) notNumbers() string {
	if c.At == "" {
		return "no values"
	}
	return fmt.Sprintf("%q, which is not a finite number (%s)", c.First, c.At)
}

func (p *plan) index(name string) int {
	for i := range p.columns {
		if p.columns[i].Name == name {
			return i
		}
	}
	return -1 // named columns are known to exist
}

// settleJoint puts the numeric inputs together, first of the sets, unless there
// are to be no axes. What was asked for must be possible; what was not is left
// out where it is not.
func (p *plan) settleJoint(s *schema, rows int) error {
	set := plannedSet{name: jointInputs, target: signal.TargetMultivariate, axes: defaultAxes, inferred: s.Joint == nil}
	if !set.inferred {
		set.axes = *s.Joint
	}
	if set.axes == 0 {
		return nil
	}
	for i := range p.columns {
		c := &p.columns[i]
		holes := float64(c.Missing) > float64(mostJointMissing*float64(rows))
		if c.target == signal.TargetFeature && c.kind == signal.Numeric && !c.embedding && !holes && c.Distinct > 1 {
			set.columns = append(set.columns, i)
		}
	}
	why := ""
	switch n := len(set.columns); {
	case n < 2:
		why = fmt.Sprintf("%d numeric input(s) with more than one value and at most %.0f%% missing", n, 100*mostJointMissing)
	case set.inferred && rows < fewestJointRows:
		why = fmt.Sprintf("%d rows are few, %d would do", rows, fewestJointRows)
	case set.inferred && n > mostJointColumns:
		why = fmt.Sprintf("%d are many; --joint %d takes them all", n, defaultAxes)
	}
	switch {
	case why == "":
		p.sets = append([]plannedSet{set}, p.sets...)
	case !set.inferred:
		return wrong("two or more are needed; leave --joint out, or set it to 0", "no inputs to watch together: %s", why)
	case len(set.columns) > 1: // otherwise there is nothing to wonder about
		p.notTogether = why
	}
	return nil
}
