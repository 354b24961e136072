package wire

import "math"

// choice is one answer while it comes in.
type choice struct {
	text     []byte
	finish   string
	declined bool // the server says so: the answer is a refusal, or was held back
	tools    int
	numbered int // the largest number of a tool call, plus one
}

func (c *choice) begin() { *c = choice{text: c.text[:0]} }

// add takes what a piece brought.
func (c *choice) add(p *choice) {
	c.text = append(c.text, p.text...)
	if p.finish != "" {
		c.finish = p.finish
	}
	c.declined = c.declined || p.declined
	c.tools += p.tools
	c.numbered = max(c.numbered, p.numbered)
}

func (c *choice) toolCalls() int { return c.tools + c.numbered }

// refusedBy says that the server calls an answer held back.
func refusedBy(finish string) bool { return finish == "content_filter" || finish == "refusal" }

// choice finds or adds an answer; nil where there are too many.
func (g *generations) choice(i int) *choice {
	if i < 0 || i >= maxChoices {
		g.leaveOut(TooWide, "more than %d answers", maxChoices)
		return nil
	}
	for len(g.choices) <= i {
		n := len(g.choices)
		if n < cap(g.choices) {
			g.choices = g.choices[:n+1]
		} else {
			g.choices = append(g.choices, choice{})
		}
		g.choices[n].begin()
	}
	return &g.choices[i]
}

// oneChoice reads an element of choices, into the answer that it is of.
func (g *generations) oneChoice(i int) {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	p := &g.part
	p.begin()
	s.object(func(key string) {
		switch key {
		case "index":
			i = int(g.count(int64(i)))
		case "message", "delta":
			g.answer(p)
		case "text":
			p.text = g.content(p.text)
		case "finish_reason":
			p.finish = g.word()
			g.ended = g.ended || p.finish != ""
		default:
			s.skip(0)
		}
	})
	if c := g.choice(i); c != nil {
		c.add(p)
	}
}

// answer reads a message of the model, or a part of one.
func (g *generations) answer(c *choice) {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	s.object(func(key string) {
		switch key {
		case "content":
			c.text = g.content(c.text)
		case "refusal":
			before := len(c.text)
			c.text = g.content(c.text)
			c.declined = c.declined || len(c.text) > before
		case "tool_calls":
			g.each(func(int) { g.toolCall(c) })
		case "function_call": // of old
			if s.next() == '{' {
				c.numbered = max(c.numbered, 1)
			}
			s.skip(0)
		default:
			s.skip(0)
		}
	})
}

// toolCall counts a call: by its number where it has one, since a call may come
// in many pieces.
func (g *generations) toolCall(c *choice) {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	number := int64(-1)
	s.object(func(key string) {
		if key == "index" {
			number = g.count(-1)
		} else {
			s.skip(0)
		}
	})
	if number >= 0 && number < maxChoices {
		c.numbered = max(c.numbered, int(number)+1)
	} else {
		c.tools++
	}
}

// count takes a whole number that is not negative; of anything else it gives what
// was known before.
func (g *generations) count(before int64) int64 {
	if c := g.scan.next(); !(c-'0' <= 9) {
		g.scan.skip(0)
		return before
	}
	if n := g.scan.number(); n == math.Trunc(n) && n < 1<<53 {
		return int64(n)
	}
	return before
}

// usage takes the numbers of tokens, under their names of both APIs. Servers that
// tell them with each piece count on: the last are right.
func (g *generations) usage() {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	s.object(func(key string) {
		switch key {
		case "prompt_tokens", "input_tokens":
			g.last.InputTokens = g.count(g.last.InputTokens)
		case "completion_tokens", "output_tokens":
			g.last.OutputTokens = g.count(g.last.OutputTokens)
		default:
			s.skip(0)
		}
	})
}

// failure takes what is under "error": its code, else its type. What it says in
// words is not looked at.
func (g *generations) failure() {
	s := &g.scan
	switch s.next() {
	case '{':
	case '"':
		g.last.Error = unknownError
		s.skip(0)
		return
	default:
		s.skip(0)
		return
	}
	code, kind := "", ""
	s.object(func(key string) {
		switch key {
		case "code":
			code = g.word()
		case "type":
			kind = g.word()
		default:
			s.skip(0)
		}
	})
	if code == "" {
		code = kind
	}
	g.last.Error = errorName(code)
}

// takeID keeps the first id: that of the answer, which all its pieces repeat.
func (g *generations) takeID() {
	if g.scan.next() != '"' {
		g.scan.skip(0)
		return
	}
	if id := g.scan.str(); len(g.id) == 0 {
		g.id = append(g.id, id...)
	}
}
