package clickhouse

import (
	"slices"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// table says how rows of type R become columns.
type table[R any] struct {
	name string
	// replacing: a row that is written twice is one row, so no count is needed.
	replacing bool
	// timeColumn cuts the table into days; day gives a row's. A table that is
	// not cut has neither.
	timeColumn string
	day        func(*R) time.Time
	columns    []column[R]
}

// column is one column of a table: its type as we send it (the server casts
// String to LowCardinality, which is cheaper than doing it here) and how rows
// fill it.
type column[R any] struct {
	name, kind string
	values     func([]R) any
}

// field makes a column out of one value of each row.
func field[R, V any](name, kind string, get func(*R) V) column[R] {
	return column[R]{name: name, kind: kind, values: func(rows []R) any {
		out := make([]V, len(rows))
		for i := range rows {
			out[i] = get(&rows[i])
		}
		return out
	}}
}

// moment is a field of type DateTime64 in nanoseconds.
func moment[R any](name string, get func(*R) time.Time) column[R] {
	return field(name, "DateTime64(9, 'UTC')", func(r *R) time.Time { return storable(get(r)) })
}

// insert is one INSERT: the rows of one table and one day.
type insert struct {
	table      string
	replacing  bool
	timeColumn string
	day        time.Time // midnight in UTC; zero where the table is not cut into days
	rows       int
	columns    []ch.ColumnNameAndType
	values     func() []any // filled when it is really sent
}

// inserts cuts rows by day, days ascending.
func (t table[R]) inserts(rows []R) []insert {
	if len(rows) == 0 {
		return nil
	}
	if t.day == nil {
		return []insert{t.insert(time.Time{}, rows)}
	}
	if day, one := t.oneDay(rows); one {
		return []insert{t.insert(day, rows)} // nearly always, and nothing is copied
	}
	byDay := map[time.Time][]R{}
	for i := range rows {
		d := dayOf(t.day(&rows[i]))
		byDay[d] = append(byDay[d], rows[i])
	}
	out := make([]insert, 0, len(byDay))
	for d, part := range byDay {
		out = append(out, t.insert(d, part))
	}
	slices.SortFunc(out, func(a, b insert) int { return a.day.Compare(b.day) })
	return out
}

// oneDay says whether all rows are of one day, and of which.
func (t table[R]) oneDay(rows []R) (time.Time, bool) {
	day := dayOf(t.day(&rows[0]))
	for i := range rows {
		if !dayOf(t.day(&rows[i])).Equal(day) {
			return time.Time{}, false
		}
	}
	return day, true
}

func (t table[R]) insert(day time.Time, rows []R) insert {
	columns := make([]ch.ColumnNameAndType, len(t.columns))
	for i, c := range t.columns {
		columns[i] = ch.ColumnNameAndType{Name: c.name, Type: c.kind}
	}
	return insert{
		table: t.name, replacing: t.replacing, timeColumn: t.timeColumn, day: day, rows: len(rows), columns: columns,
		values: func() []any {
			out := make([]any, len(t.columns))
			for i, c := range t.columns {
				out[i] = c.values(rows)
			}
			return out
		},
	}
}

// The times that all of Date, DateTime and DateTime64 can hold. Senders choose
// the times, and one impossible time must not make a whole batch unstorable or
// land on another day than was counted, so what lies outside is stored as the
// nearest that does not.
var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(2106, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// storable gives the time as it will be stored; the zero time becomes the
// epoch, and fromStored turns that back.
func storable(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t.UTC()
}

// fromStored gives the zero time for the epoch.
func fromStored(t time.Time) time.Time {
	if t.Equal(earliest) {
		return time.Time{}
	}
	return t.UTC()
}

func dayOf(t time.Time) time.Time { return storable(t).Truncate(24 * time.Hour) }
