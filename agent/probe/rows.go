package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// write makes the body of a request out of rows. All rows have the same columns.
func (how *Reading) write(rows []map[string]scalar) ([]byte, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return nil, fmt.Errorf("rows: empty; write an object of inputs for each row")
	}
	names := slices.Sorted(maps.Keys(rows[0]))
	for i, row := range rows {
		if !slices.Equal(slices.Sorted(maps.Keys(row)), names) {
			return nil, fmt.Errorf("rows: row %d has other inputs than the first", i)
		}
	}
	var body any
	switch how.Protocol {
	case "", "oip":
		inputs := make([]any, len(names))
		for i, name := range names {
			inputs[i] = tensorOf(name, rows)
		}
		body = map[string]any{"inputs": inputs}
	case "kserve_v1", "tfserving":
		body = map[string]any{"instances": plainRows(rows)}
	case "mlflow":
		body = map[string]any{"dataframe_records": plainRows(rows)}
	default:
		return nil, fmt.Errorf("rows: protocol %s has no form for them here; write the request's body instead", how.Protocol)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	return raw, nil
}

func plainRows(rows []map[string]scalar) []map[string]json.RawMessage {
	out := make([]map[string]json.RawMessage, len(rows))
	for i, row := range rows {
		out[i] = make(map[string]json.RawMessage, len(row))
		for name, v := range row {
			out[i][name] = v.raw
		}
	}
	return out
}

// tensorOf writes a column as a tensor of the Open Inference Protocol: BYTES where
// any value is a text, BOOL where all are truth values, else FP64.
func tensorOf(name string, rows []map[string]scalar) map[string]any {
	data := make([]json.RawMessage, len(rows))
	texts, truths := 0, 0
	for i, row := range rows {
		data[i] = row[name].raw
		switch data[i][0] {
		case '"':
			texts++
		case 't', 'f':
			truths++
		}
	}
	kind := "FP64"
	switch {
	case texts > 0:
		kind = "BYTES"
		for i, row := range rows {
			quoted, _ := json.Marshal(row[name].Text) // a text: cannot fail
			data[i] = quoted
		}
	case truths == len(rows):
		kind = "BOOL"
	case truths > 0:
		for i, row := range rows {
			plain, _ := json.Marshal(row[name].Number) // finite, since it was JSON: cannot fail
			data[i] = plain
		}
	}
	return map[string]any{"name": name, "shape": []int{len(rows)}, "datatype": kind, "data": data}
}
