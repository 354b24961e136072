package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// tally is what was counted of one group.
type tally struct {
	outcomes measure.Proportion // of all rows with an outcome
	labelled measure.Confusion  // of those whose label is known, too
	scores   []float64          // of rows with score and label
	favoured []bool             // their labels
}

// table is one protected attribute, or the intersection of several, by group.
type table struct {
	attribute string
	groups    map[string]*tally
	reference string
	declared  bool
}

// count makes the tables of all attributes.
func (p *decisions) count(r roles, intersect bool) ([]table, error) {
	tables := make([]table, 0, len(p.attributes)+1)
	for i := range p.attributes {
		tables = append(tables, table{attribute: string(p.attributes[i].Name), groups: map[string]*tally{}})
	}
	if intersect {
		tables = append(tables, table{attribute: intersectionName(r.attributes), groups: map[string]*tally{}})
	}
	members := make([]signal.Membership, len(p.attributes))
	for i := range p.Rows {
		outcome, err := r.judge(p.outcome, i)
		if err != nil {
			return nil, errs.E("compare groups", errs.Invalid, err, "")
		}
		label, err := r.judge(p.label, i)
		if err != nil {
			return nil, errs.E("compare groups", errs.Invalid, err, "")
		}
		if outcome == unknown {
			continue
		}
		for j := range p.attributes {
			members[j] = signal.Membership{Attribute: p.attributes[j].Name, Group: group(&p.attributes[j], i)}
			tables[j].of(members[j].Group).add(p, i, outcome, label)
		}
		if intersect {
			tables[len(members)].of(signal.Intersection(members)).add(p, i, outcome, label)
		}
	}
	return tables, nil
}

func group(c *signal.Column, i int) string {
	if missing(c, i) {
		return signal.GroupUnknown
	}
	return c.Strings[i]
}

func (t *table) of(group string) *tally {
	g := t.groups[group]
	if g == nil {
		g = &tally{}
		t.groups[group] = g
	}
	return g
}

func (g *tally) add(p *decisions, i int, outcome, label judged) {
	g.outcomes.Total++
	if outcome == yes {
		g.outcomes.Favourable++
	}
	if label == unknown {
		return
	}
	g.labelled.Add(outcome == yes, label == yes)
	if p.score != nil && p.score[i] == p.score[i] { // not NaN
		g.scores = append(g.scores, p.score[i])
		g.favoured = append(g.favoured, label == yes)
	}
}

// settle chooses the reference group: the declared one, which must occur, or
// the largest known.
func (t *table) settle(declared string) error {
	names := slices.Sorted(maps.Keys(t.groups))
	if declared != "" {
		if t.groups[declared] == nil {
			for i := range names {
				names[i] = strconv.Quote(names[i])
			}
			return errs.E("compare groups", errs.Invalid, fmt.Errorf("%s: the reference group %q does not occur", t.attribute, declared), "the groups are "+strings.Join(names, ", "))
		}
		t.reference, t.declared = declared, true
		return nil
	}
	known := slices.DeleteFunc(names, func(name string) bool { return name == signal.GroupUnknown })
	if len(known) == 0 {
		return errs.E("compare groups", errs.Invalid, fmt.Errorf("%s: no row has both an outcome and a group", t.attribute), "")
	}
	t.reference = slices.MaxFunc(known, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.groups[a].outcomes.Total, t.groups[b].outcomes.Total), strings.Compare(b, a))
	})
	return nil
}

// rows is the number of rows in all groups.
func (t *table) rows() uint64 {
	var n uint64
	for _, g := range t.groups {
		n += g.outcomes.Total
	}
	return n
}
