package window

import (
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// groupOther takes the groups beyond the bound of an attribute.
const groupOther = "(other)"

// groupTable counts the outcomes of each group of one protected attribute.
// Rows without a usable outcome are in no group: they are missing or faulty.
type groupTable struct {
	attribute signal.FeatureName
	bounds    signal.Digest
	source    *source       // of an attribute
	members   *intersection // of an intersection; nil: an attribute
	known     []string      // the baseline's groups: never folded into (other)
	limit     int           // distinct groups, known ones included

	index   map[string]int
	numbers map[float64]int // the same groups, for numbers
	groups  []group
	met     []int // scratch: the groups of the request at hand
	missing uint64
	faulty  uint64

	carry measure.Carry                            // what earlier windows held back
	told  []toldGroup                              // scratch: what the window that is being closed tells
	aside map[float64]map[string]measure.GroupRows // held at other rates, where no Carries keeps them
}

// group is one group of the open window.
type group struct {
	name    string
	rows    measure.GroupRows
	request measure.Proportion // its rows of the request at hand
}

func newGroupTable(p *Profiler, attribute signal.FeatureName) (*groupTable, error) {
	t, err := newTable(p, attribute, nil)
	if err == nil {
		t.source = p.source(signal.TargetFeature, attribute)
	}
	return t, err
}

// newTable makes the table of an attribute or, with members, of an intersection.
func newTable(p *Profiler, attribute signal.FeatureName, members []signal.FeatureName) (*groupTable, error) {
	o := &p.o
	digest, err := canonical.Digest(struct {
		Attribute signal.FeatureName   `json:"attribute"`
		Members   []signal.FeatureName `json:"members,omitempty"`
		Output    signal.FeatureName   `json:"output"`
		Values    []string             `json:"values,omitempty"`
		AtLeast   *float64             `json:"at_least,omitempty"`
	}{attribute, members, o.Outcome.Output, o.Outcome.Values, o.Outcome.AtLeast})
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
	t.carry = measure.Carry{Minimum: o.MinCell, Held: o.Carries.held(t.key(o))}
	t.clear()
	return t, nil
}

func (t *groupTable) clear() {
	t.index = make(map[string]int, len(t.known))
	t.numbers = make(map[float64]int)
	t.groups, t.told = nil, t.told[:0]
	t.missing, t.faulty = 0, 0
	for _, g := range t.known {
		t.group(g)
	}
}

// group finds or makes a group. The name may alias a buffer: it is copied when
// it is kept.
func (t *groupTable) group(name string) int {
	if i, ok := t.index[name]; ok {
		return i
	}
	if len(t.groups) >= t.limit && name != groupOther && name != signal.GroupUnknown {
		return t.group(groupOther)
	}
	name = strings.Clone(name)
	t.index[name] = len(t.groups)
	t.groups = append(t.groups, group{name: name})
	return len(t.groups) - 1
}

func (t *groupTable) groupOfNumber(x float64) int {
	if i, ok := t.numbers[x]; ok {
		return i
	}
	i := t.group(category.OfNumber(x))
	if len(t.numbers) < t.limit {
		t.numbers[x] = i
	}
	return i
}

// add crosses the rows from..to of the request at hand with their outcomes. A
// request whose rows fall into two windows is one request in each.
func (t *groupTable) add(outcomes []outcome, from, to int) {
	for i := from; i < to; i++ {
		switch outcomes[i] {
		case outcomeMissing:
			t.missing++
			continue
		case outcomeFaulty:
			t.faulty++
			continue
		}
		at := t.groupAt(i)
		g := &t.groups[at]
		if g.request.Total == 0 {
			t.met = append(t.met, at)
		}
		g.request.Total++
		if outcomes[i] == favourable {
			g.request.Favourable++
		}
	}
	for _, at := range t.met {
		t.groups[at].endRequest()
	}
	t.met = t.met[:0]
}

func (g *group) endRequest() {
	g.rows.Total += g.request.Total
	g.rows.Favourable += g.request.Favourable
	_ = g.rows.Requests.Add(g.request) // it has rows, and no more favourable ones than these
	g.request = measure.Proportion{}
}

// groupAt gives the group of row i of the request at hand.
func (t *groupTable) groupAt(i int) int {
	if t.members != nil {
		return t.members.groupAt(t, i)
	}
	attribute := t.source.at // nil where the request has no such column
	switch {
	case attribute == nil:
		return t.group(signal.GroupUnknown)
	case attribute.Strings == nil:
		if x := attribute.Numbers[i]; !math.IsNaN(x) {
			return t.groupOfNumber(x)
		}
		return t.group(signal.GroupUnknown)
	}
	s, missing := textAt(attribute, i)
	if missing {
		return t.group(signal.GroupUnknown)
	}
	return t.group(s)
}

// distribution gives what the window tells of the groups, sorted.
func (t *groupTable) distribution() *signal.Distribution {
	d := &signal.Distribution{
		Target: signal.TargetGroup, Feature: t.attribute, Kind: signal.Categorical, Bounds: t.bounds,
		Counts: []uint64{}, Missing: t.missing, Invalid: t.faulty, N: t.missing + t.faulty,
		Min: math.NaN(), Max: math.NaN(), Held: t.carry.Rows(),
	}
	for _, g := range t.told {
		d.Groups = append(d.Groups, g.count())
		d.N += g.rows.Total
	}
	slices.SortFunc(d.Groups, func(a, b signal.GroupCount) int { return strings.Compare(a.Group, b.Group) })
	return d
}

// toldGroup is a group that the window tells, with what was held of it.
type toldGroup struct {
	name    string
	rows    measure.GroupRows
	carried bool // rows of earlier windows are among them
}

// count leaves the requests out where each of them held one row of the group.
func (g *toldGroup) count() signal.GroupCount {
	c := signal.GroupCount{Group: g.name, Favourable: g.rows.Favourable, Total: g.rows.Total}
	if g.rows.Requests.RowsSquared != g.rows.Requests.Rows {
		c.Requests = &g.rows.Requests
	}
	return c
}
