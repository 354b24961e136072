package wire

import (
	"math"

	"github.com/evenkeel/evenkeel/signal"
)

// table is one side of an exchange while it is read: lists of cells by name,
// each with as many cells in every row.
type table struct {
	base    string // name of the list whose columns have no names
	side    *sideReading
	lists   []list
	index   map[string]int // of lists, where there are many
	next    int            // the list that probably comes next: rows repeat their keys
	rows    int
	header  []signal.FeatureName // names of the base list's columns, where the body tells them
	padded  int                  // cells that were added because rows lack them
	crowded bool                 // more lists than are kept
	line    bool                 // one line of CSV
	opaque  bool                 // no table
	agreed  int                  // rows of the lists that came as columns; -1: none yet
}

// list is what has one name: a column, or the columns of a list of equal
// lengths in every row. Cells stand row by row.
type list struct {
	name    string
	width   int // cells in a row; unknown before the first row that has any
	rows    int
	numbers []float64  // NaN where there is no number
	kinds   []cellKind // of each cell; in use when mixed
	texts   []string   // as kinds
	mixed   bool       // not all cells are numbers or missing
	wide    bool       // more cells in a row than are taken apart
	once    bool       // stands for every row: it came without rows
	plain   bool       // rows are values without names, not members of objects
}

type cellKind uint8

const (
	numberCell cellKind = iota
	textCell
	boolCell
)

const (
	unknownWidth = -1

	// maxRows bounds the rows of an exchange, and maxPadded the cells that rows
	// lack: a short text must not make a large table.
	maxRows   = 1 << 20
	maxPadded = 1 << 20

	// manyLists is from where on a list is found by an index.
	manyLists = 16

	// maxIdle bounds the cells that a table keeps memory for though it does not
	// use them.
	maxIdle = 1 << 20
)

// begin empties the table for an exchange.
func (t *table) begin(side *sideReading, base string) {
	used, kept := 0, 0
	for i := range t.lists {
		used += len(t.lists[i].numbers)
	}
	for _, l := range t.lists[:cap(t.lists)] {
		kept += cap(l.numbers)
	}
	if kept > maxIdle && kept/4 > used {
		t.lists = nil
	}
	t.base, t.side = base, side
	t.clear()
}

// clear forgets what was read.
func (t *table) clear() {
	t.lists, t.header = t.lists[:0], t.header[:0]
	t.next, t.rows, t.padded, t.agreed = 0, 0, 0, -1
	t.crowded, t.line, t.opaque = false, false, false
	clear(t.index)
}

// isEmpty says whether there is nothing to observe.
func (t *table) isEmpty() bool { return t.rows == 0 }

// list finds or adds a list; nil where there are too many. It is valid until
// the next call.
func (t *table) list(name string) *list {
	if t.next < len(t.lists) && t.lists[t.next].name == name {
		t.next++
		return &t.lists[t.next-1]
	}
	if i, ok := t.find(name); ok {
		t.next = i + 1
		return &t.lists[i]
	}
	if len(t.lists) >= maxColumns {
		t.crowded = true
		return nil
	}
	return t.add(name)
}

func (t *table) find(name string) (int, bool) {
	if len(t.lists) >= manyLists {
		i, ok := t.index[name]
		return i, ok
	}
	for i := range t.lists {
		if t.lists[i].name == name {
			return i, true
		}
	}
	return 0, false
}

// add takes the memory of a former list for a new one.
func (t *table) add(name string) *list {
	n := len(t.lists)
	if n < cap(t.lists) {
		t.lists = t.lists[:n+1]
	} else {
		t.lists = append(t.lists, list{})
	}
	t.lists[n].begin(name)
	t.next = n + 1
	switch {
	case n+1 == manyLists:
		if t.index == nil {
			t.index = map[string]int{}
		}
		for i := range t.lists {
			t.index[t.lists[i].name] = i
		}
	case n+1 > manyLists:
		t.index[name] = n
	}
	return &t.lists[n]
}

func (l *list) begin(name string) {
	*l = list{name: name, width: unknownWidth, numbers: l.numbers[:0], kinds: l.kinds[:0], texts: l.texts[:0]}
}

// number adds a cell.
func (l *list) number(x float64) {
	l.numbers = append(l.numbers, x)
	if l.mixed {
		l.kinds, l.texts = append(l.kinds, numberCell), append(l.texts, "")
	}
}

func (l *list) text(s string) {
	l.mix()
	l.numbers = append(l.numbers, math.NaN())
	l.kinds, l.texts = append(l.kinds, textCell), append(l.texts, s)
}

func (l *list) boolean(x float64) {
	l.mix()
	l.numbers = append(l.numbers, x)
	l.kinds, l.texts = append(l.kinds, boolCell), append(l.texts, boolText(x))
}

func boolText(x float64) string {
	if x == 0 {
		return "false"
	}
	return "true"
}

// mix begins to keep the kinds of cells.
func (l *list) mix() {
	if l.mixed {
		return
	}
	l.mixed = true
	for range l.numbers {
		l.kinds, l.texts = append(l.kinds, numberCell), append(l.texts, "")
	}
}

// cut leaves the first n cells.
func (l *list) cut(n int) {
	l.numbers = l.numbers[:n]
	if l.mixed {
		l.kinds, l.texts = l.kinds[:n], l.texts[:n]
	}
}

// gap adds n missing cells.
func (l *list) gap(n int) {
	for range n {
		l.number(math.NaN())
	}
}
