package intake

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// half says which side of an exchange an event tells of.
type half uint8

const (
	request half = iota
	answer
)

// event is one half of an exchange.
type event struct {
	key   key
	half  half
	trace string
	time  time.Time // as the event says; zero: it does not
	body  []byte
	// encoding is the Content-Encoding of body.
	encoding string
}

// key names an exchange: an id is unique for its source only, and both halves of
// one are of the same service and component.
type key struct {
	model, namespace, component, id string
}

// attributes are the CloudEvents attributes that are read: those of the
// specification, and KServe's extensions.
type attributes struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Time      string `json:"time"`
	Model     string `json:"inferenceservicename"`
	Namespace string `json:"namespace"`
	Component string `json:"component"`
	Trace     string `json:"traceparent"`
}

var errNoEvent = errors.New("no CloudEvent: the header Ce-Id or Ce-Type is missing")

// attributesOf reads those in the headers, of HTTP's binary mode.
func attributesOf(h http.Header) (attributes, error) {
	a := attributes{
		ID: h.Get("Ce-Id"), Type: h.Get("Ce-Type"), Time: h.Get("Ce-Time"), Model: h.Get("Ce-Inferenceservicename"),
		Namespace: h.Get("Ce-Namespace"), Component: h.Get("Ce-Component"), Trace: h.Get("Ce-Traceparent"),
	}
	return a, a.check()
}

// maxID bounds what names an exchange, in bytes, as decoders do.
const maxID = 256

func (a *attributes) check() error {
	switch {
	case a.ID == "" || a.Type == "":
		return errNoEvent
	case len(a.ID) > maxID || len(a.Model) > maxID || len(a.Namespace) > maxID || len(a.Component) > maxID:
		return fmt.Errorf("an attribute is longer than %d bytes", maxID)
	}
	return nil
}

// event turns attributes into an event; false where it tells of no inference.
func (a *attributes) event() (event, bool) {
	e := event{key: key{a.Model, a.Namespace, a.Component, a.ID}, trace: a.Trace}
	switch {
	case strings.HasSuffix(a.Type, ".inference.request"):
	case strings.HasSuffix(a.Type, ".inference.response"):
		e.half = answer
	default:
		return e, false
	}
	if t, err := time.Parse(time.RFC3339Nano, a.Time); err == nil {
		e.time = t
	}
	return e, true
}

// errTooLarge says that a body is longer than is kept.
var errTooLarge = errors.New("the body is too large")

// read reads a body of at most limit bytes. expected is its announced length, or
// -1.
func read(from io.Reader, expected, limit int64) ([]byte, error) {
	if expected > limit {
		return nil, errTooLarge
	}
	if expected >= 0 {
		body := make([]byte, expected)
		_, err := io.ReadFull(from, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errTooLarge
	}
	return body, err
}
