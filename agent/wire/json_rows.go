package wire

import (
	"math"
)

// rows reads an array of rows; anything else is one row.
func (r *reader) rows(t *table) {
	s := &r.scan
	if s.next() != '[' {
		r.row(t)
		return
	}
	s.array(func() { r.row(t) })
}

// row reads one row: an object of cells, a list of cells, or one cell.
func (r *reader) row(t *table) {
	if r.scan.next() == '{' {
		r.members(t, "", 0, false)
	} else {
		r.plainRow(t)
	}
	r.endRow(t)
}

// plainRow reads the cells of a row that have no names.
func (r *reader) plainRow(t *table) {
	l := t.list(t.base)
	if l == nil {
		r.scan.skip(0)
		return
	}
	l.plain = true
	r.cells(t, l)
}

// members reads an object, of which prefix is the name so far: of the cells of a
// row, or of columns. The names of nested objects are joined with a dot.
func (r *reader) members(t *table, prefix string, depth int, columns bool) {
	s := &r.scan
	if depth > maxDepth {
		s.fail("less nesting")
		return
	}
	s.object(func(key string) {
		c := s.next()
		if key == base64Key && c == '"' { // it stands for its object
			if prefix == "" && !columns {
				r.plainRow(t)
				return
			}
			if prefix != "" {
				key = ""
			}
		}
		name, ok := r.join(prefix, key)
		if ok && c == '{' {
			r.members(t, name, depth+1, columns)
			return
		}
		var l *list
		if ok {
			l = t.list(name)
		}
		switch {
		case l == nil:
			s.skip(0)
		case columns:
			r.columnMember(t, l, c)
		default:
			r.cells(t, l)
		}
	})
}

// base64Key is the one key of the object that stands for bytes where JSON has
// no type for them, in TensorFlow Serving and KServe V1. Its text counts as it
// is written: two are equal where the bytes are.
const base64Key = "b64"

// cells reads what a row has for one list. null is a missing row, as long as
// the others.
func (r *reader) cells(t *table, l *list) {
	s := &r.scan
	from := r.rowStart(t, l)
	c := s.next()
	switch {
	case l.wide:
		s.skip(0)
		l.rows++
		return
	case c == '[':
		r.vector(l, 0)
	case c == 'n' && l.width != 1 && s.literal() == literalNull:
		if l.width > 0 && r.mayPad(t, l.width) {
			l.gap(l.width)
		}
		l.rows++
		return
	default:
		r.cell(l, c, 0)
	}
	r.rowEnd(t, l, from)
}

// vector reads a list of cells, nested or not.
func (r *reader) vector(l *list, depth int) {
	s := &r.scan
	if depth > maxDepth {
		s.fail("less nesting")
		return
	}
	if !s.take('[') || s.take(']') {
		return
	}
	for s.err == nil {
		if c := s.next(); (c-'0' <= 9 || c == '-') && !l.mixed {
			l.numbers = append(l.numbers, s.number())
		} else {
			r.cell(l, c, depth)
		}
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			s.fail("a comma or the end of the array")
		}
		return
	}
}

// cell reads a value that begins with c.
func (r *reader) cell(l *list, c byte, depth int) {
	s := &r.scan
	switch c {
	case '"':
		l.text(s.str())
		return
	case '[':
		r.vector(l, depth+1)
		return
	case '{':
		r.objectCell(l)
		return
	}
	switch s.literal() {
	case literalNull:
		l.number(math.NaN())
	case literalTrue:
		l.boolean(1)
	case literalFalse:
		l.boolean(0)
	default:
		l.number(s.number())
	}
}

// objectCell reads an object in a list. Only one that stands for bytes has a
// place in a table.
func (r *reader) objectCell(l *list) {
	s := &r.scan
	text, members := "", 0
	s.object(func(key string) {
		members++
		if key == base64Key && s.next() == '"' {
			text = s.str()
			return
		}
		text = ""
		s.skip(0)
	})
	if members != 1 || text == "" {
		r.wrong(ShapeMismatch, "%.60q has an object within a list", l.name)
	}
	l.text(text)
}
