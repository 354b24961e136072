package wire

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
)

// The reference reads bodies into trees with encoding/json and makes columns of
// them by the rules that the package states, without regard to speed. The fuzz
// tests hold the decoders against it.

// errNoTable is the reference's fault; which one, it does not tell.
var errNoTable = errors.New("no table")

// referenceTable has the cells of each list by row; nil: the row has none.
type referenceTable struct {
	rows   int
	lists  map[string][][]any
	once   map[string]bool
	plain  int // rows without names
	header []string
}

func newReferenceTable() *referenceTable {
	return &referenceTable{lists: map[string][][]any{}, once: map[string]bool{}}
}

// flat gives the cells of a value: of a list all that is in it.
func flat(v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return nil, errNoTable
	case []any:
		out := []any{}
		for _, e := range v {
			if e == nil {
				out = append(out, nil)
				continue
			}
			cells, err := flat(e)
			if err != nil {
				return nil, err
			}
			out = append(out, cells...)
		}
		return out, nil
	}
	return []any{v}, nil
}

func (t *referenceTable) addRows(v any) error {
	rows, isList := v.([]any)
	if !isList {
		rows = []any{v}
	}
	for _, row := range rows {
		if err := t.addRow(row); err != nil {
			return err
		}
	}
	return nil
}

func (t *referenceTable) addRow(row any) error {
	if m, ok := row.(map[string]any); ok {
		if err := t.addMembers("", m); err != nil {
			return err
		}
	} else {
		t.plain++
		if err := t.set(DefaultInput, row); err != nil {
			return err
		}
	}
	t.rows++
	return nil
}

func (t *referenceTable) addMembers(prefix string, m map[string]any) error {
	for key, v := range m {
		var err error
		if inner, ok := v.(map[string]any); ok {
			err = t.addMembers(prefix+key+".", inner)
		} else {
			err = t.set(prefix+key, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// set gives the row at hand its cells of a list.
func (t *referenceTable) set(name string, v any) error {
	cells, err := flat(v)
	for len(t.lists[name]) < t.rows {
		t.lists[name] = append(t.lists[name], nil)
	}
	t.lists[name] = append(t.lists[name], cells)
	return err
}

func (t *referenceTable) addColumns(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return t.addRows(v)
	}
	agreed := -1
	if err := t.addColumnMembers("", m, &agreed); err != nil {
		return err
	}
	switch {
	case agreed >= 0:
		t.rows = agreed
	case len(t.lists) > 0:
		t.rows = 1
	}
	for name := range t.once {
		t.lists[name] = slices.Repeat(t.lists[name][:1], t.rows)
	}
	return nil
}

func (t *referenceTable) addColumnMembers(prefix string, m map[string]any, agreed *int) error {
	for key, v := range m {
		name := prefix + key
		switch v := v.(type) {
		case map[string]any:
			if err := t.addColumnMembers(name+".", v, agreed); err != nil {
				return err
			}
		case []any:
			if *agreed >= 0 && *agreed != len(v) {
				return errNoTable
			}
			*agreed = len(v)
			t.lists[name] = [][]any{}
			for _, e := range v {
				cells, err := flat(e)
				if err != nil {
					return err
				}
				t.lists[name] = append(t.lists[name], cells)
			}
		default:
			t.lists[name], t.once[name] = [][]any{{v}}, true
			if v == nil {
				t.lists[name] = [][]any{nil}
			}
		}
	}
	return nil
}

// columns gives the columns by name: numbers, or texts with nil for what is
// missing.
func (t *referenceTable) columns() (map[string][]any, error) {
	if t.plain > 0 && t.plain != t.rows {
		return nil, errNoTable
	}
	out := map[string][]any{}
	for name, rows := range t.lists {
		width := -1
		for _, cells := range rows {
			switch {
			case cells == nil:
			case width >= 0 && width != len(cells):
				return nil, errNoTable
			default:
				width = len(cells)
			}
		}
		if width < 0 {
			width = 1
		}
		named := t.plain > 0 && name == DefaultInput && len(t.header) > 0
		if named && len(t.header) != width {
			return nil, errNoTable
		}
		for j := range width {
			column := make([]any, t.rows)
			for i := range min(t.rows, len(rows)) {
				if rows[i] != nil {
					column[i] = rows[i][j]
				}
			}
			switch {
			case named:
				out[t.header[j]] = oneKind(column)
			case width == 1:
				out[name] = oneKind(column)
			default:
				out[name+"."+strconv.Itoa(j)] = oneKind(column)
			}
		}
	}
	return out, nil
}

// oneKind makes a column of numbers or one of texts.
func oneKind(column []any) []any {
	texts, booleans, numbers := false, false, false
	for _, v := range column {
		switch v.(type) {
		case string:
			texts = true
		case bool:
			booleans = true
		case float64:
			numbers = true
		}
	}
	texts = texts || booleans && !numbers
	for i, v := range column {
		switch v := v.(type) {
		case bool:
			switch {
			case texts:
				column[i] = strconv.FormatBool(v)
			case v:
				column[i] = 1.0
			default:
				column[i] = 0.0
			}
		case float64:
			if texts {
				column[i] = category.OfNumber(v)
			}
		}
	}
	return column
}

// comparable says whether a text is one on which the package promises what the
// reference does: no names that mean something else, or the same thing twice.
func comparableJSON(text []byte) bool {
	if len(text) > 4096 || bareWords(text) || strings.Count(string(text), "[")+strings.Count(string(text), "{") > maxDepth {
		return false
	}
	type level struct {
		object bool
		isKey  bool
		keys   map[string]bool
	}
	var stack []level
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil {
			return true // the end, or what both must refuse
		}
		if d, ok := token.(json.Delim); ok {
			switch d {
			case '{':
				stack = append(stack, level{object: true, isKey: true, keys: map[string]bool{}})
				continue
			case '[':
				stack = append(stack, level{})
				continue
			}
			stack = stack[:len(stack)-1]
			if len(stack) > 0 {
				stack[len(stack)-1].isKey = true
			}
			continue
		}
		if len(stack) == 0 {
			continue
		}
		top := &stack[len(stack)-1]
		if top.object && top.isKey {
			key := token.(string)
			if key == "" || key == base64Key || key == DefaultInput || strings.ContainsAny(key, ".\ufffd0123456789") || top.keys[key] {
				return false
			}
			top.keys[key] = true
			top.isKey = false
		} else {
			top.isKey = true
		}
	}
}

// sameColumns compares columns; what is missing is NaN in ours.
func sameColumns(ours, theirs map[string][]any) bool {
	if len(ours) != len(theirs) {
		return false
	}
	for name, a := range ours {
		b, ok := theirs[name]
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			x, isNumber := a[i].(float64)
			y, areNumbers := b[i].(float64)
			if isNumber != areNumbers || isNumber && math.Float64bits(x) != math.Float64bits(y) || !isNumber && a[i] != b[i] {
				return false
			}
		}
	}
	return true
}
