package window

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/signal"
)

// intersection finds the groups of several protected attributes at once. A row's
// group by each of them is the one that the attribute's own table counted it in,
// (unknown) and (other) included, so that the rows of an intersection add up to
// those of its attributes.
type intersection struct {
	tables []*groupTable
	groups []signal.Membership // scratch: of the row at hand
	name   []byte              // scratch: of its intersection
}

// intersect makes the tables of the intersections. They follow those of their
// attributes, which count each row first.
func (p *Profiler) intersect() error {
	for _, members := range p.o.Intersections {
		name := signal.IntersectionName(members)
		t, err := newTable(p, name, members)
		if err != nil {
			return fmt.Errorf("window: intersection %s: %w", name, err)
		}
		t.members = &intersection{groups: make([]signal.Membership, len(members))}
		for i, m := range members {
			of := slices.IndexFunc(p.groups, func(g *groupTable) bool { return g.attribute == m }) // validated: it is there
			t.members.tables = append(t.members.tables, p.groups[of])
			t.members.groups[i].Attribute = m
		}
		p.groups = append(p.groups, t)
	}
	return nil
}

// groupAt gives the group of row i in the intersection's table. A group that is
// there already costs no memory, nor does one beyond the bound.
func (x *intersection) groupAt(t *groupTable, i int) int {
	for k, of := range x.tables {
		x.groups[k].Group = of.groups[of.groupAt(i)].name
	}
	x.name = signal.AppendIntersection(x.name[:0], x.groups)
	if at, ok := t.index[string(x.name)]; ok {
		return at
	}
	if len(t.groups) >= t.limit {
		return t.group(groupOther)
	}
	return t.group(string(x.name))
}

// validateIntersections reports what cannot be counted: names must be unlike all
// others, since windows are told by them.
func (o *Options) validateIntersections() error {
	taken := slices.Clone(o.Protected)
	for _, members := range o.Intersections {
		name := signal.IntersectionName(members)
		if len(members) < 2 {
			return fmt.Errorf("window: intersection %q: name two protected attributes or more", name)
		}
		for i, m := range members {
			if !slices.Contains(o.Protected, m) || slices.Contains(members[:i], m) {
				return fmt.Errorf("window: intersection %q: %q is no protected attribute, or is there twice", name, m)
			}
		}
		if slices.Contains(taken, name) {
			return fmt.Errorf("window: intersection %q: the name is taken", name)
		}
		taken = append(taken, name)
	}
	return nil
}
