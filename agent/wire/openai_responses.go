package wire

// ofResponses reads the members that only OpenAI's responses API has: the answer
// is a list of items, of which messages have text, and comes whole at the end of
// a stream.
func (g *generations) ofResponses(key string) {
	s := &g.scan
	switch key {
	case "type":
		g.event.kind = g.word()
	case "code":
		g.event.code = g.word()
	case "delta":
		if s.next() == '"' {
			g.delta = append(g.delta, s.str()...)
		} else {
			s.skip(0)
		}
	case "status":
		g.finishAs(g.word())
	case "incomplete_details":
		g.incomplete()
	case "output":
		g.output()
	default:
		s.skip(0)
	}
}

// finishAs takes the state of a response; while it is under way it is no end.
func (g *generations) finishAs(status string) {
	switch status {
	case "", "queued", "in_progress":
		return
	}
	g.ended = true
	if c := g.choice(0); c != nil && (c.finish == "" || status != "incomplete") {
		c.finish = status
	}
}

// incomplete takes why a response is not complete, which says more than that it
// is not.
func (g *generations) incomplete() {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	s.object(func(key string) {
		if key != "reason" {
			s.skip(0)
			return
		}
		if c, reason := g.choice(0), g.word(); c != nil && reason != "" {
			c.finish = reason
		}
	})
}

// output takes the items of a response. It is all of the answer, so it takes the
// place of what came in pieces; an empty list comes before them.
func (g *generations) output() {
	first := true
	g.each(func(int) {
		c := g.choice(0)
		if first {
			finish := c.finish
			c.begin()
			c.finish, first = finish, false
		}
		g.outputItem(c)
	})
}

func (g *generations) outputItem(c *choice) {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	kind := ""
	s.object(func(key string) {
		switch key {
		case "type":
			kind = g.word()
		case "content":
			g.each(func(int) { g.outputPart(c) })
		default:
			s.skip(0)
		}
	})
	if kind == "function_call" || kind == "custom_tool_call" {
		c.tools++
	}
}

// outputPart takes a part of a message: text, or why there is none.
func (g *generations) outputPart(c *choice) {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	s.object(func(key string) {
		switch key {
		case "text":
			c.text = g.content(c.text)
		case "refusal":
			c.text, c.declined = g.content(c.text), true
		default:
			s.skip(0)
		}
	})
}
