// Package tabular reads CSV files: by row, as a stream, and by column.
//
//	file -> Reader (rows, checked) -> Examine (first pass: kinds, missing)
//	                               -> Load    (second pass: columns)
//
// Files are RFC 4180 in UTF-8 with a header. A Reader holds one row; Examine
// holds at most MaxDistinct values of each column; Load holds 8 bytes for each
// number and 17 for each text beside one copy of every different text. There
// is no limit on the size of a file.
package tabular

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Reader gives the rows of one file. Its errors are of kind errs.Invalid, name
// file, line and column of the fault, and say the cure.
type Reader struct {
	name   string
	csv    *csv.Reader
	header []string
	rows   int // given or skipped so far
	from   int
	to     int // 0: to the end
}

// NewReader reads the header. The name stands for the file in errors. It fails
// on a file that is empty or in UTF-16, on a column without a name, on two
// columns of one name, and where the header is separated by something else
// than commas.
func NewReader(name string, from io.Reader) (*Reader, error) {
	buffered := bufio.NewReaderSize(from, 1<<16)
	start, _ := buffered.Peek(3) // a shorter file fails below
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
		return nil, fault("save it as UTF-8", "%s:1:1: the file is in UTF-16", name)
	}
	if bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3) // buffered already: cannot fail
	}
	r := &Reader{name: name, csv: csv.NewReader(buffered)}
	r.csv.ReuseRecord = true
	row, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault("the first line must name the columns", "%s: the file is empty", name)
	}
	if err != nil {
		return nil, r.explain(err)
	}
	return r, r.readHeader(row)
}

func (r *Reader) readHeader(row []string) error {
	if err := r.checkText(row); err != nil {
		return err
	}
	if len(row) == 1 && strings.ContainsAny(row[0], ";\t") {
		return fault("save it with commas", "%s:1:1: the columns are not separated by commas: %q", r.name, row[0])
	}
	seen := map[string]int{}
	for i, cell := range row {
		_, column := r.csv.FieldPos(i)
		name := strings.TrimSpace(cell)
		if name == "" {
			return fault("name it in the first line, or write the file without an index column", "%s:1:%d: column %d has no name", r.name, column, i+1)
		}
		if first, twice := seen[name]; twice {
			return fault("rename one of them", "%s:1:%d: columns %d and %d are both called %q", r.name, column, first, i+1, name)
		}
		seen[name] = i + 1
		r.header = append(r.header, name)
	}
	return nil
}

// Slice limits the rows to [from, to), counted from 0 without the header; a to
// of 0 means the end of the file. It must be called before the first Next.
func (r *Reader) Slice(from, to int) { r.from, r.to = from, to }

// Header gives the names of the columns, without surrounding blanks.
func (r *Reader) Header() []string { return r.header }

// Offset tells how many bytes of the file have been read, for progress.
func (r *Reader) Offset() int64 { return r.csv.InputOffset() }

// Next gives the next row, one cell for each column, or io.EOF. The slice is
// valid until the next call; the strings may be kept, but hold the whole row.
func (r *Reader) Next() ([]string, error) {
	for {
		if r.to > 0 && r.rows >= r.to {
			return nil, io.EOF
		}
		row, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, r.explain(err)
		}
		r.rows++
		if r.rows > r.from {
			return row, r.checkText(row)
		}
	}
}

// checkText refuses what is not UTF-8: it would change on its way through JSON.
func (r *Reader) checkText(row []string) error {
	for i, cell := range row {
		if !utf8.ValidString(cell) {
			return fault("convert the file, for example with iconv -f latin1 -t utf-8", "%s: %q is not UTF-8", r.at(i), cell)
		}
	}
	return nil
}

// at names the place of cell i of the row read last: file:line:column.
func (r *Reader) at(i int) string {
	line, column := r.csv.FieldPos(i)
	return fmt.Sprintf("%s:%d:%d", r.name, line, column)
}

// explain turns the decoder's error into one with a place and a cure.
func (r *Reader) explain(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return errs.E("read "+r.name, errs.Unavailable, err, "")
	}
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		return fault("look for a comma too many or too few, or a text with a comma that is not in quotes",
			"%s:%d:1: the row's number of cells is not the header's %d", r.name, parse.StartLine, len(r.header))
	}
	return fault(`a text that holds a quote is written in quotes, with the quote twice: "6"" pipe"`,
		"%s:%d:%d: %w", r.name, parse.Line, parse.Column, parse.Err)
}

// fault is an error in the file's content.
func fault(cure, format string, args ...any) error {
	return errs.E("read CSV", errs.Invalid, fmt.Errorf(format, args...), cure)
}
