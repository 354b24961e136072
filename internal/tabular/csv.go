package tabular

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/errs"
)

const csvFormat = "CSV"

// csvSource reads RFC 4180 with a header.
type csvSource struct {
	name    string
	csv     *csv.Reader
	columns []string // without surrounding blanks
}

// NewCSV reads the header of a CSV file. The name stands for the file in
// errors. It fails on a file that is empty or in UTF-16, on a column without a
// name, on two columns of one name, and where the header is separated by
// something else than commas.
func NewCSV(name string, from io.Reader) (*Reader, error) {
	text, err := textReader(name, csvFormat, from)
	if err != nil {
		return nil, err
	}
	s := &csvSource{name: name, csv: csv.NewReader(text)}
	s.csv.ReuseRecord = true
	row, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault(csvFormat, "the first line must name the columns", "%s: the file is empty", name)
	}
	if err != nil {
		return nil, s.explain(err)
	}
	if err := s.readHeader(row); err != nil {
		return nil, err
	}
	return &Reader{source: s}, nil
}

func (s *csvSource) readHeader(row []string) error {
	if err := s.checkText(row); err != nil {
		return err
	}
	if len(row) == 1 && strings.ContainsAny(row[0], ";\t") {
		return fault(csvFormat, "save it with commas", "%s:1:1: the columns are not separated by commas: %q", s.name, row[0])
	}
	seen := map[string]int{}
	for i, cell := range row {
		_, column := s.csv.FieldPos(i)
		name := strings.TrimSpace(cell)
		if name == "" {
			return fault(csvFormat, "name it in the first line, or write the file without an index column", "%s:1:%d: column %d has no name", s.name, column, i+1)
		}
		if first, twice := seen[name]; twice {
			return fault(csvFormat, "rename one of them", "%s:1:%d: columns %d and %d are both called %q", s.name, column, first, i+1, name)
		}
		seen[name] = i + 1
		s.columns = append(s.columns, name)
	}
	return nil
}

func (s *csvSource) format() string   { return csvFormat }
func (s *csvSource) header() []string { return s.columns }
func (s *csvSource) offset() int64    { return s.csv.InputOffset() }
func (s *csvSource) close() error     { return nil }

func (s *csvSource) next() ([]string, error) {
	row, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, s.explain(err)
	}
	return row, s.checkText(row)
}

func (s *csvSource) at(i int) string {
	line, column := s.csv.FieldPos(i)
	return fmt.Sprintf("%s:%d:%d", s.name, line, column)
}

func (s *csvSource) checkText(row []string) error {
	for i, cell := range row {
		if !utf8.ValidString(cell) {
			return fault(csvFormat, cureEncoding, "%s: %q is not UTF-8", s.at(i), cell)
		}
	}
	return nil
}

// explain turns the decoder's error into one with a place and a cure.
func (s *csvSource) explain(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return errs.E("read "+s.name, errs.Unavailable, err, "")
	}
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		return fault(csvFormat, "look for a comma too many or too few, or a text with a comma that is not in quotes",
			"%s:%d:1: the row's number of cells is not the header's %d", s.name, parse.StartLine, len(s.columns))
	}
	return fault(csvFormat, `a text that holds a quote is written in quotes, with the quote twice: "6"" pipe"`,
		"%s:%d:%d: %w", s.name, parse.Line, parse.Column, parse.Err)
}
