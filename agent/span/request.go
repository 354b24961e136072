package span

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Request is what is known of one request when it has ended. Its texts may stand
// in memory that is used again: what is kept of it is copied.
type Request struct {
	Model signal.ModelRef
	ID    string // names the request, hashed where ids are; empty: nothing does

	// Number is that of the request, evenly spread over all there are, where it is
	// Numbered: a share is told of those with the lowest numbers. It follows from the
	// request's id, so that replicas choose the same requests. Without one the request
	// is chosen at random.
	Number   uint64
	Numbered bool

	Traceparent, Tracestate string // headers of the client; empty: none

	Start, End time.Time
	Status     int    // what the client got; 0: not known
	Failed     string // what stands as error.type; empty: it did not fail
	ServerSide bool   // the failure is not the client's

	// Counted is when a window counted the request, on the clock by which windows
	// close. Zero: none did.
	Counted time.Time

	// Attrs are told of it beside what stands above. It is called only where the
	// request may become a span.
	Attrs func() []signal.Attr
}

// took is how long the request took.
func (r *Request) took() time.Duration { return r.End.Sub(r.Start) }

// maxText bounds a text that clients or servers have chosen, in bytes.
const maxText = 256

// text copies a text, cut to its bound.
func text(s string) string { return strings.Clone(s[:min(len(s), maxText)]) }

// ownTexts copies the texts of attributes.
func ownTexts(attrs []signal.Attr) []signal.Attr {
	for i := range attrs {
		switch v := attrs[i].Value.(type) {
		case string:
			attrs[i].Value = text(v)
		case []string:
			own := make([]string, min(len(v), maxTexts))
			for k := range own {
				own[k] = text(v[k])
			}
			attrs[i].Value = own
		}
	}
	return attrs
}

// maxTexts bounds a list of texts.
const maxTexts = 16
