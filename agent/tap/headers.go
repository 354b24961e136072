package tap

import (
	"net/http"
	"strings"
)

// maxHeader bounds a header's value that is kept, in bytes; a longer one is not.
const maxHeader = 256

// keep notes the headers that somebody reads later. Of several values of one
// header the first counts.
func (c *capture) keep(h http.Header) {
	if c.tap.o.Keep == nil {
		return
	}
	for _, name := range c.tap.o.Keep() {
		value := h.Get(name)
		if value == "" || len(value) > maxHeader {
			continue
		}
		if c.x.Headers == nil {
			c.x.Headers = map[string]string{}
		}
		c.x.Headers[name] = strings.Clone(value)
	}
}
