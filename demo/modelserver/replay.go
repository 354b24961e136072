package modelserver

import "strconv"

// Replay is a model that has decided already: it answers row i of a file with
// the outcome that the file has for row i. A request's id is the index of its
// first row.
type Replay struct {
	description Description
	outcomes    []string
	missing     []bool // nil: none is
}

// NewReplay serves recorded outcomes under a model's name. The inputs are what
// requests have to carry, although only the request's id decides. Outcomes that
// missing marks are answered with null.
func NewReplay(name string, inputs []Field, outcome string, outcomes []string, missing []bool) *Replay {
	return &Replay{
		description: Description{
			Name: name, Versions: []string{"1"}, Platform: "evenkeel_replay",
			Inputs: inputs, Outputs: []Field{column(outcome, "BYTES")},
		},
		outcomes: outcomes, missing: missing,
	}
}

// NumberInput describes a numeric column of a replayed file.
func NumberInput(name string) Field { return column(name, "FP64") }

// TextInput describes a column of text.
func TextInput(name string) Field { return column(name, "BYTES") }

// Describe implements Model.
func (r *Replay) Describe() Description { return r.description }

// Infer implements Model.
func (r *Replay) Infer(in *Inputs) ([]Tensor, error) {
	first, err := strconv.Atoi(in.ID)
	if err != nil || first < 0 || in.Rows > len(r.outcomes)-first {
		return nil, faultf(400, "id %q with %d rows: want the index of the first row, below %d", in.ID, in.Rows, len(r.outcomes))
	}
	missing := r.missing
	if missing != nil {
		missing = missing[first : first+in.Rows]
	}
	return []Tensor{Texts(r.description.Outputs[0].Name, r.outcomes[first:first+in.Rows], missing)}, nil
}
