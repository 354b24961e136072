package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/errs"
)

const jsonFormat = "JSON lines"

// Bounds of a file of JSON lines: what is beyond them is not a table.
const (
	maxJSONLine    = 16 << 20 // bytes
	maxJSONColumns = 10_000
)

// jsonSource reads one JSON object a line. Its columns are the keys, in the
// order in which they occur first; an object within an object gives columns
// such as applicant.age. A key that a row lacks is missing there, as null is.
type jsonSource struct {
	name    string
	in      *bufio.Reader
	line    int
	read    int64
	long    []byte // a line that is longer than the reader's buffer
	columns []string
	index   map[string]int
	row     []string
	places  []int // for each cell the byte column where its value begins; 0: not in this row
}

// NewJSONLines prepares to read a file of one JSON object a line; lines of
// blanks are passed over. The name stands for the file in errors. It fails on a
// file that is empty or in UTF-16, and on one that is a JSON array.
func NewJSONLines(name string, from io.Reader) (*Reader, error) {
	text, err := textReader(name, jsonFormat, from)
	if err != nil {
		return nil, err
	}
	first, err := text.Peek(1)
	if errors.Is(err, io.EOF) {
		return nil, fault(jsonFormat, "each line must be a JSON object", "%s: the file is empty", name)
	}
	if err != nil {
		return nil, errs.E("read "+name, errs.Unavailable, err, "")
	}
	if first[0] == '[' {
		return nil, fault(jsonFormat, "write one object a line, for example with jq -c '.[]'", "%s:1:1: the file is one JSON array", name)
	}
	return &Reader{source: &jsonSource{name: name, in: text, index: map[string]int{}}}, nil
}

func (s *jsonSource) format() string   { return jsonFormat }
func (s *jsonSource) header() []string { return s.columns }
func (s *jsonSource) offset() int64    { return s.read }
func (s *jsonSource) close() error     { return nil }

func (s *jsonSource) at(i int) string { return s.place(max(1, s.places[i])) }

func (s *jsonSource) place(column int) string {
	return fmt.Sprintf("%s:%d:%d", s.name, s.line, column)
}

func (s *jsonSource) next() ([]string, error) {
	for {
		raw, err := s.readLine()
		if err != nil {
			return nil, err
		}
		if raw = bytes.TrimRight(raw, " \t\r\n"); len(bytes.TrimLeft(raw, " \t")) > 0 {
			err := s.parse(string(raw)) // may lengthen the row
			return s.row, err
		}
	}
}

// readLine gives the next line; a last one without a newline is one. It is
// valid until the next call.
func (s *jsonSource) readLine() ([]byte, error) {
	s.long = s.long[:0]
	for {
		part, err := s.in.ReadSlice('\n')
		s.read += int64(len(part))
		if errors.Is(err, bufio.ErrBufferFull) || len(s.long) > 0 {
			s.long = append(s.long, part...)
		}
		switch {
		case len(s.long) > maxJSONLine:
			s.line++
			return nil, fault(jsonFormat, "write one object a line", "%s: the line is longer than %d MiB", s.place(1), maxJSONLine>>20)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, errs.E("read "+s.name, errs.Unavailable, err, "")
		case len(part)+len(s.long) == 0:
			return nil, io.EOF
		}
		s.line++
		if len(s.long) > 0 {
			return s.long, nil
		}
		return part, nil
	}
}

// parse fills the row from one line.
func (s *jsonSource) parse(line string) error {
	clear(s.row)
	clear(s.places)
	if !utf8.ValidString(line) {
		valid := strings.ToValidUTF8(line, "\x00") // NUL is no JSON, so it marks the place
		return fault(jsonFormat, cureEncoding, "%s: not UTF-8", s.place(1+strings.IndexByte(valid, 0)))
	}
	scan := jsonScanner{text: line, emit: s.put}
	if err := scan.line(); err != nil {
		var wrong *jsonFault
		if errors.As(err, &wrong) {
			return fault(jsonFormat, wrong.cure, "%s: %s", s.place(wrong.at+1), wrong.what)
		}
		return err
	}
	return nil
}

// put keeps one value. hint is the number of values that came before it in the
// line: files whose rows have the same keys in the same order need no search.
func (s *jsonSource) put(hint int, column, cell string, at int) error {
	i := hint
	if hint >= len(s.columns) || s.columns[hint] != column {
		var known bool
		if i, known = s.index[column]; !known {
			if len(s.columns) == maxJSONColumns {
				return &jsonFault{at, fmt.Sprintf("%q would be column %d", column, maxJSONColumns+1), "keys name columns; write what varies as values"}
			}
			i = len(s.columns)
			column = strings.Clone(column)
			s.columns = append(s.columns, column)
			s.index[column] = i
			s.row = append(s.row, "")
			s.places = append(s.places, 0)
		}
	}
	if s.places[i] != 0 {
		return &jsonFault{at, fmt.Sprintf("%q is there twice", column), "keep one of them"}
	}
	s.row[i], s.places[i] = cell, at+1
	return nil
}
