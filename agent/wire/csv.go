package wire

import "bytes"

// csv reads rows of comma-separated values, RFC 4180. A value that reads as a
// number is one; empty text and the words that pandas writes are missing.
//
// Whether the first line of a request names the columns shows in the number of
// rows that are answered: MLflow wants the names, SageMaker's containers do
// not. The answer is read first for that.
func (r *reader) csv(t *table) {
	s := &r.scan
	s.text = bytes.TrimPrefix(s.text, []byte(byteOrderMark))
	if t == &r.in && r.namesColumns() && s.csvMore() {
		s.csvTexts(func(text string) { r.columnName(t, text) })
	}
	l := t.list(t.base)
	l.plain = true
	for s.csvMore() {
		from := r.rowStart(t, l)
		if l.wide {
			s.csvTexts(func(string) {})
			l.rows++
		} else {
			s.csvRecord(l)
			r.rowEnd(t, l, from)
		}
		r.endRow(t)
	}
	t.line = t.rows == 1
}

const byteOrderMark = "\xef\xbb\xbf"

// namesColumns says whether the first line of a request names the columns.
func (r *reader) namesColumns() bool {
	lines, answered := r.scan.csvRecords(), r.out.rows
	if r.out.line && len(r.out.lists) == 1 && r.out.lists[0].width > 1 {
		switch width := r.out.lists[0].width; {
		case lines == 2 && width == 2:
			return !r.scan.csvHasNumber() // two rows and their values, or names and one row
		case lines == width:
			return false
		case lines == width+1:
			return true
		}
	}
	return answered > 0 && lines == answered+1
}

// turnLine makes an answer that is one line with a value for each row a column,
// as some servers write it.
func (r *reader) turnLine() {
	if !r.out.line || r.in.rows < 2 || r.out.rows != 1 {
		return
	}
	if l := &r.out.lists[0]; l.width == r.in.rows && !l.wide {
		r.out.rows, l.rows, l.width = l.width, l.width, 1
	}
}

// csvRecords counts the records of the text, and takes none.
func (s *scanner) csvRecords() (n int) {
	ahead := scanner{text: s.text}
	for ahead.csvMore() {
		n++
		for quotes := 0; ; {
			line := ahead.text[ahead.at:]
			if end := bytes.IndexByte(line, '\n'); end >= 0 {
				line = line[:end+1]
			}
			ahead.at += len(line)
			quotes += bytes.Count(line, []byte{'"'})
			if quotes%2 == 0 || ahead.at >= len(ahead.text) {
				break
			}
		}
	}
	return n
}

// csvHasNumber says whether the first record has a value that is a number, and
// takes nothing.
func (s *scanner) csvHasNumber() (has bool) {
	ahead := scanner{text: s.text}
	ahead.csvMore()
	ahead.csvTexts(func(text string) {
		_, ok := csvNumber(text)
		has = has || ok
	})
	return has
}
