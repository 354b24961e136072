package tap

import (
	"net/http"
	"strings"
)

// maxHeader bounds a header's value that is kept, in bytes; a longer one is not.
const maxHeader = 256

// kept gives the headers that somebody reads later; nil: none of them is there. Of
// several values of one header the first counts.
func (c *capture) kept(h http.Header) map[string]string {
	if c.tap.o.Keep == nil {
		return nil
	}
	var out map[string]string
	for _, name := range c.tap.o.Keep() {
		value := h.Get(name)
		if value == "" || len(value) > maxHeader {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = strings.Clone(value)
	}
	return out
}
