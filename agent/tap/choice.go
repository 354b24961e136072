package tap

import "net/http"

// Choice says whether a request is copied, and by which number that was chosen,
// for whoever has to choose again when the exchange has ended. The tap reads Out
// alone. It is made from many goroutines, by the name that the client gave the
// request in its headers; empty: none. The model is empty where only Whose will
// know.
type Choice struct {
	Out   Out
	Made  bool    // there was a choice to make; false: all else is zero
	Share float64 // of the requests that may be copied those that are, in (0, 1]
	Draw  uint64  // the request's number, evenly spread over all there are
	ByID  bool    // it follows from the name
}

// Out says why a request is left out of what is copied. It is passed on like any
// other, and counted.
type Out uint8

// The reasons.
const (
	In          Out = iota // it is copied
	LeftOut                // a lower share of the requests is wanted
	OverCeiling            // copying and reading it would take too much of the CPU
)

var dropReasonOf = [...]dropReason{In: noReason, LeftOut: leftOut, OverCeiling: overCeiling}

// choose asks whether the request is copied; true: it is not.
func (c *capture) choose(r *http.Request) (out bool) {
	if c.tap.o.Choose == nil {
		return false
	}
	ok := true
	defer c.tap.recovered(&ok)
	c.x.Choice = c.tap.o.Choose(r, c.model, nameOf(r.Header))
	c.request.lost = dropReasonOf[c.x.Choice.Out]
	return c.request.lost != noReason
}
