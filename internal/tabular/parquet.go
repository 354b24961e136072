package tabular

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

const parquetFormat = "Parquet"

// parquetBatch is how many rows are decoded at once.
const parquetBatch = 256

// codecs are the compressions that are read. The library's LZ4 fails on files of
// other writers, and does not end on damaged ones.
var codecs = []format.CompressionCodec{format.Uncompressed, format.Snappy, format.Gzip, format.Zstd, format.Brotli}

// parquetSource reads the row groups of a Parquet file one after the other.
// Fields of a group give columns such as applicant.age; lists and maps are
// refused.
type parquetSource struct {
	name    string
	size    int64
	file    *parquet.File
	columns []string
	write   []cellWriter // for each column

	group   int          // index of the row group at hand
	rows    parquet.Rows // of that group; nil before the first
	batch   []parquet.Row
	left    []parquet.Row // of the batch, not given yet
	inGroup int           // rows of the group given so far
	given   int64         // rows of the file given so far

	text []byte // scratch: the cells of a row, one after the other
	row  []string
	ends []int
}

// NewParquet reads the footer of a Parquet file. The name stands for the file
// in errors. It fails on a file that is damaged or none, and on a column that
// holds more than one value a row.
func NewParquet(name string, from io.ReaderAt, size int64) (*Reader, error) {
	s := &parquetSource{name: name, size: size, batch: make([]parquet.Row, parquetBatch)}
	err := s.guard(func() (err error) {
		s.file, err = parquet.OpenFile(from, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		return err
	})
	if err != nil {
		return nil, fault(parquetFormat, "write it again, or name its real format with --format", "%s: not a Parquet file, or a damaged one: %v", name, err)
	}
	if err := s.readSchema(); err != nil {
		return nil, err
	}
	return &Reader{source: s}, nil
}

func (s *parquetSource) readSchema() error {
	for _, group := range s.file.Metadata().RowGroups {
		for _, chunk := range group.Columns {
			if codec := chunk.MetaData.Codec; !slices.Contains(codecs, codec) {
				return fault(parquetFormat, "write it with snappy, gzip, zstd or brotli", "%s: the file is compressed by %s, which is not read", s.name, codec)
			}
		}
	}
	schema := s.file.Schema()
	for _, path := range schema.Columns() {
		leaf, _ := schema.Lookup(path...)
		column := strings.Join(path, ".")
		if leaf.MaxRepetitionLevel > 0 {
			return fault(parquetFormat, "write one value for each column, or leave the column out", "%s: column %q holds a list", s.name, column)
		}
		write, what := writerOf(leaf.Node.Type())
		if write == nil {
			return fault(parquetFormat, "convert it to a number or a text, or leave the column out", "%s: column %q holds %s", s.name, column, what)
		}
		s.columns = append(s.columns, column)
		s.write = append(s.write, write)
	}
	s.row, s.ends = make([]string, len(s.columns)), make([]int, len(s.columns))
	return nil
}

func (s *parquetSource) format() string   { return parquetFormat }
func (s *parquetSource) header() []string { return s.columns }

// offset is the share of the rows that have been given, in bytes: pages are
// read here and there.
func (s *parquetSource) offset() int64 {
	return int64(float64(s.given) / float64(max(1, s.file.NumRows())) * float64(s.size))
}

func (s *parquetSource) at(int) string {
	return fmt.Sprintf("%s: row %d of row group %d", s.name, s.inGroup, s.group+1)
}

func (s *parquetSource) close() error {
	if s.rows == nil {
		return nil
	}
	return s.rows.Close()
}

func (s *parquetSource) next() ([]string, error) {
	if len(s.left) == 0 {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	row := s.left[0]
	s.left = s.left[1:]
	s.inGroup++
	s.given++
	return s.row, s.cells(row)
}

// fill decodes the next batch of rows.
func (s *parquetSource) fill() error {
	for groups := s.file.RowGroups(); ; {
		if s.group >= len(groups) {
			return io.EOF
		}
		var n int
		err := s.guard(func() (err error) {
			if s.rows == nil {
				s.rows = groups[s.group].Rows()
			}
			n, err = s.rows.ReadRows(s.batch)
			return err
		})
		if err != nil && !errors.Is(err, io.EOF) {
			return fault(parquetFormat, "write the file again", "%s: row group %d is damaged after row %d: %v", s.name, s.group+1, s.inGroup, err)
		}
		if n > 0 {
			s.left = s.batch[:n]
			return nil
		}
		if err == nil {
			continue
		}
		if want := groups[s.group].NumRows(); int64(s.inGroup) != want {
			return fault(parquetFormat, "write the file again", "%s: row group %d ends after %d of %d rows", s.name, s.group+1, s.inGroup, want)
		}
		if err := s.rows.Close(); err != nil {
			return fmt.Errorf("read %s: %w", s.name, err)
		}
		s.rows, s.inGroup = nil, 0
		s.group++
	}
}

// cells writes a row as text. A file without lists has one value a column, in
// the columns' order.
func (s *parquetSource) cells(row parquet.Row) error {
	if len(row) != len(s.columns) {
		return fault(parquetFormat, "write the file again", "%s: %d values in %d columns", s.at(0), len(row), len(s.columns))
	}
	s.text = s.text[:0]
	for i, v := range row {
		start := len(s.text)
		if !v.IsNull() {
			s.text = s.write[i](s.text, v)
		}
		s.ends[i] = len(s.text)
		if !utf8.Valid(s.text[start:]) {
			return fault(parquetFormat, "write the column as text in UTF-8, or leave it out", "%s: column %q: %q is not UTF-8", s.at(i), s.columns[i], s.text[start:])
		}
	}
	text, start := string(s.text), 0
	for i, end := range s.ends {
		s.row[i] = text[start:end]
		start = end
	}
	return nil
}

// guard turns a panic into an error: the library panics on some damaged files.
// Its errors are told but not wrapped: an io.EOF within means damage, not the end.
func (s *parquetSource) guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return do()
}
