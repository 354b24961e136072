package signal

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
)

// Favourable says which outcomes are favourable to the person: a set of values
// or everything from a limit on, one of the two.
type Favourable struct {
	Values  []string `json:"values,omitempty"` // equal as text, or as numbers where both are; true is 1
	AtLeast *float64 `json:"at_least,omitempty"`
}

// Judge says whether row i of the outcome is favourable. A row without an outcome
// is not to be asked about.
func (f Favourable) Judge(c *Column, i int) (bool, error) {
	text, x := "", math.NaN()
	if c.Numbers != nil {
		x = c.Numbers[i]
	} else {
		text = c.Strings[i]
		if v, ok := category.Number(text); ok {
			x = v
		}
	}
	favourable, known := f.holds(text, x)
	if !known {
		return false, fmt.Errorf("row %d: %q is not a number and cannot be at least %v", i+1, text, *f.AtLeast)
	}
	return favourable, nil
}

// holds says whether an outcome is favourable, from its text, empty for a number,
// and its number, NaN where it is none; and whether that can be said.
func (f *Favourable) holds(text string, x float64) (favourable, known bool) {
	if f.AtLeast != nil {
		return x >= *f.AtLeast, !math.IsNaN(x)
	}
	return slices.ContainsFunc(f.Values, func(v string) bool {
		if text != "" && v == text {
			return true
		}
		n, ok := category.Number(v)
		return ok && n == x
	}), true
}

func (f Favourable) check() error {
	if (f.AtLeast == nil) == (len(f.Values) == 0) {
		return errors.New("say which outcomes are favourable: either their values or the limit from which on they are")
	}
	return nil
}

// buildGroups counts the favourable outcomes of each group. Rows without an
// outcome belong to no group; rows without the attribute to (unknown).
func buildGroups(p ProtectedColumn, o BuildOptions) (*GroupBaseline, error) {
	if o.Outcome == nil {
		return nil, errors.New("there is no outcome to compare its groups by")
	}
	if err := o.Favourable.check(); err != nil {
		return nil, err
	}
	if n := p.Column.rows(); n != o.Outcome.rows() || p.Column.Numbers != nil {
		return nil, fmt.Errorf("%d rows of text are needed, as many as the outcome has", o.Outcome.rows())
	}
	groups := map[string]*GroupCount{}
	for i, name := range p.Column.Strings {
		if o.Outcome.missing(i) {
			continue
		}
		favourable, err := o.Favourable.Judge(o.Outcome, i)
		if err != nil {
			return nil, fmt.Errorf("outcome %q: %w", o.Outcome.Name, err)
		}
		if p.Column.missing(i) {
			name = GroupUnknown
		}
		g := groups[name]
		if g == nil {
			if len(groups) == o.MaxCategories {
				return nil, fmt.Errorf("more than %d groups; is it an identifier?", o.MaxCategories)
			}
			g = &GroupCount{Group: name}
			groups[name] = g
		}
		g.Total++
		if favourable {
			g.Favourable++
		}
	}
	b := &GroupBaseline{Attribute: p.Column.Name, Reference: p.Reference, Declared: p.Reference != ""}
	for _, g := range groups {
		b.Counts = append(b.Counts, *g)
	}
	slices.SortFunc(b.Counts, func(a, c GroupCount) int { return strings.Compare(a.Group, c.Group) })
	return b, b.settleReference()
}

// settleReference takes the largest known group where none was declared, and
// checks that the reference occurs.
func (g *GroupBaseline) settleReference() error {
	known := slices.DeleteFunc(slices.Clone(g.Counts), func(c GroupCount) bool { return c.Group == GroupUnknown })
	if len(known) == 0 {
		return errors.New("no row has both an outcome and a group")
	}
	if !g.Declared {
		g.Reference = slices.MaxFunc(known, func(a, b GroupCount) int {
			return cmp.Or(cmp.Compare(a.Total, b.Total), strings.Compare(b.Group, a.Group))
		}).Group
		return nil
	}
	return g.checkReference()
}

func (g *GroupBaseline) checkReference() error {
	names := make([]string, len(g.Counts))
	for i, c := range g.Counts {
		names[i] = strconv.Quote(c.Group)
		if c.Group == g.Reference {
			return nil
		}
	}
	return fmt.Errorf("the reference group %q does not occur; the groups are %s", g.Reference, strings.Join(names, ", "))
}
