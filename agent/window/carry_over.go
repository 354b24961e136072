package window

import (
	"errors"
	"slices"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// takeGroups empties the group tables and gives what may be told of them. What
// is held back for a later window is on disk when it returns; where it cannot be
// saved, groups of which rows were held before stay held, since the file says so
// and would have them told once more after a restart.
func (p *Profiler) takeGroups() []*signal.Distribution {
	tables := make([]heldTable, len(p.groups))
	for i, t := range p.groups {
		if err := t.settle(); err != nil {
			p.o.Log.Error("small groups are told: they cannot be carried over", "model", p.o.Model.String(), "attribute", t.attribute, "error", err)
		}
		tables[i] = t.held(&p.o)
	}
	if err := p.o.Carries.save(tables); err != nil {
		p.o.Log.Error("small groups that are held back not saved; a restart may lose rows of this window", "model", p.o.Model.String(), "error", err)
		for i, t := range p.groups {
			t.takeBack()
			tables[i] = t.held(&p.o)
		}
		p.o.Carries.keep(tables)
	}
	var out []*signal.Distribution
	for _, t := range p.groups {
		out = append(out, t.distribution())
		t.clear()
	}
	return out
}

// settle decides which groups of the window are told and which are held back.
// The error is of a group that can be neither added to what is held nor held;
// its rows are told.
func (t *groupTable) settle() (failed error) {
	var other measure.GroupRows
	for i := range t.groups {
		g := &t.groups[i]
		switch {
		case g.name == groupOther || !t.mayHold(g.name) && g.rows.Total < t.carry.Minimum:
			other.Total += g.rows.Total
			other.Favourable += g.rows.Favourable
			other.Requests.Merge(g.rows.Requests)
		default:
			if err := t.pass(g.name, g.rows); err != nil {
				failed = err
			}
		}
	}
	if err := t.pass(groupOther, other); err != nil {
		failed = err
	}
	return errors.Join(failed, t.passAbsent())
}

// passAbsent lets go of what is held of groups without a row in the window, if
// the minimum has been lowered since.
func (t *groupTable) passAbsent() (failed error) {
	for name := range t.carry.Held {
		if _, present := t.index[name]; !present && name != groupOther {
			if err := t.pass(name, measure.GroupRows{}); err != nil {
				failed = err
			}
		}
	}
	return failed
}

// mayHold bounds the groups that are held by name; the rows of others are held
// as (other).
func (t *groupTable) mayHold(name string) bool {
	if _, held := t.carry.Held[name]; held || len(t.carry.Held) < t.limit {
		return true
	}
	return name == signal.GroupUnknown || slices.Contains(t.known, name)
}

// pass tells a group or holds it back.
func (t *groupTable) pass(name string, rows measure.GroupRows) error {
	_, carried := t.carry.Held[name]
	told, ok, err := t.carry.Pass(name, rows)
	if err != nil {
		told, ok, carried = rows, rows.Total > 0, false
	}
	if ok {
		t.told = append(t.told, toldGroup{name, told, carried})
	}
	return err
}

// takeBack holds what was to be told of groups that were held before.
func (t *groupTable) takeBack() {
	t.told = slices.DeleteFunc(t.told, func(g toldGroup) bool {
		return g.carried && t.carry.Hold(g.name, g.rows) == nil
	})
}

// held is what the table holds back, under what it may be added to.
func (t *groupTable) held(o *Options) heldTable {
	return heldTable{heldKey: t.key(o), Groups: t.carry.Held}
}

func (t *groupTable) key(o *Options) heldKey {
	return heldKey{Model: o.Model, Attribute: t.attribute, Bounds: t.bounds, Rate: o.Rate}
}
