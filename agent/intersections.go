package agent

import (
	"slices"

	"github.com/evenkeel/evenkeel/signal"
)

// intersectionReferences adds the group that each intersection is compared with
// in this agent's own scores, where the configuration names a reference group
// of one of its attributes. An attribute without one is compared with the
// baseline's; where that is not known, or those who belong to all reference
// groups are no group of the baseline, the baseline's own choice stands.
func (m *monitored) intersectionReferences(references map[signal.FeatureName]string) {
	for _, members := range m.Intersections {
		name := signal.IntersectionName(members)
		if group, ok := m.intersectionReference(members); ok && m.knows(name, group) {
			references[name] = group
		}
	}
}

// intersectionReference says false where the configuration names no reference
// group of any member, or a member has none.
func (m *monitored) intersectionReference(members []signal.FeatureName) (group string, ok bool) {
	of := make([]signal.Membership, len(members))
	declared := false
	for i, name := range members {
		of[i].Attribute = name
		for _, p := range m.Protected {
			if p.Attribute == name && p.Reference != "" {
				of[i].Group, declared = p.Reference, true
			}
		}
		if of[i].Group == "" && m.baseline != nil {
			if g := m.baseline.Group(name); g != nil {
				of[i].Group = g.Reference
			}
		}
		if of[i].Group == "" {
			return "", false
		}
	}
	return signal.Intersection(of), declared
}

// knows says whether the baseline has a group, or does not count the attribute.
func (m *monitored) knows(attribute signal.FeatureName, group string) bool {
	if m.baseline == nil {
		return true
	}
	g := m.baseline.Group(attribute)
	return g == nil || slices.ContainsFunc(g.Counts, func(c signal.GroupCount) bool { return c.Group == group })
}

// grouping finds what a row's group is by one name of predictions.groups: the
// value of an input, or an intersection of several.
type grouping struct {
	columns []*signal.Column    // of the observation at hand; one where it is an input
	members []signal.Membership // of an intersection, the groups of the row at hand; nil: an input
}

func (p *predictor) grouping(obs *signal.Observation, name signal.FeatureName) grouping {
	g := grouping{}
	of := p.model.Intersection(name)
	if of == nil {
		g.columns = []*signal.Column{columnOf(obs, signal.TargetFeature, name)}
		return g
	}
	for _, member := range of {
		g.columns = append(g.columns, columnOf(obs, signal.TargetFeature, member))
		g.members = append(g.members, signal.Membership{Attribute: member})
	}
	return g
}

// group gives the group of row i. It is written into the predictor's buffer first,
// and kept once where it comes often.
func (p *predictor) group(g *grouping, i int) string {
	if g.members == nil {
		return p.groupAt(g.columns[0], i)
	}
	for k, c := range g.columns {
		g.members[k].Group = p.groupAt(c, i)
	}
	p.intersection = signal.AppendIntersection(p.intersection[:0], g.members)
	return p.words.bytes(p.intersection)
}

// groupAt gives a row of an input as a group; (unknown) where there is none.
func (p *predictor) groupAt(c *signal.Column, i int) string {
	if group := p.words.at(c, i); group != "" {
		return group
	}
	return signal.GroupUnknown
}

// bytes is text for a text in a buffer that is used again.
func (w words) bytes(b []byte) string {
	if kept, ok := w.texts[string(b)]; ok {
		return kept
	}
	return w.text(string(b))
}
