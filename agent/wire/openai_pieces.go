package wire

import "bytes"

// response reads an answer, whole or in pieces.
func (g *generations) response(m *Message) *Fault {
	body, err := g.inflate.body(m, 1, g.maxInflated)
	if err != nil {
		return err
	}
	if start := bytes.TrimLeft(body, " \t\r\n"); len(start) > 0 && start[0] != '{' {
		g.last.Streamed = true
		err = g.stream(body)
	} else {
		err = g.lines(body)
	}
	if err == nil {
		err = g.vectors.bad
	}
	if err == nil && g.last.Streamed && !g.ended {
		g.last.Truncated = true
	}
	return err
}

// lines reads JSON objects that follow each other. The last may be cut off.
func (g *generations) lines(body []byte) *Fault {
	s := &g.scan
	s.begin(body)
	for {
		c, from := s.next(), s.at
		if c == 0 && g.pieces > 0 {
			break
		}
		g.piece()
		if s.err != nil && g.pieces > 1 && bytes.IndexByte(bytes.TrimRight(body[from:], " \t\r\n"), '\n') < 0 {
			s.err = nil
			g.last.Truncated = true
			break
		}
		if s.err != nil {
			return s.err
		}
	}
	g.last.Streamed = g.pieces > 1
	return nil
}

// stream reads server-sent events. The last may be cut off.
func (g *generations) stream(body []byte) *Fault {
	s := &g.scan
	g.events.begin(body)
	for {
		data, ok := g.events.next()
		if !ok {
			break
		}
		if isDone(data) {
			g.ended = true
			break
		}
		if len(bytes.TrimSpace(data)) == 0 {
			continue
		}
		s.begin(data)
		g.piece()
		s.finish()
		switch {
		case s.err == nil:
		case len(g.events.rest) > 0 || g.pieces <= 1:
			return s.err
		default:
			g.last.Truncated = true
			return nil
		}
	}
	if g.pieces == 0 {
		return fault(BadJSON, "%d bytes that are neither JSON nor events with data", len(body))
	}
	return nil
}

// piece reads one object of an answer: all of it, a chunk, or an event of the
// responses API, which may hold all of it under "response".
func (g *generations) piece() {
	g.pieces++
	g.event = eventOf{}
	g.delta = g.delta[:0]
	g.scan.object(g.member)
	switch {
	case g.event.kind == "error":
		g.last.Error = errorName(g.event.code)
	case len(g.delta) == 0:
	case g.event.kind == "response.output_text.delta" || g.event.kind == "response.refusal.delta":
		if c := g.choice(0); c != nil {
			c.text = append(c.text, g.delta...)
			c.declined = c.declined || g.event.kind == "response.refusal.delta"
		}
	}
}

// eventOf is what an event of the responses API says of itself.
type eventOf struct{ kind, code string }

func (g *generations) member(key string) {
	s := &g.scan
	switch key {
	case "id":
		g.takeID()
	case "model":
		if m := g.word(); m != "" {
			g.last.ResponseModel = m
		}
	case "choices":
		g.each(g.oneChoice)
	case "usage":
		g.usage()
	case "error":
		g.failure()
	case "data":
		g.each(g.oneEmbedding)
	case "embeddings":
		g.each(func(int) { g.vector() })
	case "embedding":
		g.vector()
	case "response":
		if s.next() == '{' {
			s.object(g.member)
		} else {
			g.ofOllama("response")
		}
	case "message", "done", "done_reason", "prompt_eval_count", "eval_count":
		g.ofOllama(key)
	default:
		g.ofResponses(key)
	}
}

// ofOllama reads the members that only Ollama's answers have.
func (g *generations) ofOllama(key string) {
	s := &g.scan
	switch key {
	case "response":
		if c := g.choice(0); c != nil {
			c.text = g.content(c.text)
		}
	case "message":
		if s.next() != '{' {
			s.skip(0)
		} else if c := g.choice(0); c != nil {
			g.answer(c)
		}
	case "done":
		g.ended = s.literal() == literalTrue || g.ended
	case "done_reason":
		if c := g.choice(0); c != nil {
			c.finish = g.word()
		}
	case "prompt_eval_count":
		g.last.InputTokens = g.count(g.last.InputTokens)
	case "eval_count":
		g.last.OutputTokens = g.count(g.last.OutputTokens)
	}
}

// each calls f for the elements of a list, with their number; anything else is
// passed over.
func (g *generations) each(f func(i int)) {
	if g.scan.next() != '[' {
		g.scan.skip(0)
		return
	}
	i := 0
	g.scan.array(func() { f(i); i++ })
}
