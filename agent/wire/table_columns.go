package wire

import (
	"math"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// columnMaker is the memory of columns that are not simply a list's own.
type columnMaker struct {
	numbers []float64
	texts   []string
	missing []bool
	written []byte // numbers as text
	made    int    // columns of a table that no configuration names
}

func (m *columnMaker) clear() {
	m.numbers, m.texts, m.missing = m.numbers[:0], m.texts[:0], m.missing[:0]
	m.written = m.written[:0]
}

// columnName adds a name to the header.
func (r *reader) columnName(t *table, name string) {
	if len(t.header) > maxColumns {
		return // the table is wider than what is taken apart
	}
	if len(name) >= maxName {
		r.wrong(ShapeMismatch, "a column has a name of %d bytes", len(name))
		return
	}
	t.header = append(t.header, signal.FeatureName(r.names.keep(name)))
}

// addColumns adds the columns of a table to the observation.
func (r *reader) addColumns(t *table, target signal.Target) *Fault {
	r.columns.made = 0
	if t.crowded {
		r.leaveOut(TooWide, "more than %d columns", maxColumns)
	}
	for i := range t.lists {
		l := &t.lists[i]
		named, mapped := t.side.columns[l.name]
		if !mapped && l.plain && len(t.header) > 0 {
			named, mapped = t.header, true
		}
		switch {
		case !l.wide && mapped && l.width != len(named):
			return fault(ShapeMismatch, "%.60q has %d columns, %d are named", l.name, l.width, len(named))
		case l.wide || !mapped && r.columns.made+l.width > maxColumns:
			r.leaveOut(TooWide, "%.60q has %d columns, at most %d are taken apart", l.name, l.width, maxColumns)
			continue
		case mapped:
		case l.width == 1:
			r.columns.made++
			r.addColumn(l, 0, signal.FeatureName(r.names.keep(l.name)), target)
			continue
		default:
			r.columns.made += l.width
			named = r.names.numbered(l.name, l.width)
		}
		for j, name := range named {
			r.addColumn(l, j, name, target)
		}
	}
	return nil
}

func (r *reader) leaveOut(reason Reason, format string, args ...any) {
	if r.leftOut == nil {
		r.leftOut = fault(reason, format, args...)
	}
}

// addColumn adds the j-th column of a list. It is one of texts where any cell is
// text, or all are booleans; else one of numbers, in which a boolean is 1 or 0.
func (r *reader) addColumn(l *list, j int, name signal.FeatureName, target signal.Target) {
	c := signal.Column{Name: name, Target: target}
	m := &r.columns
	switch {
	case l.mixed && l.isText(j):
		r.addTexts(&c, l, j)
	case l.width == 1:
		c.Numbers = l.numbers
	default:
		// An append that outgrows the memory leaves the columns before on the old
		// one, where they stay valid.
		from := len(m.numbers)
		m.numbers = pick(m.numbers, l.numbers, j, l.width)
		c.Numbers = m.numbers[from:]
	}
	r.observed.Columns = append(r.observed.Columns, c)
}

func (l *list) isText(j int) bool {
	booleans, numbers := false, false
	for i := j; i < len(l.kinds); i += l.width {
		switch l.kinds[i] {
		case textCell:
			return true
		case boolCell:
			booleans = true
		default:
			numbers = numbers || !math.IsNaN(l.numbers[i])
		}
	}
	return booleans && !numbers
}

// addTexts fills a column of texts. A number among them goes by the text that
// it has as a category.
func (r *reader) addTexts(c *signal.Column, l *list, j int) {
	m := &r.columns
	from, gaps := len(m.texts), false
	firstMark := len(m.missing)
	for i := j; i < len(l.kinds); i += l.width {
		text, missing := l.texts[i], false
		if l.kinds[i] == numberCell {
			missing = math.IsNaN(l.numbers[i])
			if !missing {
				text = m.write(l.numbers[i])
			}
		}
		m.texts, m.missing = append(m.texts, text), append(m.missing, missing)
		gaps = gaps || missing
	}
	c.Strings = m.texts[from:]
	if gaps {
		c.Missing = m.missing[firstMark:]
	} else {
		m.missing = m.missing[:firstMark]
	}
}

// write gives the text of a number as a category.
func (m *columnMaker) write(x float64) string {
	from := len(m.written)
	m.written = category.AppendNumber(m.written, x)
	return alias(m.written[from:])
}

// join gives the name of a member of an object: prefix.key, or the one of the
// two that is not empty. It is false for a name that is too long to be one; the
// value is left out then.
func (r *reader) join(prefix, key string) (name string, ok bool) {
	if len(prefix)+len(key) >= maxName {
		r.leaveOut(TooWide, "%.60q has a name of %d bytes", key, len(prefix)+len(key))
		return "", false
	}
	switch {
	case prefix == "":
		return key, true
	case key == "":
		return prefix, true
	}
	r.joined = append(append(append(r.joined[:0], prefix...), '.'), key...)
	return r.names.keep(alias(r.joined)), true
}
