package modelserver

import (
	"encoding/json"
	"fmt"
	"math"
)

// Tensor is one input or output in the protocol's JSON form. Data of a request
// is kept raw until the description says what it has to hold; it may be flat
// or nested, as the protocol allows.
type Tensor struct {
	Name       string          `json:"name"`
	Shape      []int           `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data"`
}

// Request is the body of an inference request.
type Request struct {
	ID         string         `json:"id,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Inputs     []Tensor       `json:"inputs"`
	Outputs    []struct {
		Name       string         `json:"name"`
		Parameters map[string]any `json:"parameters,omitempty"`
	} `json:"outputs,omitempty"`
}

// Response is the body of its answer.
type Response struct {
	ModelName    string   `json:"model_name"`
	ModelVersion string   `json:"model_version"`
	ID           string   `json:"id,omitempty"`
	Outputs      []Tensor `json:"outputs"`
}

// Numbers makes an input tensor of one column; NaN, a missing value, becomes
// null.
func Numbers(name string, values []float64) Tensor { return numbers(name, "FP64", values) }

// Texts makes an input tensor of one column of strings. What missing marks
// becomes null; a nil missing marks nothing.
func Texts(name string, values []string, missing []bool) Tensor {
	list := make([]*string, len(values))
	for i := range values {
		if missing == nil || !missing[i] {
			list[i] = &values[i]
		}
	}
	raw, _ := json.Marshal(list) // strings: cannot fail
	return Tensor{Name: name, Shape: []int{len(values)}, Datatype: "BYTES", Data: raw}
}

func numbers(name, datatype string, values []float64) Tensor {
	list := make([]*float64, len(values))
	for i := range values {
		if !math.IsNaN(values[i]) && !math.IsInf(values[i], 0) {
			list[i] = &values[i]
		}
	}
	raw, _ := json.Marshal(list) // finite numbers: cannot fail
	return Tensor{Name: name, Shape: []int{len(values)}, Datatype: datatype, Data: raw}
}

var numericTypes = map[string]bool{
	"FP16": true, "FP32": true, "FP64": true,
	"INT8": true, "INT16": true, "INT32": true, "INT64": true,
	"UINT8": true, "UINT16": true, "UINT32": true, "UINT64": true,
}

// decode checks the request's tensors against the description and gives them
// as columns. Every fault is a 400 that names the tensor.
func decode(req *Request, d Description) (*Inputs, error) {
	in := &Inputs{ID: req.ID, Rows: -1, Numbers: map[string][]float64{}, Texts: map[string][]string{}}
	given := make(map[string]*Tensor, len(req.Inputs))
	for i := range req.Inputs {
		t := &req.Inputs[i]
		if given[t.Name] != nil {
			return nil, faultf(400, "input %q stands twice", t.Name)
		}
		given[t.Name] = t
	}
	for _, field := range d.Inputs {
		t := given[field.Name]
		if t == nil {
			return nil, faultf(400, "input %q is missing; the model wants %s", field.Name, names(d.Inputs))
		}
		delete(given, field.Name)
		if err := in.add(field, t); err != nil {
			return nil, err
		}
	}
	for name := range given {
		return nil, faultf(400, "unexpected input %q; the model wants %s", name, names(d.Inputs))
	}
	return in, nil
}

func (in *Inputs) add(field Field, t *Tensor) error {
	if field.Numeric() != numericTypes[t.Datatype] || (!field.Numeric() && t.Datatype != "BYTES") {
		return faultf(400, "input %q: datatype %q where %s is wanted", t.Name, t.Datatype, field.Datatype)
	}
	rows, err := t.rows()
	if err != nil {
		return err
	}
	if in.Rows < 0 {
		in.Rows = rows
	}
	if rows != in.Rows {
		return faultf(400, "input %q: %d rows where the inputs before it have %d", t.Name, rows, in.Rows)
	}
	if field.Numeric() {
		in.Numbers[t.Name], err = flatten(t, math.NaN())
	} else {
		in.Texts[t.Name], err = flatten(t, "")
	}
	return err
}

// rows reads the shape of a single column: [n] or [n, 1].
func (t *Tensor) rows() (int, error) {
	if len(t.Shape) == 0 || len(t.Shape) > 2 || t.Shape[0] < 1 || (len(t.Shape) == 2 && t.Shape[1] != 1) {
		return 0, faultf(400, "input %q: shape %v; want [n] or [n, 1] with n of at least 1", t.Name, t.Shape)
	}
	return t.Shape[0], nil
}

// flatten reads flat or nested data; null, which JSON writers put for a value
// that is missing, becomes missing.
func flatten[T any](t *Tensor, missing T) ([]T, error) {
	var flat []*T
	if err := json.Unmarshal(t.Data, &flat); err != nil {
		var nested [][]*T
		if json.Unmarshal(t.Data, &nested) != nil {
			return nil, faultf(400, "input %q: data does not hold %s values: %v", t.Name, t.Datatype, err)
		}
		flat = flat[:0]
		for _, row := range nested {
			flat = append(flat, row...)
		}
	}
	if len(flat) != t.Shape[0] {
		return nil, faultf(400, "input %q: %d values for shape %v", t.Name, len(flat), t.Shape)
	}
	out := make([]T, len(flat))
	for i, v := range flat {
		if out[i] = missing; v != nil {
			out[i] = *v
		}
	}
	return out, nil
}

func names(fields []Field) string {
	out := ""
	for i, f := range fields {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%s (%s)", f.Name, f.Datatype)
	}
	return out
}
