package signal

import (
	"fmt"
	"slices"
)

// intersection counts the groups of several protected attributes at once. They
// are compared with those who belong to the reference group of each.
func (b *builder) intersection(members []FeatureName) error {
	if b.Group(IntersectionName(members)) != nil {
		return fmt.Errorf("the name is taken")
	}
	if len(members) < 2 {
		return fmt.Errorf("two protected attributes or more are needed")
	}
	columns := make([]*Column, len(members))
	reference := make([]Membership, len(members))
	declared := true
	for i, name := range members {
		at := slices.IndexFunc(b.o.Protected, func(p ProtectedColumn) bool { return p.Column.Name == name })
		if at < 0 {
			return fmt.Errorf("%q is no protected attribute", name)
		}
		g := b.Group(name)
		columns[i], reference[i] = &b.o.Protected[at].Column, Membership{name, g.Reference}
		declared = declared && g.Declared
	}
	column := Column{Name: IntersectionName(members), Target: TargetFeature, Strings: intersect(members, columns)}
	g, err := buildGroups(ProtectedColumn{Column: column, Reference: Intersection(reference)}, b.o)
	if err != nil {
		return err
	}
	g.Declared = declared
	b.Groups = append(b.Groups, *g)
	return nil
}

// intersect gives the intersection that each row belongs to. Rows of one share
// its name.
func intersect(names []FeatureName, columns []*Column) []string {
	members := make([]Membership, len(names))
	out := make([]string, columns[0].rows())
	known := map[string]string{}
	var name []byte
	for row := range out {
		for i, c := range columns {
			members[i] = Membership{names[i], GroupUnknown}
			if !c.missing(row) {
				members[i].Group = c.Strings[row]
			}
		}
		name = AppendIntersection(name[:0], members)
		text, ok := known[string(name)]
		if !ok {
			text = string(name)
			known[text] = text
		}
		out[row] = text
	}
	return out
}
