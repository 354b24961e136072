package tabular

import (
	"errors"
	"fmt"
	"io"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Reader gives the rows of one file. Its errors are of kind errs.Invalid, name
// the place of the fault, file:line:column or the row of a row group, and say
// the cure.
type Reader struct {
	source source
	rows   int // given or skipped so far
	from   int
	to     int // 0: to the end
}

// source reads one format. It is used from one goroutine.
type source interface {
	// format names the format for people.
	format() string
	// header gives the columns known so far. next may add to its end.
	header() []string
	// next gives a row with one cell for each column of the header, empty text
	// where the row has none, or io.EOF. The slice is valid until the next call;
	// the strings may be kept, but may hold the whole row.
	next() ([]string, error)
	// at names the place of cell i of the row read last.
	at(i int) string
	// offset is the number of bytes read so far.
	offset() int64
	// close frees what the source holds, which is never the file.
	close() error
}

// Slice limits the rows to [from, to), counted from 0 without a header; a to
// of 0 means the end of the file. It must be called before the first Next.
func (r *Reader) Slice(from, to int) { r.from, r.to = from, to }

// Header gives the names of the columns. For JSON lines they are those that
// have occurred so far, in the order in which they did: Next may add to them.
func (r *Reader) Header() []string { return r.source.header() }

// Offset tells how many bytes of the file have been read, for progress.
func (r *Reader) Offset() int64 { return r.source.offset() }

// Close frees what the Reader holds. The file stays open: it is the caller's.
func (r *Reader) Close() error { return r.source.close() }

// Next gives the next row, one cell for each column of the Header, or io.EOF.
// The slice is valid until the next call; the strings may be kept, but may hold
// the whole row.
func (r *Reader) Next() ([]string, error) {
	for {
		if r.to > 0 && r.rows >= r.to {
			return nil, io.EOF
		}
		row, err := r.source.next()
		if err != nil {
			return nil, err
		}
		r.rows++
		if r.rows > r.from {
			return row, nil
		}
	}
}

// Progress is called now and then with the bytes read so far; an error ends the
// reading. It may be nil.
type Progress func(bytes int64) error

// progressEvery is the number of rows between two calls of a Progress.
const progressEvery = 4096

// each calls do for every row.
func (r *Reader) each(progress Progress, do func(row []string) error) error {
	for n := 1; ; n++ {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(row); err != nil {
			return err
		}
		if progress != nil && n%progressEvery == 0 {
			if err := progress(r.Offset()); err != nil {
				return err
			}
		}
	}
}

// fault is an error in a file's content.
func fault(format, cure, text string, args ...any) error {
	return errs.E("read "+format, errs.Invalid, fmt.Errorf(text, args...), cure)
}
