package tabular

import (
	"math"
	"strings"
)

// Want selects a column for Load or Chunks.
type Want struct {
	Column  int  // index into the header, as of a Survey
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
			if c := &columns[i]; !c.add(cellOf(row, c.want.Column)) {
				return fault(r.source.format(), "correct the value, or declare the column categorical", "%s: column %q: %q is not a finite number",
					r.source.at(c.want.Column), r.Header()[c.want.Column], row[c.want.Column])
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

// Chunks reads the wanted columns of all rows and hands them over some rows at a
// time, all of them as texts: what does not fit a column is the taker's to count.
// The values are valid until take returns.
func Chunks(r *Reader, want []Want, rows int, progress Progress, take func(rows int, values []Values) error) error {
	chunk := make([]Values, len(want))
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		err := take(n, chunk)
		for i := range chunk {
			chunk[i].Texts, chunk[i].Missing = chunk[i].Texts[:0], chunk[i].Missing[:0]
		}
		n = 0
		return err
	}
	err := r.each(progress, func(row []string) error {
		for i, w := range want {
			cell := cellOf(row, w.Column)
			switch {
			case w.Numeric:
				cell = strings.TrimSpace(cell)
			case w.Served:
				cell = served(cell)
			}
			chunk[i].Texts = append(chunk[i].Texts, cell)
			chunk[i].Missing = append(chunk[i].Missing, missing(cell))
		}
		if n++; n < rows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// cellOf gives a cell of a row. A column that has not occurred yet is missing.
func cellOf(row []string, column int) string {
	if column < len(row) {
		return row[column]
	}
	return ""
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
