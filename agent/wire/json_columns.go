package wire

// columnsForm reads an object of columns: each member is an array with one
// element for each row, and a member that is no array is the same in every row.
// An array in place of the object is rows, of one list without a name.
func (r *reader) columnsForm(t *table) {
	if r.scan.next() != '{' {
		r.rows(t)
		return
	}
	r.members(t, "", 0, true)
	switch {
	case t.agreed >= 0:
		t.rows = t.agreed
	case len(t.lists) > 0:
		t.rows = 1
	}
}

// columnMember reads a column that begins with c: an array of a value for each
// row, or one value that all rows have.
func (r *reader) columnMember(t *table, l *list, c byte) {
	l.begin(l.name)
	if c != '[' {
		l.once = true
		r.cells(t, l)
		return
	}
	r.column(t, l)
}

// column reads the rows of one list.
func (r *reader) column(t *table, l *list) {
	t.rows = 0
	r.scan.array(func() {
		r.cells(t, l)
		r.endRow(t)
	})
	if t.agreed >= 0 && t.agreed != t.rows {
		r.wrong(RowsMismatch, "%.60q has %d rows, others have %d", l.name, t.rows, t.agreed)
	}
	t.agreed, t.rows = t.rows, 0
}

// split reads the form that pandas calls so: the names of the columns, and rows
// of values without names.
func (r *reader) split(t *table) {
	s := &r.scan
	s.object(func(key string) {
		switch key {
		case "columns":
			r.header(t)
		case "data":
			t.lists = t.lists[:0]
			r.rows(t)
		default:
			s.skip(0)
		}
	})
}

// header reads names for the columns of the base list. One that is no string
// goes by its text.
func (r *reader) header(t *table) {
	s := &r.scan
	t.header = t.header[:0]
	s.array(func() {
		if s.next() == '"' {
			r.columnName(t, s.str())
			return
		}
		start := s.at
		s.skip(0)
		if s.err == nil {
			r.columnName(t, alias(s.text[start:s.at]))
		}
	})
}
