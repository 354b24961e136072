package intake

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
)

// mode is how HTTP carries CloudEvents.
type mode uint8

const (
	binary     mode = iota // attributes in headers, data in the body
	structured             // both in the body
	batched                // a JSON list of structured ones
)

const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

func modeOf(h http.Header) mode {
	switch content, _, _ := mime.ParseMediaType(h.Get("Content-Type")); content { // what is no type is no event's
	case structuredType:
		return structured
	case batchType:
		return batched
	}
	return binary
}

// wrapped is an event whose attributes stand in the body with its data.
type wrapped struct {
	attributes
	Data   json.RawMessage `json:"data"`
	Base64 string          `json:"data_base64"`
}

// takeStructured reads events whose attributes come with their data. Of a body
// that is too large nobody knows whose it is.
func (i *Intake) takeStructured(r *http.Request, batch bool) error {
	limit := 2 * i.o.MaxBody // JSON around the data, perhaps as base64
	room := limit
	if r.ContentLength >= 0 {
		room = min(room, r.ContentLength)
	}
	if room *= 3; !i.reserve(room) { // the body, a batch's members, and the data of one
		return errNoRoom
	}
	defer i.release(room)
	text, err := read(r.Body, r.ContentLength, limit)
	if err != nil {
		return err
	}
	if !batch {
		return i.takeWrapped(text)
	}
	var members []json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("a batch of CloudEvents that is no JSON list: %w", err)
	}
	for _, m := range members {
		if i.takeWrapped(m) != nil {
			i.refuse(RefusedNoEvent)
		}
	}
	return nil
}

var errNoRoom = errors.New("no room for structured CloudEvents now; send them again later")

// takeWrapped pairs one structured event.
func (i *Intake) takeWrapped(text []byte) error {
	a, data, err := unwrap(text)
	if err != nil {
		return err
	}
	e, ok := i.known(&a)
	if !ok {
		return nil
	}
	tooLarge := int64(len(data)) > i.o.MaxBody
	if e.body = data; tooLarge {
		e.body = nil
	}
	if !i.reserve(int64(cap(e.body)) + overhead) {
		i.drop(e.key.model, func(c *Counts) { c.QueueFull++ })
		return nil
	}
	i.pair(&e, tooLarge)
	return nil
}

// unwrap reads a structured event. Its data shares no memory with body.
func unwrap(body []byte) (attributes, []byte, error) {
	var w wrapped
	if err := json.Unmarshal(body, &w); err != nil {
		return attributes{}, nil, fmt.Errorf("a structured CloudEvent that is not JSON of one: %w", err)
	}
	if err := w.check(); err != nil {
		return attributes{}, nil, err
	}
	switch {
	case w.Base64 != "":
		data, err := base64.StdEncoding.DecodeString(w.Base64)
		if err != nil {
			return attributes{}, nil, fmt.Errorf("data_base64: %w", err)
		}
		return w.attributes, data, nil
	case len(w.Data) > 0 && w.Data[0] == '"': // text, not JSON
		var text string
		err := json.Unmarshal(w.Data, &text)
		return w.attributes, []byte(text), err
	}
	return w.attributes, w.Data, nil
}
