package wire

import (
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// maxColumns bounds the columns that an unmapped tensor is taken apart into.
const maxColumns = 1024

// columns turns the tensors into the columns of the observation.
func (d *OIP) columns(inputs int, model OIPModel) *Fault {
	for i := range d.tensors {
		t := &d.tensors[i]
		if t.rows != d.observed.Rows {
			return fault(RowsMismatch, "tensor %.60q has %d rows, tensor %.60q has %d", t.name, t.rows, d.tensors[0].name, d.observed.Rows)
		}
		target := signal.TargetPrediction
		columns := model.Outputs[t.name]
		if i < inputs {
			target = signal.TargetFeature
			columns = model.Columns[t.name]
		}
		switch {
		case columns != nil && len(columns) != t.width:
			return fault(ShapeMismatch, "tensor %.60q has %d columns, the configuration names %d", t.name, t.width, len(columns))
		case columns == nil && len(t.name) > maxName:
			if d.leftOut == nil {
				d.leftOut = fault(TooWide, "tensor %.60q has a name of %d bytes", t.name, len(t.name))
			}
		case columns == nil && t.width > maxColumns:
			if d.leftOut == nil {
				d.leftOut = fault(TooWide, "tensor %.60q has %d columns, at most %d are taken apart", t.name, t.width, maxColumns)
			}
		case columns == nil && t.width == 1:
			d.column(t, signal.FeatureName(d.names.keep(t.name)), target)
		case columns != nil && t.width == 1:
			d.column(t, columns[0], target)
		case columns == nil:
			d.split(t, d.names.numbered(t.name, t.width), target)
		default:
			d.split(t, columns, target)
		}
	}
	return nil
}

// column adds a tensor that is one column, without copying its values.
func (d *OIP) column(t *tensor, name signal.FeatureName, target signal.Target) {
	c := signal.Column{Name: name, Target: target}
	if t.datatype == numberType {
		c.Numbers = d.numbers[t.from:t.to]
	} else {
		c.Strings = d.texts[t.from:t.to]
		if t.gaps {
			c.Missing = d.missing[t.from:t.to]
		}
	}
	d.observed.Columns = append(d.observed.Columns, c)
}

// split adds the columns of a tensor whose values arrived row by row.
func (d *OIP) split(t *tensor, names []signal.FeatureName, target signal.Target) {
	for j, name := range names {
		c := signal.Column{Name: name, Target: target}
		// An append that outgrows the memory leaves the columns before on the old
		// one, where they stay valid.
		if t.datatype == numberType {
			from := len(d.turned)
			d.turned = pick(d.turned, d.numbers[t.from:t.to], j, t.width)
			c.Numbers = d.turned[from:]
		} else {
			from := len(d.turnedS)
			d.turnedS = pick(d.turnedS, d.texts[t.from:t.to], j, t.width)
			c.Strings = d.turnedS[from:]
			if t.gaps {
				from := len(d.turnedM)
				d.turnedM = pick(d.turnedM, d.missing[t.from:t.to], j, t.width)
				c.Missing = d.turnedM[from:]
			}
		}
		d.observed.Columns = append(d.observed.Columns, c)
	}
}

// pick appends every width-th value from the j-th on.
func pick[T any](to, values []T, j, width int) []T {
	for ; j < len(values); j += width {
		to = append(to, values[j])
	}
	return to
}

// names keeps one copy of each name, so that what leaves the decoder does not
// alias a body and naming costs no allocation. Senders choose the names: how
// many are kept is bounded, the rest are copied each time.
type names struct {
	kept  map[string]string
	lists map[string][]signal.FeatureName
}

const maxNames = 4096

// maxName bounds the name of a column, in bytes: what is longer is none, and a
// thousand columns would be called after it.
const maxName = 256

func newNames() names {
	return names{kept: map[string]string{}, lists: map[string][]signal.FeatureName{}}
}

func (n *names) keep(s string) string {
	if k, ok := n.kept[s]; ok {
		return k
	}
	s = strings.Clone(s)
	if len(n.kept) < maxNames && len(s) <= maxName {
		n.kept[s] = s
	}
	return s
}

// numbered gives tensor.0, tensor.1, ... up to width names.
func (n *names) numbered(tensor string, width int) []signal.FeatureName {
	list := n.lists[tensor]
	if len(list) >= width {
		return list[:width]
	}
	tensor = n.keep(tensor)
	list = make([]signal.FeatureName, width)
	for i := range list {
		list[i] = signal.FeatureName(tensor + "." + strconv.Itoa(i))
	}
	if len(n.lists) < maxNames/64 {
		n.lists[tensor] = list
	}
	return list
}
