package wire

import (
	"net/http"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Exchange is one request and its complete answer. The bodies belong to the
// caller and are not changed.
type Exchange struct {
	Path   string // of the URL, unescaped. Empty: nobody knows it, and Model is whose it is
	Model  string // for exchanges without a Path, as payload loggers tell them
	Status int
	Start  time.Time // when the request arrived; zero: nobody knows
	// FirstByte is when the first byte of the answer's body passed; zero: nobody
	// knows, or there was none.
	FirstByte time.Time
	End       time.Time // when the answer was complete
	ID        string    // how the headers name the request; empty: not at all
	Trace     string    // the request's header traceparent; empty: none
	Request   Message
	Response  Message
}

// Message is one direction of an Exchange.
type Message struct {
	Body            []byte
	ContentEncoding string
	// JSONLength is the header Inference-Header-Content-Length: not empty where
	// tensors follow the JSON as raw bytes.
	JSONLength string
}

// HeaderJSONLength is the V2 protocol's header of the binary tensor extension.
const HeaderJSONLength = "Inference-Header-Content-Length"

// Decoder turns exchanges of one protocol into observations.
type Decoder interface {
	// Wants says whether the exchange that begins with r is an inference to be
	// decoded, and of which model. It must be quick and is called from many
	// goroutines at once.
	Wants(r *http.Request) (model string, ok bool)

	// Decode reads one exchange. Every error is a *Fault. The observation and
	// all it holds belong to the decoder, alias the exchange's bodies, and are
	// valid until the next call or until the bodies are reused. One goroutine at
	// a time may call it.
	Decode(x *Exchange) (*signal.Observation, error)
}
