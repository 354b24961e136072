package config

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Intersection gives the protected attributes of the model's intersection of a
// name, which is that of signal.IntersectionName; nil where there is none.
func (m *Model) Intersection(name signal.FeatureName) []signal.FeatureName {
	for _, members := range m.Intersections {
		if signal.IntersectionName(members) == name {
			return members
		}
	}
	return nil
}

// isProtected says whether the groups of an attribute are compared.
func (m *Model) isProtected(name signal.FeatureName) bool {
	return slices.ContainsFunc(m.Protected, func(p Protected) bool { return p.Attribute == name })
}

func (m *Model) validateIntersections(f *config.Faults) {
	for i, members := range m.Intersections {
		at, name := f.Index(i), signal.IntersectionName(members)
		if len(members) < 2 {
			at.Add("two attributes or more make an intersection, for example [gender, region]")
			continue
		}
		seen := map[signal.FeatureName]bool{}
		for j, member := range members {
			attribute(at.Index(j), member, seen)
			if member != "" && !m.isProtected(member) {
				at.Index(j).Add("%q is no protected attribute; list it under protected", member)
			}
		}
		for _, other := range m.Intersections[:i] {
			if signal.IntersectionName(other) == name || sameMembers(other, members) {
				at.Add("%q is listed twice", name)
				break
			}
		}
		if m.isProtected(name) {
			at.Add("%q is the name of a protected attribute as well", name)
		}
	}
}

// sameMembers says that two sets have the same members, in whatever order.
func sameMembers(a, b []signal.FeatureName) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
