package tap

import (
	"context"
	"net/http"
	"time"
)

// Exchange is one captured request and its complete answer.
type Exchange struct {
	Model      string // as Wanted named it
	Path       string // of the URL, unescaped
	Method     string
	GRPC       bool // it is a call of gRPC
	Status     int  // what the client got, of a gRPC call the HTTP status most like its own; bodies are empty unless 2xx, but for KeepFailed
	Start, End time.Time
	FirstByte  time.Time         // when the first byte of the answer's body passed; zero: there was none
	ID         string            // how the headers name the request: X-Request-Id, else Ce-Id, else the tap; empty: not at all
	Trace      string            // header traceparent; empty: none
	TraceState string            // header tracestate; empty: none
	Outcome    Outcome           // what the client saw; empty: nobody knows, it is from a log
	Headers    map[string]string // of the request, those that Options.Keep names and it has; nil: none
	Answered   map[string]string // headers of the answer, likewise
	Request    Message
	Response   Message
	Choice     Choice // as Choose made it

	memory *memory
}

// Message is one direction of an Exchange; its fields are those that decoders
// need (wire.Message has the same ones and can be converted).
type Message struct {
	Body            []byte
	ContentEncoding string
	JSONLength      string // header Inference-Header-Content-Length
}

func (m *Message) setHeader(h http.Header) {
	m.ContentEncoding = h.Get("Content-Encoding")
	m.JSONLength = h.Get("Inference-Header-Content-Length")
}

// free gives the memory back.
func (x *Exchange) free() {
	x.memory.put(x.Request.Body)
	x.memory.put(x.Response.Body)
	x.Request.Body, x.Response.Body = nil, nil
}

// maxQueued bounds the copies that wait, beside the bound in bytes.
const maxQueued = 1 << 16

// finish counts a wanted request that has ended and hands its copy over.
func (t *Tap) finish(c *capture) {
	ok := true
	defer t.recovered(&ok)
	if c.isStream() {
		t.finishStream(c)
		return
	}
	x := c.x
	x.End = time.Now()
	if !t.belongs(c) {
		c.request.drop(t.memory, noReason)
		c.response.drop(t.memory, noReason)
		return
	}
	counts := t.counters.of(c.model)

	requestBody, requestWhole, lost := c.request.seal()
	answerBody, answerWhole, lostAnswer := c.response.seal()
	x.Request.Body, x.Response.Body = requestBody, answerBody
	if lost == noReason {
		lost = lostAnswer
	}
	c.endCall()
	answered := x.Status >= 200 && x.Status <= 299
	if !answered && (lost == leftOut || lost == overCeiling || lost == tooLarge || lost == queueFull) {
		lost = noReason // it counts as failed, as others do
	}
	if lost == noReason && (!answerWhole || answered && !requestWhole) {
		lost = aborted
	}
	if c.outcome == Aborted && answerWhole {
		c.outcome = outcomeOf(x.Status)
	}
	x.Outcome = c.outcome
	if lost == noReason && !answered {
		t.tellFailed(x, counts)
	} else {
		counts.seen.Add(1)
		t.enqueue(x, counts, lost)
	}
	t.o.Finished(c.model, c.outcome, x.End.Sub(c.started))
}

func outcomeOf(status int) Outcome {
	switch {
	case status >= 500:
		return ServerError
	case status >= 400:
		return ClientError
	}
	return OK
}

// enqueue hands a copy to Drain without waiting, or counts why not.
func (t *Tap) enqueue(x *Exchange, counts *modelCounters, lost dropReason) {
	if lost == noReason {
		if t.offer(x) {
			counts.captured.Add(1)
			return
		}
		lost = queueFull
	}
	x.free()
	t.o.Lost(x)
	counts.dropped[lost].Add(1)
}

// tellFailed hands over an exchange in which nothing was predicted, where there
// is room. There is nothing in it to lose: it is counted either way.
func (t *Tap) tellFailed(x *Exchange, counts *modelCounters) {
	counts.failed.Add(1)
	if !t.offer(x) {
		x.free()
		t.o.Lost(x)
	}
}

// offer queues a copy; false where there is no room.
func (t *Tap) offer(x *Exchange) bool {
	if !t.memory.reserve(exchangeOverhead) {
		return false
	}
	select {
	case t.queue <- x:
		return true
	default:
		t.memory.release(exchangeOverhead)
		return false
	}
}

// Drain calls consume for each captured exchange, in the order in which they
// ended, until ctx is done; then it takes what still waits and returns. The
// exchange and its bodies are valid until consume returns. A panic of consume
// is recovered and counted. Several Drains share the exchanges among them.
func (t *Tap) Drain(ctx context.Context, consume func(*Exchange)) {
	for {
		select {
		case x := <-t.queue:
			t.consume(x, consume)
		case <-ctx.Done():
			t.drainRest(consume)
			return
		}
	}
}

func (t *Tap) drainRest(consume func(*Exchange)) {
	for {
		select {
		case x := <-t.queue:
			t.consume(x, consume)
		default:
			return
		}
	}
}

func (t *Tap) consume(x *Exchange, consume func(*Exchange)) {
	ok := true
	defer t.recovered(&ok)
	defer t.memory.release(exchangeOverhead)
	defer x.free()
	consume(x)
}
