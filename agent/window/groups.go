package window

import (
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// groupOther takes the groups beyond the bound of an attribute.
const groupOther = "(other)"

// groupTable counts the outcomes of each group of one protected attribute.
// Rows without a usable outcome are in no group: they are missing or faulty.
type groupTable struct {
	attribute signal.FeatureName
	bounds    signal.Digest
	known     []string // the baseline's groups: never folded into (other)
	limit     int      // distinct groups, known ones included

	index   map[string]int
	numbers map[float64]int // the same groups, for numbers
	rows    []signal.GroupCount
	missing uint64
	faulty  uint64
}

func newGroupTable(attribute signal.FeatureName, o *Options) (*groupTable, error) {
	digest, err := canonical.Digest(struct {
		Attribute signal.FeatureName `json:"attribute"`
		Output    signal.FeatureName `json:"output"`
		Values    []string           `json:"values,omitempty"`
		AtLeast   *float64           `json:"at_least,omitempty"`
	}{attribute, o.Outcome.Output, o.Outcome.Values, o.Outcome.AtLeast})
	if err != nil {
		return nil, err
	}
	t := &groupTable{attribute: attribute, bounds: signal.Digest(digest)}
	if o.Baseline != nil {
		if g := o.Baseline.Group(attribute); g != nil {
			for _, row := range g.Counts {
				t.known = append(t.known, row.Group)
			}
		}
	}
	t.limit = len(t.known) + o.MaxGroups
	t.clear()
	return t, nil
}

func (t *groupTable) clear() {
	t.index = make(map[string]int, len(t.known))
	t.numbers = make(map[float64]int)
	t.rows = nil
	t.missing, t.faulty = 0, 0
	for _, g := range t.known {
		t.row(g)
	}
}

// row finds or makes the row of a group. The name may alias a buffer: it is
// copied when it is kept.
func (t *groupTable) row(name string) int {
	if i, ok := t.index[name]; ok {
		return i
	}
	if len(t.rows) >= t.limit && name != groupOther && name != signal.GroupUnknown {
		return t.row(groupOther)
	}
	name = strings.Clone(name)
	t.index[name] = len(t.rows)
	t.rows = append(t.rows, signal.GroupCount{Group: name})
	return len(t.rows) - 1
}

func (t *groupTable) rowOfNumber(x float64) int {
	if i, ok := t.numbers[x]; ok {
		return i
	}
	i := t.row(category.OfNumber(x))
	if len(t.numbers) < t.limit {
		t.numbers[x] = i
	}
	return i
}

// add crosses the rows from..to of the attribute with their outcomes.
// attribute is nil where the request had no such column.
func (t *groupTable) add(attribute *signal.Column, outcomes []outcome, from, to int) {
	for i := from; i < to; i++ {
		switch outcomes[i] {
		case outcomeMissing:
			t.missing++
			continue
		case outcomeFaulty:
			t.faulty++
			continue
		}
		r := &t.rows[t.group(attribute, i)]
		r.Total++
		if outcomes[i] == favourable {
			r.Favourable++
		}
	}
}

func (t *groupTable) group(attribute *signal.Column, i int) int {
	switch {
	case attribute == nil:
		return t.row(signal.GroupUnknown)
	case attribute.Strings == nil:
		if x := attribute.Numbers[i]; !math.IsNaN(x) {
			return t.rowOfNumber(x)
		}
		return t.row(signal.GroupUnknown)
	}
	s, missing := textAt(attribute, i)
	if missing {
		return t.row(signal.GroupUnknown)
	}
	return t.row(s)
}

// distribution gives the table, sorted, without empty rows.
func (t *groupTable) distribution() *signal.Distribution {
	d := &signal.Distribution{
		Target: signal.TargetGroup, Feature: t.attribute, Kind: signal.Categorical, Bounds: t.bounds,
		Counts: []uint64{}, Missing: t.missing, Invalid: t.faulty, N: t.missing + t.faulty,
		Min: math.NaN(), Max: math.NaN(),
	}
	for _, r := range t.rows {
		if r.Total > 0 {
			d.Groups = append(d.Groups, r)
			d.N += r.Total
		}
	}
	slices.SortFunc(d.Groups, func(a, b signal.GroupCount) int { return strings.Compare(a.Group, b.Group) })
	return d
}
