package wire

// rowStart makes l ready for the cells of row t.rows, and gives the number of
// cells before. A row that has them already has them again: the last ones count.
func (r *reader) rowStart(t *table, l *list) int {
	switch {
	case l.rows <= t.rows:
	case t.rows == 0:
		plain := l.plain
		l.begin(l.name)
		l.plain = plain
	default:
		l.rows--
		if l.width > 0 && !l.wide {
			l.cut(len(l.numbers) - l.width)
		}
	}
	r.pad(t, l, t.rows)
	return len(l.numbers)
}

// rowEnd counts a row whose cells begin at from.
func (r *reader) rowEnd(t *table, l *list, from int) {
	n := len(l.numbers) - from
	switch {
	case l.width == n:
	case l.width != unknownWidth:
		r.wrong(ShapeMismatch, "row %d of %.60q has %d values, those before have %d", l.rows+1, l.name, n, l.width)
		l.cut(from)
		return
	case n > maxColumns && t.side.columns[l.name] == nil:
		l.wide, l.width = true, n
		l.cut(0)
	default:
		l.width = n
		r.lead(t, l, n)
	}
	l.rows++
}

// lead puts the missing cells of the rows before the first one that had any in
// front of it.
func (r *reader) lead(t *table, l *list, width int) {
	if l.rows == 0 || !r.mayPad(t, l.rows*width) {
		return
	}
	l.gap(l.rows * width)
	rotate(l.numbers, width)
	if l.mixed {
		rotate(l.kinds, width)
		rotate(l.texts, width)
	}
}

// rotate moves the first n elements to the end; what stood there is alike, and
// takes their place.
func rotate[T any](xs []T, n int) {
	if len(xs) <= n {
		return
	}
	for i := range n {
		j := len(xs) - n + i
		xs[i], xs[j] = xs[j], xs[i]
	}
}

// pad adds missing rows to l until it has rows.
func (r *reader) pad(t *table, l *list, rows int) {
	lacking := rows - l.rows
	if lacking <= 0 {
		return
	}
	if l.width > 0 && !l.wide {
		if !r.mayPad(t, lacking*l.width) {
			return
		}
		l.gap(lacking * l.width)
	}
	l.rows = rows
}

func (r *reader) mayPad(t *table, cells int) bool {
	t.padded += cells
	if t.padded > maxPadded {
		r.wrong(ShapeMismatch, "rows lack more than %d values that other rows have", maxPadded)
		return false
	}
	return true
}

// endRow counts a row of the table.
func (r *reader) endRow(t *table) {
	t.next = 0
	t.rows++
	if t.rows > maxRows {
		r.wrong(ShapeMismatch, "more than %d rows", maxRows)
	}
}

// settle makes every list as long as the table. Lists that came as columns
// must agree on it.
func (r *reader) settle(t *table) *Fault {
	for i := range t.lists {
		l := &t.lists[i]
		switch {
		case l.once:
			r.repeat(t, l)
		case l.plain && l.rows != t.rows:
			r.wrong(ShapeMismatch, "%d rows of %d have no names for their values", l.rows, t.rows)
		default:
			r.pad(t, l, t.rows)
		}
		if l.width == unknownWidth && r.bad == nil { // missing in every row
			l.width = 1
			if r.mayPad(t, t.rows) {
				l.gap(t.rows)
			}
		}
	}
	return r.bad
}

// repeat makes the one row of l every row's.
func (r *reader) repeat(t *table, l *list) {
	if l.wide || l.width <= 0 || !r.mayPad(t, (t.rows-1)*l.width) {
		l.rows = t.rows
		return
	}
	for l.rows = 1; l.rows < t.rows; l.rows++ {
		for j := range l.width {
			x := l.numbers[j]
			switch {
			case !l.mixed || l.kinds[j] == numberCell:
				l.number(x)
			case l.kinds[j] == boolCell:
				l.boolean(x)
			default:
				l.text(l.texts[j])
			}
		}
	}
}
