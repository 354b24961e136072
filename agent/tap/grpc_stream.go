package tap

import (
	"encoding/binary"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxWaiting bounds the messages of one stream that wait for their answers; the
// copies themselves are bounded by the tap's memory. Beyond it the oldest is
// given up.
const maxWaiting = 1 << 10

// stream follows a gRPC call in which each message asks for a prediction of its
// own, and makes an exchange of each message and its answer. An answer belongs
// to the message with its id that has waited longest; without one, to the
// message that has waited longest. What is answered no more, and an answer that
// no message waits for, such as the second one of a decoupled model, is lost,
// and counted. The id of a message that is too large to be read is not known:
// then an answer may be counted lost with another reason, never given to the
// wrong message.
type stream struct {
	capture         *capture
	r               *http.Request
	request, answer message // each is only touched under its side's mu

	mu      sync.Mutex
	waiting []question // in the order in which they came
	began   int        // messages that have come
	model   string     // of the last message that somebody wants
	ended   bool
}

// question is a message that waits for its answer.
type question struct {
	id     string // as the message says; empty: it says none
	name   string // of the exchange
	model  string // empty: nobody wants it
	body   []byte
	at     time.Time
	lost   dropReason
	choice Choice
}

// message is the copy of one message while it passes, with what stands before
// it.
type message struct {
	prefix [5]byte
	have   int    // bytes of the prefix
	left   uint64 // bytes of the message that are still to come
	body   []byte
	lost   dropReason
	// beginning is there where the body is not.
	beginning [maxBeginning]byte
	begun     int
}

// beginStream makes a stream of a call where its messages are predictions.
func (c *capture) beginStream(r *http.Request) {
	if c.tap.o.StreamID == nil {
		return
	}
	if _, ok := c.tap.o.StreamID(r.URL.Path, "", false, nil); ok {
		c.call.stream = &stream{capture: c, r: r}
	}
}

// isStream says that each message is an exchange.
func (c *capture) isStream() bool { return c.call != nil && c.call.stream != nil }

// passStream hands what one Read gave to the stream, until it is finished. The
// caller holds the side's mu.
func (t *tee) passStream(s *stream, b []byte) {
	switch {
	case t.to.sealed:
	case t.to == &t.capture.request:
		s.pass(&s.request, b)
	default:
		s.pass(&s.answer, b)
	}
}

// pass copies what passes in one direction, message by message. The caller holds
// the side's mu.
func (s *stream) pass(m *message, b []byte) {
	for len(b) > 0 {
		if m.have < len(m.prefix) {
			n := copy(m.prefix[m.have:], b)
			m.have += n
			b = b[n:]
			if m.have < len(m.prefix) {
				return
			}
			m.open(s.capture.tap)
		}
		n := min(m.left, uint64(len(b)))
		m.add(b[:n], s.capture.tap.memory)
		m.left -= n
		b = b[n:]
		if m.left == 0 {
			s.take(m)
			*m = message{}
		}
	}
}

// open begins the copy of a message whose prefix is there.
func (m *message) open(t *Tap) {
	m.left = uint64(binary.BigEndian.Uint32(m.prefix[1:]))
	if int64(m.left) > t.o.MaxBody-int64(len(m.prefix)) {
		m.lost = tooLarge
	} else if m.body = t.memory.get(len(m.prefix) + int(min(m.left, maxAtOnce))); m.body == nil {
		m.lost = queueFull
	}
	m.add(m.prefix[:], t.memory)
}

// add appends to the copy, or to the beginning where there is none.
func (m *message) add(b []byte, memory *memory) {
	if m.body != nil && cap(m.body)-len(m.body) < len(b) {
		begun := copy(m.beginning[:], m.body)
		body, ok := memory.grow(m.body, len(b))
		m.body = body
		if !ok {
			m.begun, m.lost = begun, queueFull
		}
	}
	if m.body != nil {
		m.body = append(m.body, b...)
		return
	}
	m.begun += copy(m.beginning[m.begun:], b)
}

// known gives what is there to find out whose the message is.
func (m *message) known() []byte {
	if m.body != nil {
		return m.body
	}
	return m.beginning[:m.begun]
}

// free gives the copy's memory back.
func (m *message) free(memory *memory) {
	memory.put(m.body)
	m.body = nil
}

// take makes of a whole message a question, or the answer to one.
func (s *stream) take(m *message) {
	if m == &s.request {
		s.ask(m)
	} else {
		s.reply(m)
	}
	m.free(s.capture.tap.memory) // unless it was handed on
}

func (s *stream) ask(m *message) {
	c, t := s.capture, s.capture.tap
	q := question{at: time.Now(), lost: m.lost, model: c.model}
	if q.model == "" {
		if model, ok := t.o.Whose(c.x.Path, c.call.encoding, m.known()); ok {
			q.model = model
		}
	}
	q.id, _ = t.o.StreamID(c.x.Path, c.call.encoding, false, m.known())
	s.mu.Lock()
	s.began++
	number := s.began
	s.mu.Unlock()
	if q.name = q.id; q.name == "" && c.x.ID != "" {
		q.name = c.x.ID + "." + strconv.Itoa(number)
	}
	if q.model != "" && t.o.Choose != nil {
		q.choice = t.o.Choose(s.r, q.model, q.name)
		if out := dropReasonOf[q.choice.Out]; out != noReason {
			q.lost = out
		}
	}
	if q.model != "" && q.lost == noReason {
		q.body, m.body = m.body, nil
	}
	if oldest, ok := s.await(q); ok {
		s.end(oldest, nil, streamed)
	}
}

// await puts a question with those that wait; ok: one has to be given up for it.
func (s *stream) await(q question) (oldest question, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return q, true
	}
	if q.model != "" {
		s.model = q.model
	}
	s.waiting = append(s.waiting, q)
	if len(s.waiting) <= maxWaiting {
		return question{}, false
	}
	oldest = s.waiting[0]
	s.waiting = s.waiting[1:]
	return oldest, true
}

func (s *stream) reply(m *message) {
	c := s.capture
	id, _ := c.tap.o.StreamID(c.x.Path, c.x.Response.ContentEncoding, true, m.known())
	q, ok := s.answered(id)
	if !ok {
		s.end(question{model: s.model, name: id, at: time.Now()}, nil, streamed)
		return
	}
	lost := q.lost
	if lost == noReason {
		lost = m.lost
	}
	body := m.body
	m.body = nil
	s.end(q, body, lost)
}

// answered takes the question that an answer with an id belongs to. A question
// without an id may have been given one by the model server.
func (s *stream) answered(id string) (q question, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	nameless := -1
	at := -1
	for i := range s.waiting {
		if s.waiting[i].id == id || id == "" {
			at = i
			break
		}
		if nameless < 0 && s.waiting[i].id == "" {
			nameless = i
		}
	}
	if at < 0 {
		at = nameless
	}
	if at < 0 {
		return question{}, false
	}
	q = s.waiting[at]
	if at == 0 {
		s.waiting = s.waiting[1:]
	} else {
		s.waiting = append(s.waiting[:at], s.waiting[at+1:]...)
	}
	return q, true
}

// end counts a question, and hands it over where it was answered.
func (s *stream) end(q question, answer []byte, lost dropReason) {
	t := s.capture.tap
	x := *s.capture.x
	x.Model, x.ID, x.Choice, x.memory = q.model, q.name, q.choice, t.memory
	x.Start, x.End, x.Outcome = q.at, time.Now(), OK
	x.FirstByte = x.End
	x.Request.Body, x.Response.Body = q.body, answer
	if q.model == "" { // nobody wants it
		x.free()
		return
	}
	if lost == aborted {
		x.Outcome = s.capture.outcome
	}
	counts := t.counters.of(q.model)
	counts.seen.Add(1)
	t.enqueue(&x, counts, lost)
	t.o.Finished(q.model, x.Outcome, x.End.Sub(x.Start))
}

// finishStream ends a stream: what still waits was never answered. Where the
// call failed it failed with it, else it was broken off.
func (t *Tap) finishStream(c *capture) {
	s := c.call.stream
	for _, side := range []struct {
		*side
		m *message
	}{{&c.request, &s.request}, {&c.response, &s.answer}} {
		side.mu.Lock()
		side.forget(t.memory, streamed)
		side.m.free(t.memory)
		side.mu.Unlock()
	}
	s.mu.Lock()
	waiting := s.waiting
	s.waiting, s.ended = nil, true
	s.mu.Unlock()

	c.endCall()
	failed := c.x.Status != 0 && (c.x.Status < 200 || c.x.Status > 299)
	if failed && c.outcome == Aborted {
		c.outcome = outcomeOf(c.x.Status)
	}
	for _, q := range waiting {
		if !failed {
			s.end(q, nil, aborted)
			continue
		}
		t.memory.put(q.body)
		if q.model != "" {
			t.counters.of(q.model).failed.Add(1)
			t.o.Finished(q.model, c.outcome, time.Since(q.at))
		}
	}
}
