package tabular

import (
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

// Examine reads all rows and tells what the columns hold. A column that only
// some rows have is missing in the others.
func Examine(r *Reader, progress Progress) (*Survey, error) {
	s := &Survey{}
	s.grow(r.Header())
	err := r.each(progress, func(row []string) error {
		s.grow(r.Header())
		s.Rows++
		for i, cell := range row {
			if isNumber := s.Columns[i].examine(cell); !isNumber && s.Columns[i].At == "" {
				s.Columns[i].First, s.Columns[i].At = strings.Clone(cell), r.source.at(i)
			}
		}
		return nil
	})
	return s, err
}

// grow adds the columns of the header that are new.
func (s *Survey) grow(header []string) {
	for _, name := range header[len(s.Columns):] {
		s.Columns = append(s.Columns, Column{Name: name, Missing: s.Rows, seen: map[string]struct{}{}})
	}
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
