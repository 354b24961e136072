package tabular

import (
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
)

// MaxDistinct is how many different values of a column Examine tells apart.
const MaxDistinct = 1000

// Survey is what one pass over the rows found.
type Survey struct {
	Rows    int
	Columns []Column // in the order of the header
}

// Column describes one column of a file.
type Column struct {
	Name     string
	Missing  int // cells that are empty, NA, NaN or null
	Numbers  int // cells that are finite numbers
	Booleans int // cells that are true or false, in any case
	Texts    int // all other cells
	Distinct int // different values other than missing, at most MaxDistinct+1

	// The first cell that is neither missing nor a number, and where it stands
	// (file:line:column); At is empty where there is none.
	First string
	At    string

	seen map[string]struct{} // nil once Distinct is past MaxDistinct
}

// Numeric says that there are values and that each is a finite number.
func (c *Column) Numeric() bool { return c.Numbers > 0 && c.Booleans == 0 && c.Texts == 0 }

// Boolean says that there are values and that each is true or false.
func (c *Column) Boolean() bool { return c.Booleans > 0 && c.Numbers == 0 && c.Texts == 0 }

// Progress is called now and then with the bytes read so far; an error ends the
// reading. It may be nil.
type Progress func(bytes int64) error

// Examine reads all rows and tells what the columns hold.
func Examine(r *Reader, progress Progress) (*Survey, error) {
	s := &Survey{Columns: make([]Column, len(r.Header()))}
	for i, name := range r.Header() {
		s.Columns[i] = Column{Name: name, seen: map[string]struct{}{}}
	}
	err := r.each(progress, func(row []string) error {
		s.Rows++
		for i, cell := range row {
			if isNumber := s.Columns[i].examine(cell); !isNumber && s.Columns[i].At == "" {
				s.Columns[i].First, s.Columns[i].At = strings.Clone(cell), r.at(i)
			}
		}
		return nil
	})
	return s, err
}

// examine counts one cell; false where it is neither missing nor a number.
func (c *Column) examine(cell string) bool {
	if missing(cell) {
		c.Missing++
		return true
	}
	if _, known := c.seen[cell]; !known && c.seen != nil {
		c.Distinct++
		c.seen[strings.Clone(cell)] = struct{}{}
		if c.Distinct > MaxDistinct {
			c.seen = nil
		}
	}
	_, isNumber := number(cell)
	switch {
	case isNumber:
		c.Numbers++
	case boolean(cell):
		c.Booleans++
	default:
		c.Texts++
	}
	return isNumber
}

// Want selects a column for Load.
type Want struct {
	Column  int  // index into the header
	Numeric bool // false: as text

	// Served writes texts in the form in which a model server's values are
	// counted, "1" for "1.0" and "true" for "True". It is for columns that are
	// numbers or booleans throughout; codes such as 01234 stay as they are.
	Served bool
}

// Values is one loaded column. Exactly one of Numbers and Texts is set; a
// missing number is NaN, a missing text is marked in Missing.
type Values struct {
	Numbers []float64
	Texts   []string
	Missing []bool
}

// Load reads the wanted columns of all rows; rows, where it is known, saves
// growing. A cell of a numeric column that is neither missing nor a finite
// number is an error.
func Load(r *Reader, want []Want, rows int, progress Progress) ([]Values, error) {
	columns := make([]loading, len(want))
	for i, w := range want {
		columns[i] = newLoading(w, rows)
	}
	err := r.each(progress, func(row []string) error {
		for i := range columns {
			c := &columns[i]
			if !c.add(row[c.want.Column]) {
				return fault("correct the value, or declare the column categorical", "%s: column %q: %q is not a finite number",
					r.at(c.want.Column), r.header[c.want.Column], row[c.want.Column])
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Values, len(want))
	for i := range columns {
		out[i] = columns[i].values
	}
	return out, nil
}

// loading is a column while it grows. Equal texts share their bytes, since a
// cell of a Reader keeps its whole row alive.
type loading struct {
	want     Want
	values   Values
	interned map[string]string
}

func newLoading(w Want, rows int) loading {
	if w.Numeric {
		return loading{want: w, values: Values{Numbers: make([]float64, 0, rows)}}
	}
	return loading{want: w, interned: map[string]string{}, values: Values{Texts: make([]string, 0, rows), Missing: make([]bool, 0, rows)}}
}

// add appends one cell; false where it does not fit the column.
func (c *loading) add(cell string) bool {
	absent := missing(cell)
	if c.want.Numeric {
		v, ok := number(cell)
		if absent {
			v = math.NaN()
		}
		c.values.Numbers = append(c.values.Numbers, v)
		return ok || absent
	}
	text, known := c.interned[cell]
	if !known {
		key := strings.Clone(cell)
		text = key
		if c.want.Served {
			text = served(key)
		}
		c.interned[key] = text
	}
	c.values.Texts = append(c.values.Texts, text)
	c.values.Missing = append(c.values.Missing, absent)
	return true
}

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

// missing says whether a cell holds no value.
func missing(cell string) bool {
	switch strings.TrimSpace(cell) {
	case "", "NA", "NaN", "nan", "null", "NULL":
		return true
	}
	return false
}

// served is the form in which a number or boolean is counted.
func served(cell string) string {
	if boolean(cell) {
		return strings.ToLower(strings.TrimSpace(cell))
	}
	if v, ok := number(cell); ok && strings.ContainsAny(cell, ".eE") {
		return category.OfNumber(v)
	}
	return cell
}

func boolean(cell string) bool {
	trimmed := strings.TrimSpace(cell)
	return strings.EqualFold(trimmed, "true") || strings.EqualFold(trimmed, "false")
}

// number reads a finite number.
func number(cell string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}
