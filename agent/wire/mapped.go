package wire

// mappedForm reads the JSON of any other server, BentoML, Ray Serve, or one
// that was made at home: the configuration says at which path it is asked, and
// where in the bodies the rows stand, and how.
var mappedForm = protocolForm{
	protocols: []Protocol{Mapped},
	request:   readMapped,
	response:  (*reader).mapped,
}

func readMapped(r *reader, t *table) {
	if isJSON(r.scan.text) {
		r.mapped(t)
	} else {
		r.opaque(t)
	}
}

func (r *reader) mapped(t *table) {
	s := &r.scan
	side := t.side
	found := s.follow(side.at, func() {
		t.clear()
		switch side.form {
		case RowsForm:
			r.rows(t)
		case ColumnsForm:
			r.columnsForm(t)
		case RowForm:
			r.row(t)
		default:
			r.anyForm(t)
		}
	})
	s.finish()
	if !found {
		r.wrong(NotInference, "nothing at the configured pointer")
	}
}

// anyForm reads a value as what it looks like: an array is rows, an object with
// an array as a direct member is columns, and all else is one row.
func (r *reader) anyForm(t *table) {
	s := &r.scan
	switch s.next() {
	case '[':
		r.rows(t)
	case '{':
		if s.hasArray() {
			r.columnsForm(t)
		} else {
			r.row(t)
		}
	default:
		r.row(t)
	}
}

// hasArray says whether the object that comes next has an array as a member,
// and takes nothing. Of an object that is broken it says false.
func (s *scanner) hasArray() bool {
	ahead := scanner{text: s.text, at: s.at}
	if !ahead.take('{') {
		return false
	}
	for ahead.next() == '"' {
		ahead.str()
		if !ahead.take(':') {
			return false
		}
		if ahead.next() == '[' {
			return true
		}
		ahead.skip(0)
		if !ahead.take(',') {
			return false
		}
	}
	return false
}
