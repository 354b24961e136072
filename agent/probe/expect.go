package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// Value is what one output of one row is to be: a number where it can be read as
// one, as true and false can, else a text.
type Value struct {
	Text     string
	Number   float64
	IsNumber bool
}

// scalar is a JSON number, text or truth value.
type scalar struct {
	Value
	raw json.RawMessage
}

// UnmarshalJSON takes a single value; null, lists and objects are errors.
func (s *scalar) UnmarshalJSON(raw []byte) error {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	s.raw = bytes.Clone(raw)
	switch v := v.(type) {
	case float64:
		s.Value = Value{Text: category.OfNumber(v), Number: v, IsNumber: true}
	case string:
		s.Value = valueOf(v)
	case bool:
		s.Value = valueOf(fmt.Sprint(v))
	default:
		return fmt.Errorf("%s is neither a number, a text nor a truth value", raw)
	}
	return nil
}

func valueOf(text string) Value {
	n, ok := category.Number(text)
	return Value{Text: text, Number: n, IsNumber: ok}
}

// expectations reads what a case expects: a value or a list of values, one for
// each row, or an object of such by output.
func (how *Reading) expectations(raw json.RawMessage) ([]Expectation, error) {
	if raw[0] != '{' {
		values, err := valuesOf(raw)
		switch {
		case err != nil:
			return nil, fmt.Errorf("expect: %w", err)
		case how.Output == "":
			return nil, errors.New(`expect: of which output? Write {"OUTPUT": ...}, or set outcome.output`)
		}
		return []Expectation{{how.Output, values}}, nil
	}
	var named map[signal.FeatureName]json.RawMessage
	if err := json.Unmarshal(raw, &named); err != nil {
		return nil, fmt.Errorf("expect: %w", err)
	}
	if len(named) == 0 {
		return nil, errors.New("expect: empty; write what the model is to answer")
	}
	var out []Expectation
	for _, output := range slices.Sorted(maps.Keys(named)) {
		values, err := valuesOf(named[output])
		if err != nil {
			return nil, fmt.Errorf("expect: %s: %w", output, err)
		}
		out = append(out, Expectation{output, values})
	}
	return out, nil
}

func valuesOf(raw json.RawMessage) ([]Value, error) {
	var list []scalar
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
	} else {
		var one scalar
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, err
		}
		list = []scalar{one}
	}
	if len(list) == 0 {
		return nil, errors.New("empty; write a value for each row")
	}
	out := make([]Value, len(list))
	for i := range list {
		out[i] = list[i].Value
	}
	return out, nil
}

// agrees says whether an answer is what a case expects: every row of every named
// output, and no more rows.
func (c *Case) agrees(answer *signal.Observation, tolerance float64) bool {
	for i := range c.Expect {
		e := &c.Expect[i]
		at := slices.IndexFunc(answer.Columns, func(col signal.Column) bool {
			return col.Target == signal.TargetPrediction && col.Name == e.Output
		})
		if at < 0 || answer.Rows != len(e.Values) {
			return false
		}
		for row, want := range e.Values {
			if !want.is(&answer.Columns[at], row, tolerance) {
				return false
			}
		}
	}
	return true
}

// is compares a value with a row of a column: numbers by how far they are apart,
// all else as text.
func (v Value) is(c *signal.Column, row int, tolerance float64) bool {
	var got Value
	switch {
	case row < len(c.Numbers):
		got = Value{Text: category.OfNumber(c.Numbers[row]), Number: c.Numbers[row], IsNumber: true}
	case row < len(c.Strings) && (c.Missing == nil || !c.Missing[row]):
		got = valueOf(c.Strings[row])
	default:
		return false
	}
	if v.IsNumber && got.IsNumber {
		return math.Abs(got.Number-v.Number) <= tolerance*max(1, math.Abs(v.Number)) // NaN is near nothing
	}
	return v.Text == got.Text
}
