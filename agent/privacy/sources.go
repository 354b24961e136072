package privacy

import (
	"math"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// Source says where an attribute comes from that is no input: a header of the
// request, or a table by an id.
type Source struct {
	Attribute signal.FeatureName
	Header    string // the attribute of all rows
	Table     *Table
	ID        signal.FeatureName // the input that names the person; empty: the row, by the request's id
}

// maxValue bounds an attribute's value, in bytes; a longer one is missing.
const maxValue = 256

// Sources adds attributes to observations, as inputs that stand before those of
// the request: of two with one name the source's counts. One goroutine may use it
// at a time.
type Sources struct {
	list    []Source
	out     signal.Observation
	columns []signal.Column
}

// NewSources gives nil for none; nil adds nothing.
func NewSources(list []Source) *Sources {
	if len(list) == 0 {
		return nil
	}
	return &Sources{list: list}
}

// Apply gives the observation with its attributes. headers are those that the
// request had; it is valid as Filter.Apply's is.
func (s *Sources) Apply(obs *signal.Observation, headers map[string]string) *signal.Observation {
	if s == nil {
		return obs
	}
	s.out = *obs
	s.columns = s.columns[:0]
	for i := range s.list {
		s.columns = append(s.columns, s.list[i].column(obs, headers))
	}
	s.columns = append(s.columns, obs.Columns...)
	s.out.Columns = s.columns
	return &s.out
}

// Tables gives the tables of the sources, each once.
func (s *Sources) Tables() []*Table {
	if s == nil {
		return nil
	}
	var out []*Table
	seen := map[*Table]bool{}
	for _, one := range s.list {
		if one.Table != nil && !seen[one.Table] {
			seen[one.Table] = true
			out = append(out, one.Table)
		}
	}
	return out
}

func (s *Source) column(obs *signal.Observation, headers map[string]string) signal.Column {
	c := signal.Column{Name: s.Attribute, Target: signal.TargetFeature, Strings: make([]string, obs.Rows), Missing: make([]bool, obs.Rows)}
	var find func(row int) string
	switch {
	case s.Table == nil:
		value := strings.TrimSpace(headers[s.Header])
		find = func(int) string { return value }
	case s.ID == "":
		table := s.Table.now()
		find = func(row int) string {
			if value := table.find(signal.RowID(obs.Request, uint32(row)), s.Attribute); value != "" || row > 0 {
				return value
			}
			return table.find(obs.Request, s.Attribute)
		}
	default:
		table, ids := s.Table.now(), inputOf(obs, s.ID)
		find = func(row int) string { return table.find(textAt(ids, row), s.Attribute) }
	}
	for row := range obs.Rows {
		value := find(row)
		if value == "" || len(value) > maxValue {
			c.Missing[row] = true
			continue
		}
		c.Strings[row] = value
	}
	return c
}

func inputOf(obs *signal.Observation, name signal.FeatureName) *signal.Column {
	for i := range obs.Columns {
		c := &obs.Columns[i]
		if c.Target == signal.TargetFeature && c.Name == name && (len(c.Numbers) == obs.Rows || len(c.Strings) == obs.Rows) {
			return c
		}
	}
	return nil
}

// textAt gives a row's value as a file would write it; empty where there is none.
func textAt(c *signal.Column, row int) string {
	switch {
	case c == nil:
		return ""
	case c.Strings == nil:
		if math.IsNaN(c.Numbers[row]) {
			return ""
		}
		return category.OfNumber(c.Numbers[row])
	case c.Missing != nil && c.Missing[row]:
		return ""
	}
	return c.Strings[row]
}
