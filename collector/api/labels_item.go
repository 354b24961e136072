package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// labelFields are the fields of an item, in whatever format.
var labelFields = []string{"system", "id", "row", "label", "time", "source"}

// labelItem is one item as it came, as text. Empty is absent.
type labelItem struct{ system, id, row, label, time, source string }

func (i *labelItem) set(field, text string) {
	switch field {
	case "system":
		i.system = text
	case "id":
		i.id = text
	case "row":
		i.row = text
	case "label":
		i.label = text
	case "time":
		i.time = text
	case "source":
		i.source = text
	}
}

// itemError says why one item is no label, and what to do about it.
type itemError struct{ message, hint string }

// Error gives both.
func (e *itemError) Error() string { return e.message + "; " + e.hint }

// itemOfJSON reads an object.
func itemOfJSON(raw []byte) (labelItem, error) {
	var item labelItem
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return item, &itemError{"not a JSON object", `write {"id": "...", "label": ...}`}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fault := knownField(name); fault != nil {
			return item, fault
		}
		text, fault := textOfJSON(name, fields[name])
		if fault != nil {
			return item, fault
		}
		item.set(name, text)
	}
	return item, nil
}

// textOfJSON gives a field's value as text: a label that is a number as numbers
// are written everywhere, other numbers as they stand there.
func textOfJSON(name string, raw json.RawMessage) (string, *itemError) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", &itemError{name + ": " + err.Error(), "write JSON"}
	}
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		if name != "label" {
			return v.String(), nil
		}
		x, err := v.Float64()
		if err != nil {
			return "", &itemError{fmt.Sprintf("label: %s is beyond any number", v), "write it as text"}
		}
		return category.OfNumber(x), nil
	case bool:
		if name == "label" {
			return strconv.FormatBool(v), nil
		}
	}
	return "", &itemError{name + ": not a text or a number", "write one value"}
}

// labelRules are what a request's items have in common.
type labelRules struct {
	system signal.SystemID // of items that name none
	latest time.Time       // that a label may have become known
}

// label makes a label of an item, or an *itemError.
func (r *labelRules) label(i *labelItem) (signal.Label, error) {
	l := signal.Label{System: signal.SystemID(i.system), ID: i.id, Value: i.label, Source: i.source}
	if l.System == "" {
		l.System = r.system
	}
	switch {
	case l.System == "":
		return l, &itemError{"system: missing", "name it in the field system, or in the address: ?system=NAME"}
	case l.ID == "":
		return l, &itemError{"id: missing", "it is the id of the request that was answered, for a row of several ID#ROW"}
	case len(l.ID) > signal.MaxPredictionID:
		return l, &itemError{fmt.Sprintf("id: %d bytes, more than %d", len(l.ID), signal.MaxPredictionID), "no request has such an id"}
	case l.Value == "":
		return l, &itemError{"label: missing", "it says how it turned out, as the model's output would"}
	case len(l.Value) > signal.MaxPredictionValue:
		return l, &itemError{fmt.Sprintf("label: %d bytes, more than %d", len(l.Value), signal.MaxPredictionValue), "send a category or a number"}
	}
	if fault := r.place(&l, i); fault != nil {
		return l, fault
	}
	if err := l.Validate(); err != nil {
		return l, &itemError{err.Error(), "shorten it"}
	}
	return l, nil
}

// place reads the row and the time.
func (r *labelRules) place(l *signal.Label, i *labelItem) *itemError {
	if i.row == "" {
		l.ID, l.Row = signal.ParseRowID(l.ID)
	} else {
		row, err := strconv.ParseUint(i.row, 10, 32)
		if err != nil {
			return &itemError{fmt.Sprintf("row: %q is no row of a request", i.row), "count from 0, or leave it out for the only row"}
		}
		l.Row = uint32(row)
	}
	if i.time == "" {
		return nil // when it is received
	}
	known, err := time.Parse(time.RFC3339, i.time)
	switch {
	case err != nil:
		return &itemError{fmt.Sprintf("time: %q is not RFC 3339", i.time), "write for example 2026-01-15T18:13:10Z, or leave it out for now"}
	case !known.After(time.Unix(0, 0)):
		return &itemError{fmt.Sprintf("time: %s lies before any prediction", i.time), "write when it became known"}
	case known.After(r.latest):
		return &itemError{fmt.Sprintf("time: %s lies in the future", i.time), "write when it became known; is the sender's clock right?"}
	}
	l.Time = known.UTC()
	return nil
}
