package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ParseBaseline reads the JSON of a baseline, strictly: an unknown key, a
// missing part and anything that does not hold together is an error that says
// where. The digest does not depend on how the JSON is laid out.
func ParseBaseline(raw []byte) (*Baseline, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("the baseline is empty; build it with evenkeel baseline build")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	b := new(Baseline)
	if err := decoder.Decode(b); err != nil {
		return nil, explainJSON(raw, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more follows after the baseline's last brace", place(raw, decoder.InputOffset()))
	}
	return b, b.Validate()
}

// explainJSON says where the decoder stumbled.
func explainJSON(raw []byte, err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: not JSON: %w", place(raw, syntax.Offset), err)
	case errors.As(err, &mismatch):
		return fmt.Errorf("%s: %s: a JSON %s does not fit", place(raw, mismatch.Offset), mismatch.Field, mismatch.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends in the middle; the file is cut off")
	}
	return fmt.Errorf("not a baseline: %w", err)
}

// place turns an offset into line and column, both from 1.
func place(raw []byte, offset int64) string {
	before := raw[:min(max(offset, 1)-1, int64(len(raw)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}

// validateTables checks what concerns more than one feature: that every column
// is there once, and that the tables of groups hold together.
func (b *Baseline) validateTables() error {
	for i, f := range b.Features {
		if b.Feature(f.Target, f.Name) != &b.Features[i] {
			return fmt.Errorf("features[%d] (%s): a second %s of this name", i, f.Name, f.Target)
		}
	}
	for i, g := range b.Groups {
		if b.Group(g.Attribute) != &b.Groups[i] {
			return fmt.Errorf("groups[%d] (%s): the attribute is there twice", i, g.Attribute)
		}
		if err := checkGroups(g.Counts); err != nil {
			return fmt.Errorf("groups[%d] (%s): %w", i, g.Attribute, err)
		}
		for _, c := range g.Counts {
			if err := exact("counts", c.Total, c.Favourable); err != nil {
				return fmt.Errorf("groups[%d] (%s): %w", i, g.Attribute, err)
			}
		}
		if err := g.checkReference(); err != nil {
			return fmt.Errorf("groups[%d] (%s): %w", i, g.Attribute, err)
		}
	}
	return nil
}
