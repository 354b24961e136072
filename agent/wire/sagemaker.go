package wire

// sageMakerRequest is what SageMaker's containers take beside the rows at the
// top of the body, JSON lines, and CSV without names:
//
//	{"instances": [{"features": [...]}, ...]}
var sageMakerRequest = []place{{"instances", (*reader).rows}}

// readJSONLines reads a body whose members are no places: an array of rows, or
// one row after the other, as JSON lines write them.
func readJSONLines(r *reader, t *table) {
	s := &r.scan
	if s.next() == '[' {
		r.rows(t)
		if s.err != nil || s.next() == 0 && s.at >= len(s.text) {
			return
		}
		r.linesOfLists(t)
		return
	}
	for s.err == nil && s.next() == '{' {
		r.row(t)
	}
}

// linesOfLists reads JSON lines that are lists: what was taken for an array of
// rows is the first row.
func (r *reader) linesOfLists(t *table) {
	s := &r.scan
	s.at = 0
	t.clear()
	for s.err == nil && s.next() == '[' {
		r.row(t)
	}
}
