package wire

// place is a member of a body that may hold the rows.
type place struct {
	key  string
	read func(*reader, *table)
}

// places reads the body, an object, of which one member holds the rows. Where
// several do, the last one counts, as in other readers; where none does, the
// body as a whole is read by rest, if there is one.
func (r *reader) places(t *table, list []place, rest func(*reader, *table)) {
	s := &r.scan
	start, found := s.at, false
	if s.next() == '{' {
		s.object(func(key string) {
			if p := placeOf(list, key); p != nil {
				t.clear()
				p.read(r, t)
				found = true
			} else {
				s.skip(0)
			}
		})
		if found || s.err != nil {
			s.finish()
			return
		}
		s.at = start
	}
	if rest == nil {
		s.skip(0)
	} else {
		t.clear()
		rest(r, t)
	}
	s.finish()
}

func placeOf(list []place, key string) *place {
	for i := range list {
		if list[i].key == key {
			return &list[i]
		}
	}
	return nil
}

// isJSON says whether a body begins as an object or an array does.
func isJSON(body []byte) bool {
	s := scanner{text: body}
	c := s.next()
	return c == '{' || c == '['
}

// opaque notes a request that is no table, such as an image, and takes it.
func (r *reader) opaque(t *table) {
	t.opaque = true
	r.scan.at = len(r.scan.text)
}
