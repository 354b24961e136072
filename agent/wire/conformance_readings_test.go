package wire

import (
	"errors"
	"math"
)

// referenceReading is how the reference reads a request of a protocol, from
// its tree.
type referenceReading func(t *referenceTable, v any) error

var referenceReadings = map[string]referenceReading{
	"/v1/models/loans:predict": func(t *referenceTable, v any) error {
		return t.readPlaces(v, map[string]referenceReading{"instances": (*referenceTable).addRows, "inputs": (*referenceTable).addColumns}, nil)
	},
	"/invocations": func(t *referenceTable, v any) error {
		return t.readPlaces(v, map[string]referenceReading{
			"instances": (*referenceTable).addRows, "dataframe_records": (*referenceTable).addRows,
			"inputs": (*referenceTable).addColumns, "dataframe_split": (*referenceTable).addSplit,
		}, (*referenceTable).addRows)
	},
	"/predictions/loans": func(t *referenceTable, v any) error {
		return t.readPlaces(v, map[string]referenceReading{
			"instances": (*referenceTable).addRows, "data": (*referenceTable).addRows, "inputs": (*referenceTable).addAny,
		}, (*referenceTable).addRows)
	},
	"/api/v1.0/predictions": func(t *referenceTable, v any) error {
		if _, ok := v.(map[string]any); !ok {
			return errNoTable
		}
		return t.readPlaces(v, map[string]referenceReading{
			"data": (*referenceTable).addSeldon, "jsonData": (*referenceTable).addAny, "strData": (*referenceTable).addRows,
		}, nil)
	},
	"/mapped/rows":    pointed((*referenceTable).addRows),
	"/mapped/columns": pointed((*referenceTable).addColumns),
	"/mapped/row":     pointed((*referenceTable).addRow),
	"/mapped/any":     pointed((*referenceTable).addAny),
}

// errSeveral is for bodies with the rows in several places, of which the last
// one counts: a tree does not tell which one that is.
var errSeveral = errors.New("rows in several places")

func (t *referenceTable) readPlaces(v any, places map[string]referenceReading, rest referenceReading) error {
	m, isObject := v.(map[string]any)
	var read referenceReading
	var at any
	for key, value := range m {
		if p := places[key]; p != nil {
			if read != nil {
				return errSeveral
			}
			read, at = p, value
		}
	}
	switch {
	case isObject && read != nil:
		return read(t, at)
	case rest != nil:
		return rest(t, v)
	}
	return nil
}

func (t *referenceTable) addAny(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return t.addRows(v)
	}
	for _, e := range m {
		if _, ok := e.([]any); ok {
			return t.addColumns(v)
		}
	}
	return t.addRow(v)
}

func (t *referenceTable) addSplit(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return errNoTable
	}
	if names, ok := m["columns"]; ok {
		list, ok := names.([]any)
		if !ok {
			return errNoTable
		}
		for _, n := range list {
			s, ok := n.(string)
			if !ok {
				return errSeveral // goes by its text, which a tree does not have
			}
			t.header = append(t.header, s)
		}
	}
	if data, ok := m["data"]; ok {
		return t.addRows(data)
	}
	return nil
}

func (t *referenceTable) addSeldon(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return errNoTable
	}
	if _, ok := m["tftensor"]; ok || m["tensor"] != nil && m["ndarray"] != nil {
		return errSeveral
	}
	if names, ok := m["names"].([]any); ok {
		for _, n := range names {
			s, ok := n.(string)
			if !ok {
				return errSeveral
			}
			t.header = append(t.header, s)
		}
	}
	if rows, ok := m["ndarray"]; ok {
		return t.addRows(rows)
	}
	if tensor, ok := m["tensor"]; ok {
		return t.addTensor(tensor)
	}
	return nil
}

func (t *referenceTable) addTensor(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return errNoTable
	}
	shape, ok := m["shape"].([]any)
	if !ok || len(shape) == 0 {
		return errNoTable
	}
	values := []any{}
	if list, ok := m["values"].([]any); ok {
		cells, err := flat(list)
		if err != nil {
			return err
		}
		values = cells
	}
	size := 1.0
	for i, n := range shape {
		x, ok := n.(float64)
		if !ok || x < 0 || x != math.Trunc(x) || x > maxRows {
			return errNoTable
		}
		if i > 0 {
			size *= x
		}
	}
	rows := shape[0].(float64)
	if rows > 10_000 && size == 0 {
		return errSeveral // rows of nothing would take the reference long
	}
	if rows*size != float64(len(values)) {
		return errNoTable
	}
	for i := range int(rows) {
		if err := t.addRow(values[i*int(size) : (i+1)*int(size)]); err != nil {
			return err
		}
	}
	return nil
}

// pointed reads what /body/0 points to.
func pointed(read referenceReading) referenceReading {
	return func(t *referenceTable, v any) error {
		m, _ := v.(map[string]any)
		list, _ := m["body"].([]any)
		if len(list) == 0 {
			return errNoTable
		}
		return read(t, list[0])
	}
}
