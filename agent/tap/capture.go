package tap

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// capture is the copy of one exchange while it passes.
type capture struct {
	tap     *Tap
	model   string
	started time.Time
	x       *Exchange
	call    *call // nil: it is no gRPC call
	named   bool  // its id is passed on to the model server, and back to the client

	outcome  Outcome // what the client saw, so far
	request  side
	response side
}

// side is the copy of one direction. The transport may read a request's body
// on a goroutine of its own, even after the answer: hence the lock.
type side struct {
	mu     sync.Mutex
	body   []byte
	whole  bool       // the end was seen
	broken bool       // reading failed before the end
	lost   dropReason // why there is no copy
	sealed bool       // handed over or dropped: nothing is added any more
}

type captureKey struct{}

func withCapture(ctx context.Context, c *capture) context.Context {
	return context.WithValue(ctx, captureKey{}, c)
}

// captureOf gives the request's capture; nil where it is not wanted.
func captureOf(ctx context.Context) *capture {
	c, _ := ctx.Value(captureKey{}).(*capture)
	return c
}

// begin starts the copy of a wanted request.
func (t *Tap) begin(model string, r *http.Request) *capture {
	c := &capture{tap: t, model: model, started: time.Now(), outcome: Aborted}
	c.x = &Exchange{Model: model, Path: r.URL.Path, Method: r.Method, GRPC: isGRPC(r), Start: c.started, memory: t.memory}
	c.x.Request.setHeader(r.Header)
	c.beginCall(r)
	c.name(r.Header)
	if !c.isStream() && !c.choose(r) && r.ContentLength > t.o.MaxBody {
		c.request.lost = tooLarge
	}
	return c
}

// tapRequest gives the body that the proxy reads in place of r's.
func (c *capture) tapRequest(r *http.Request) io.ReadCloser {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		c.request.whole = true
		return r.Body
	}
	return &tee{body: r.Body, capture: c, to: &c.request, length: r.ContentLength}
}

// tapResponse is tapAnswer for ReverseProxy. It never fails an answer.
func (t *Tap) tapResponse(answer *http.Response) error {
	if c := captureOf(answer.Request.Context()); c != nil {
		c.tapAnswer(answer)
	}
	return nil
}

// tapAnswer wraps the body of a wanted answer.
func (c *capture) tapAnswer(answer *http.Response) {
	t := c.tap
	c.nameAnswer(answer.Header)
	c.x.Answered = c.kept(answer.Header)
	c.x.Status = answer.StatusCode
	if c.call != nil {
		c.call.response = answer
	}
	switch {
	case answer.StatusCode == http.StatusSwitchingProtocols:
		c.response.lost = upgraded // the body is a connection now
		c.outcome = OK
		return
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		// No observation: the decoder only needs the status.
		if !t.o.KeepFailed(c.model) {
			c.request.drop(t.memory, noReason)
		}
		answer.Body = &tee{body: answer.Body, capture: c, to: &c.response, length: answer.ContentLength, blind: true}
		return
	}
	c.x.Response.setHeader(answer.Header)
	if c.call != nil {
		c.x.Response.ContentEncoding = answer.Header.Get("Grpc-Encoding")
	}
	if answer.ContentLength > t.o.MaxBody {
		c.response.drop(t.memory, tooLarge)
	}
	answer.Body = &tee{body: answer.Body, capture: c, to: &c.response, length: answer.ContentLength, blind: c.request.isLost()}
}

// fail notes that the client was answered by the proxy itself.
func (c *capture) fail(o Outcome, status int) {
	if c == nil {
		return
	}
	c.outcome, c.x.Status = o, status
	if !c.tap.o.KeepFailed(c.model) {
		c.request.drop(c.tap.memory, noReason)
	}
	c.response.whole = o == Unreachable
}

// tee passes a body on and copies what passes.
type tee struct {
	body    io.ReadCloser
	capture *capture
	to      *side
	length  int64 // as announced; -1: unknown
	passed  int64
	blind   bool // only the end is of interest
}

// Read reads from the body; the copy is made on the way.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	t.record(p[:n], err)
	return n, err
}

// Close closes the body.
func (t *tee) Close() error { return t.body.Close() }

// record copies what one Read gave.
func (t *tee) record(b []byte, err error) {
	ok := true
	defer t.capture.tap.recovered(&ok)
	s := t.to
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.passed == 0 && len(b) > 0 && s == &t.capture.response {
		t.capture.x.FirstByte = time.Now()
	}
	t.passed += int64(len(b))
	s.whole = s.whole || err == io.EOF || t.passed == t.length
	s.broken = s.broken || err != nil && err != io.EOF
	t.recordFrames(b)
	if !t.blind && !t.capture.isStream() {
		s.add(b, t.capture.tap, t.length)
	}
}

// maxAtOnce bounds the memory that is taken because a length was announced;
// more is taken as more arrives, so that empty promises do not use up the bound.
const maxAtOnce = 256 << 10

// add appends to the copy. expected is the announced length of the whole body.
func (s *side) add(b []byte, t *Tap, expected int64) {
	if s.sealed || s.lost != noReason || len(b) == 0 {
		return
	}
	if int64(len(s.body)+len(b)) > t.o.MaxBody {
		s.forget(t.memory, tooLarge)
		return
	}
	if cap(s.body)-len(s.body) < len(b) {
		more := max(len(b), int(min(expected, t.o.MaxBody, maxAtOnce))-len(s.body))
		body, ok := t.memory.grow(s.body, more)
		s.body = body
		if !ok {
			s.forget(t.memory, queueFull)
			return
		}
	}
	s.body = append(s.body, b...)
}

func (s *side) isLost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost != noReason
}

func (s *side) isBroken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// forget gives the copy up for a reason. The caller holds mu.
func (s *side) forget(m *memory, why dropReason) {
	m.put(s.body)
	s.body, s.lost = nil, why
	s.sealed = true
}

func (s *side) drop(m *memory, why dropReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(m, why)
}

// seal ends the copy and gives it away.
func (s *side) seal() (body []byte, whole bool, lost dropReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, s.body, s.sealed = s.body, nil, true
	return body, s.whole, s.lost
}
