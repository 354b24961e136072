package tap

import (
	"net/http"

	"github.com/google/uuid"
)

// Headers that name a request, and what it is part of.
const (
	headerRequestID  = "X-Request-Id"
	headerCloudEvent = "Ce-Id" // of a CloudEvent in HTTP's binary mode
	headerTrace      = "Traceparent"
	headerTraceState = "Tracestate"
)

// maxID bounds a name, in bytes, as the decoder does; a longer one names nothing.
const maxID = 256

// name notes how the headers name the request. Where it is to have a name and
// has none, it gets one.
func (c *capture) name(h http.Header) {
	ok := true
	defer c.tap.recovered(&ok)
	c.x.Trace, c.x.TraceState = h.Get(headerTrace), h.Get(headerTraceState)
	c.x.Headers = c.kept(h)
	c.x.ID = nameOf(h)
	c.named = c.tap.o.Named(c.model)
	if c.named && c.x.ID == "" {
		c.x.ID = uuid.NewString()
	}
}

// nameOf gives the first name in the headers that is no longer than maxID.
func nameOf(h http.Header) string {
	for _, key := range []string{headerRequestID, headerCloudEvent} {
		if id := h.Get(key); id != "" && len(id) <= maxID {
			return id
		}
	}
	return ""
}

// newName gives the name that is passed on to the model server; empty: there is
// none, or the client has sent one.
func (c *capture) newName(h http.Header) string {
	if c == nil || !c.named || h.Get(headerRequestID) != "" {
		return ""
	}
	return c.x.ID
}

// nameAnswer tells the client the name, unless the model server did.
func (c *capture) nameAnswer(h http.Header) {
	if c.named && h.Get(headerRequestID) == "" {
		h.Set(headerRequestID, c.x.ID)
	}
}
