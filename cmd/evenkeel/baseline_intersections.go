package main

import (
	"errors"
	"slices"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// overIntersections takes the place of the schema's intersections: the one of all
// protected columns, or none.
func (f *buildFlags) overIntersections(s *schema) error {
	s.Intersections = nil
	if !f.intersect {
		return nil
	}
	if len(s.Protected) < 2 {
		return errors.New("--intersect: name two or more columns with --protected")
	}
	var all []string
	for _, p := range s.Protected {
		all = append(all, p.Attribute)
	}
	s.Intersections = [][]string{all}
	return nil
}

func (s *schema) validateIntersections(f *config.Faults) {
	for i, members := range s.Intersections {
		at := f.Index(i)
		if len(members) < 2 {
			at.Add("two attributes or more make an intersection, for example [gender, region]")
			continue
		}
		for j, name := range members {
			if !s.protects(name) {
				at.Index(j).Add("%q is no protected attribute", name)
			}
			if slices.Contains(members[:j], name) {
				at.Index(j).Add("%q is there twice", name)
			}
		}
		name := intersectionName(members)
		if s.protects(name) || slices.ContainsFunc(s.Intersections[:i], func(o []string) bool {
			return intersectionName(o) == name || slices.Equal(slices.Sorted(slices.Values(o)), slices.Sorted(slices.Values(members)))
		}) {
			at.Add("%q is there twice", name)
		}
	}
}

// protects says whether the groups of a column are compared.
func (s *schema) protects(column string) bool {
	return slices.ContainsFunc(s.Protected, func(p protected) bool { return p.Attribute == column })
}

// intersections gives them as the builder wants them.
func (s *schema) intersections() [][]signal.FeatureName {
	var out [][]signal.FeatureName
	for _, members := range s.Intersections {
		out = append(out, featureNames(members))
	}
	return out
}

func intersectionName(members []string) string {
	return string(signal.IntersectionName(featureNames(members)))
}

func featureNames(columns []string) []signal.FeatureName {
	out := make([]signal.FeatureName, len(columns))
	for i, c := range columns {
		out[i] = signal.FeatureName(c)
	}
	return out
}
