package learn

import (
	"fmt"
	"math"
	"slices"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// minLearntCell is how many rows a category needs to be named in a baseline: the
// baseline leaves the agent, and a rare text may be somebody's name.
const minLearntCell = 5

// maxLearntCategories is the most texts that a column may have to be a category
// at all; one with more is an identifier or free text.
const maxLearntCategories = 100

// learntWindows is into how many windows the rows are cut, to see how much
// windows vary, where each has at least minLearntWindow rows.
const learntWindows, minLearntWindow = 20, 100

// Build makes the baseline of what was learnt for a model, and names the columns that it
// leaves out. Protected attributes are groups, and no features.
func (l *Learner) Build(m *agentconfig.Model, instance signal.InstanceID) (b *signal.Baseline, left []signal.FeatureName, err error) {
	o := signal.BuildOptions{
		Model: signal.ModelRef{Name: m.Name, Version: m.Version},
		Source: fmt.Sprintf("learned by agent %s from the first %d rows that it saw, %s to %s; nobody has looked at them",
			instance, l.rows.Load(), l.begun.UTC().Format(time.RFC3339), l.ended.UTC().Format(time.RFC3339)),
	}
	if l.rows.Load() >= learntWindows*minLearntWindow {
		o.Windows = learntWindows
	}
	if at := l.find(signal.TargetPrediction, m.Outcome.Output); at >= 0 && m.Outcome.Favourable.Given() && l.columns[at].hasValues() {
		o.Outcome = &l.columns[at].Column
		o.Favourable = signal.Favourable{Values: m.Outcome.Favourable.Values, AtLeast: m.Outcome.Favourable.AtLeast}
		o.Protected = l.protected(m)
		o.Intersections = learntIntersections(m, o)
	}
	var columns []signal.Column
	for _, c := range l.columns {
		isGroup := c.Target == signal.TargetFeature && slices.ContainsFunc(o.Protected, func(p signal.ProtectedColumn) bool { return p.Column.Name == c.Name })
		switch {
		case isGroup:
		case !c.hasValues() || c.words != nil && c.Strings != nil && c.identifies():
			left = append(left, c.Name)
		default:
			columns = append(columns, c.Column)
		}
	}
	if b, err = signal.BuildBaseline(columns, o); err != nil {
		return nil, left, fmt.Errorf("make a baseline of what was learnt: %w", err)
	}
	for i := range b.Features {
		fold(&b.Features[i])
	}
	for i := range b.Groups {
		foldGroups(&b.Groups[i])
	}
	return b, left, b.Validate()
}

// protected gives the attributes that may be compared: those with few enough
// groups, and where the configuration names a reference, with that one.
func (l *Learner) protected(m *agentconfig.Model) []signal.ProtectedColumn {
	var out []signal.ProtectedColumn
	for _, p := range m.Protected {
		at := l.find(signal.TargetFeature, p.Attribute)
		if at < 0 {
			continue
		}
		c := l.columns[at].asText()
		if !c.identifies() && (p.Reference == "" || slices.Contains(c.Strings, p.Reference)) {
			out = append(out, signal.ProtectedColumn{Column: c.Column, Reference: p.Reference})
		}
	}
	return out
}

func (c *learntColumn) hasValues() bool {
	return slices.ContainsFunc(c.Numbers, func(x float64) bool { return !math.IsNaN(x) }) || slices.Contains(c.Missing, false)
}

// identifies says that a column of texts has too many to be categories, or
// hardly any that comes often enough to be told.
func (c *learntColumn) identifies() bool {
	seen := map[string]int{}
	for i, s := range c.Strings {
		if c.Missing[i] {
			continue
		}
		if seen[s]++; len(seen) > maxLearntCategories {
			return true
		}
	}
	for _, n := range seen {
		if n >= minLearntCell {
			return false
		}
	}
	return true
}

// asText gives the column with its numbers written as categories are.
func (c *learntColumn) asText() *learntColumn {
	if c.Numbers == nil {
		return c
	}
	out := &learntColumn{Column: signal.Column{Name: c.Name, Target: c.Target, Strings: []string{}}, words: map[string]string{}}
	for _, x := range c.Numbers {
		text := ""
		if !math.IsNaN(x) {
			text = category.OfNumber(x)
		}
		out.addText(text)
	}
	return out
}

// fold moves categories of few rows into (other).
func fold(f *signal.FeatureBaseline) {
	if f.Kind != signal.Categorical {
		return
	}
	categories, counts := f.Categories[:0:0], f.Counts[:0:0]
	for i, n := range f.Counts {
		if n < minLearntCell {
			f.Other += n
			continue
		}
		categories, counts = append(categories, f.Categories[i]), append(counts, n)
	}
	f.Categories, f.Counts = categories, counts
}

// foldGroups leaves out groups of few rows; the reference group stays.
func foldGroups(g *signal.GroupBaseline) {
	g.Counts = slices.DeleteFunc(g.Counts, func(c signal.GroupCount) bool {
		return c.Total < minLearntCell && c.Group != g.Reference
	})
}

// learntIntersections gives the intersections whose groups a learnt baseline can
// hold: those of attributes that it compares, with few enough groups and with
// rows in the intersection of the reference groups. A baseline is rather learnt
// without one than not at all.
func learntIntersections(m *agentconfig.Model, o signal.BuildOptions) [][]signal.FeatureName {
	var out [][]signal.FeatureName
	for _, members := range m.Intersections {
		trial := signal.BuildOptions{
			Outcome: o.Outcome, Favourable: o.Favourable, Protected: o.Protected, Intersections: [][]signal.FeatureName{members},
		}
		if _, err := signal.BuildBaseline([]signal.Column{*o.Outcome}, trial); err == nil {
			out = append(out, members)
		}
	}
	return out
}
