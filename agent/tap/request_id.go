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
)

// maxID bounds a name, in bytes, as the decoder does; a longer one names nothing.
const maxID = 256

// name notes how the headers name the request. Where it is to have a name and
// has none, it gets one.
func (c *capture) name(h http.Header) {
	ok := true
	defer c.tap.recovered(&ok)
	c.x.Trace = h.Get(headerTrace)
	c.keep(h)
	for _, key := range []string{headerRequestID, headerCloudEvent} {
		if id := h.Get(key); c.x.ID == "" && len(id) <= maxID {
			c.x.ID = id
		}
	}
	c.named = c.tap.o.Named(c.model)
	if c.named && c.x.ID == "" {
		c.x.ID = uuid.NewString()
	}
}

// nameRequest passes the name on to the model server, unless the client did.
func (c *capture) nameRequest(h http.Header) {
	if c != nil && c.named && h.Get(headerRequestID) == "" {
		h.Set(headerRequestID, c.x.ID)
	}
}

// nameAnswer tells the client the name, unless the model server did.
func (c *capture) nameAnswer(h http.Header) {
	if c.named && h.Get(headerRequestID) == "" {
		h.Set(headerRequestID, c.x.ID)
	}
}
