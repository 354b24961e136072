package privacy

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// maxTable bounds the file of a table, in bytes; in memory it takes a few times as
// much.
const maxTable = 64 << 20

// Table holds attributes by id, of a CSV file with a header that names the
// columns. It is read again when the file changes; a file that cannot be read
// then leaves the last good one. Safe for concurrent use.
type Table struct {
	path       string
	id         string
	attributes []signal.FeatureName
	content    atomic.Pointer[content]
	stamp      stamp
	failures   atomic.Uint64
}

type content struct {
	rows    map[string][]string // attributes in the table's order
	columns []signal.FeatureName
}

// stamp tells whether a file is another one than before.
type stamp struct {
	at   time.Time
	size int64
}

// OpenTable reads a file: its column id names the rows, and attributes are the
// columns that are used.
func OpenTable(path, id string, attributes []signal.FeatureName) (*Table, error) {
	t := &Table{path: path, id: id, attributes: attributes}
	if _, err := t.Refresh(); err != nil {
		return nil, err
	}
	return t, nil
}

// Refresh reads the file again where it has changed, and says whether it has. On
// an error what was read before stays. One goroutine may call it.
func (t *Table) Refresh() (changed bool, err error) {
	info, err := os.Stat(t.path)
	if err != nil {
		t.failures.Add(1)
		return false, errs.E("read attributes", errs.Invalid, err, "")
	}
	now := stamp{info.ModTime(), info.Size()}
	if now == t.stamp {
		return false, nil
	}
	t.stamp = now // one that is faulty is looked at again when it changes
	read, err := t.read()
	if err != nil {
		t.failures.Add(1)
		return false, errs.E("read attributes of "+t.path, errs.Invalid, err, "write a CSV file with a header that names "+t.id+" and the attributes")
	}
	t.content.Store(read)
	return true, nil
}

// Failures counts the changed files that could not be read.
func (t *Table) Failures() uint64 { return t.failures.Load() }

// Path names the file.
func (t *Table) Path() string { return t.path }

func (t *Table) read() (*content, error) {
	f, err := os.Open(t.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	limited := &io.LimitedReader{R: f, N: maxTable + 1}
	rows := csv.NewReader(limited)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	places, err := t.places(header)
	if err != nil {
		return nil, err
	}
	out := &content{rows: map[string][]string{}, columns: t.attributes}
	words := map[string]string{} // one copy of each value
	for {
		row, err := rows.Read()
		if limited.N <= 0 {
			return nil, fmt.Errorf("longer than %d bytes", maxTable)
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		values := make([]string, len(t.attributes))
		for i, at := range places[1:] {
			text := strings.TrimSpace(row[at])
			kept, ok := words[text]
			if !ok {
				kept = strings.Clone(text)
				words[kept] = kept
			}
			values[i] = kept
		}
		out.rows[strings.Clone(strings.TrimSpace(row[places[0]]))] = values
	}
}

// places finds the id and the attributes among the columns.
func (t *Table) places(header []string) ([]int, error) {
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
	}
	wanted := []string{t.id}
	for _, a := range t.attributes {
		wanted = append(wanted, string(a))
	}
	out := make([]int, len(wanted))
	for i, name := range wanted {
		if out[i] = slices.Index(names, name); out[i] < 0 {
			return nil, fmt.Errorf("no column %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return out, nil
}

func (t *Table) now() *content { return t.content.Load() }

// find gives an attribute of an id; empty where there is none.
func (c *content) find(id string, attribute signal.FeatureName) string {
	values, ok := c.rows[id]
	if !ok || id == "" {
		return ""
	}
	return values[slices.Index(c.columns, attribute)]
}
