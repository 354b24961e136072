package labels

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// Fields are the names of an item's fields, in whatever format.
var Fields = []string{"system", "id", "row", "label", "time", "source"}

// Item is one item as it came, as text. Empty is absent.
type Item struct{ system, id, row, label, time, source string }

func (i *Item) set(field, text string) {
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

// ItemError says why one item is no label, and what to do about it.
type ItemError struct{ Message, Hint string }

// Error gives both.
func (e *ItemError) Error() string { return e.Message + "; " + e.Hint }

var errNotUTF8 = &ItemError{"not UTF-8", "write the file in that encoding"}

// itemOfJSON reads an object.
func itemOfJSON(raw []byte) (Item, error) {
	var item Item
	if !utf8.Valid(raw) { // decoding would put other characters in their place
		return item, errNotUTF8
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return item, &ItemError{"not a JSON object", `write {"id": "...", "label": ...}`}
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
func textOfJSON(name string, raw json.RawMessage) (string, *ItemError) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", &ItemError{name + ": " + err.Error(), "write JSON"}
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
			return "", &ItemError{fmt.Sprintf("label: %s is beyond any number", v), "write it as text"}
		}
		return category.OfNumber(x), nil
	case bool:
		if name == "label" {
			return strconv.FormatBool(v), nil
		}
	}
	return "", &ItemError{name + ": not a text or a number", "write one value"}
}

// maxSystem bounds the name of a system, in bytes; the collector takes no longer
// one from anybody.
const maxSystem = 1024

// Rules are what a request's items have in common.
type Rules struct {
	Only   signal.SystemID // the only system whose labels are taken; empty: any
	System signal.SystemID // of items that name none
	Latest time.Time       // that a label may have become known
}

// Label makes a label of an item, or an *ItemError.
func (r *Rules) Label(i *Item) (signal.Label, error) {
	l := signal.Label{System: signal.SystemID(i.system), ID: i.id, Value: i.label, Source: i.source}
	if l.System == "" {
		l.System = r.System
	}
	if r.Only != "" && l.System != r.Only {
		return l, &ItemError{fmt.Sprintf("system: %q is not here", l.System), fmt.Sprintf("this is %s", r.Only)}
	}
	switch {
	case !utf8.ValidString(i.id + i.label + i.source + string(l.System)):
		return l, errNotUTF8
	case len(l.System) > maxSystem:
		return l, &ItemError{fmt.Sprintf("system: %d bytes, more than %d", len(l.System), maxSystem), "no system has such a name"}
	case l.System == "":
		return l, &ItemError{"system: missing", "name it in the field system, or in the address: ?system=NAME"}
	case l.ID == "":
		return l, &ItemError{"id: missing", "it is the id of the request that was answered, for a row of several ID#ROW"}
	case len(l.ID) > signal.MaxPredictionID:
		return l, &ItemError{fmt.Sprintf("id: %d bytes, more than %d", len(l.ID), signal.MaxPredictionID), "no request has such an id"}
	case l.Value == "":
		return l, &ItemError{"label: missing", "it says how it turned out, as the model's output would"}
	case len(l.Value) > signal.MaxPredictionValue:
		return l, &ItemError{fmt.Sprintf("label: %d bytes, more than %d", len(l.Value), signal.MaxPredictionValue), "send a category or a number"}
	}
	if fault := r.place(&l, i); fault != nil {
		return l, fault
	}
	if err := l.Validate(); err != nil {
		return l, &ItemError{err.Error(), "shorten it"}
	}
	return l, nil
}

// place reads the row and the time.
func (r *Rules) place(l *signal.Label, i *Item) *ItemError {
	if i.row == "" {
		l.ID, l.Row = signal.ParseRowID(l.ID)
	} else {
		row, err := strconv.ParseUint(i.row, 10, 32)
		if err != nil {
			return &ItemError{fmt.Sprintf("row: %q is no row of a request", i.row), "count from 0, or leave it out for the only row"}
		}
		l.Row = uint32(row)
	}
	if i.time == "" {
		return nil // when it is received
	}
	known, err := time.Parse(time.RFC3339, i.time)
	switch {
	case err != nil:
		return &ItemError{fmt.Sprintf("time: %q is not RFC 3339", i.time), "write for example 2026-01-15T18:13:10Z, or leave it out for now"}
	case !known.After(time.Unix(0, 0)):
		return &ItemError{fmt.Sprintf("time: %s lies before any prediction", i.time), "write when it became known"}
	case known.After(r.Latest):
		return &ItemError{fmt.Sprintf("time: %s lies in the future", i.time), "write when it became known; is the sender's clock right?"}
	}
	l.Time = known.UTC()
	return nil
}
