package wire

// textList is a list of texts that were put together in one memory.
type textList struct {
	memory []byte
	ends   []int
}

func (l *textList) clear() {
	if cap(l.memory) > maxIdleText {
		l.memory = nil
	}
	l.memory, l.ends = l.memory[:0], l.ends[:0]
}

func (l *textList) add(s string) {
	l.memory = append(l.memory, s...)
	l.ends = append(l.ends, len(l.memory))
}

// only makes one text the whole list.
func (l *textList) only(s string) {
	l.clear()
	l.add(s)
}

// text gives one of them; they alias the list's memory.
func (l *textList) text(i int) string {
	from := 0
	if i > 0 {
		from = l.ends[i-1]
	}
	return alias(l.memory[from:l.ends[i]])
}

// utterance is one message of a conversation while it is read.
type utterance struct {
	role string
	text []byte
}

// request reads what was asked: the last message of the user, each prompt of a
// completion, each input of an embedding. What went before in a conversation was
// asked in an earlier request.
func (g *generations) request(m *Message) *Fault {
	body, err := g.inflate.body(m, 0, g.maxInflated)
	if err != nil {
		return err
	}
	s := &g.scan
	s.begin(body)
	s.object(func(key string) {
		switch key {
		case "model":
			g.last.RequestModel = g.word()
		case "messages":
			g.guess(Chat)
			g.messages()
		case "prompt":
			g.guess(TextCompletion)
			g.texts()
		case "input":
			g.guess(Embeddings)
			if g.last.Operation == Embeddings {
				g.texts()
			} else {
				g.messages()
			}
		default:
			s.skip(0)
		}
	})
	s.finish()
	return s.err
}

// guess sets the operation where the URL does not tell it.
func (g *generations) guess(o Operation) {
	if g.last.Operation == "" {
		g.last.Operation = o
	}
}

// word takes a short string, which is kept: of anything else it is empty.
func (g *generations) word() string {
	if g.scan.next() != '"' {
		g.scan.skip(0)
		return ""
	}
	s := g.scan.str()
	if len(s) > maxName {
		return ""
	}
	return g.names.keep(s)
}

// texts takes a text or a list of texts. A list of numbers, or of such lists, are
// tokens: nobody knows the text.
func (g *generations) texts() {
	s := &g.scan
	g.prompts.clear()
	switch s.next() {
	case '"':
		g.prompts.add(s.str())
	case '[':
		s.array(func() {
			switch s.next() {
			case '"':
				g.prompts.add(s.str())
			default:
				g.tokens = true
				s.skip(0)
			}
		})
	default:
		s.skip(0)
	}
	if g.tokens {
		g.prompts.clear()
	}
}

// messages takes a conversation; a bare text, which the responses API allows, is
// the user's.
func (g *generations) messages() {
	s := &g.scan
	switch s.next() {
	case '"':
		g.prompts.only(s.str())
	case '[':
		s.array(g.message)
	default:
		s.skip(0)
	}
}

// message takes one message; that of a user takes the place of earlier ones.
func (g *generations) message() {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	g.turn.role, g.turn.text = "", g.turn.text[:0]
	s.object(func(key string) {
		switch key {
		case "role":
			g.turn.role = g.word()
		case "content":
			g.turn.text = g.content(g.turn.text)
		default:
			s.skip(0)
		}
	})
	if g.turn.role == "user" && len(g.turn.text) > 0 {
		g.prompts.only(alias(g.turn.text))
	}
}

// content appends a text, or the texts of a list of parts, one a line. Images,
// sounds and files have no text.
func (g *generations) content(to []byte) []byte {
	s := &g.scan
	switch s.next() {
	case '"':
		return append(to, s.str()...)
	case '[':
		s.array(func() { to = g.contentPart(to) })
		return to
	}
	s.skip(0)
	return to
}

func (g *generations) contentPart(to []byte) []byte {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return to
	}
	s.object(func(key string) {
		if key != "text" || s.next() != '"' {
			s.skip(0)
			return
		}
		if len(to) > 0 {
			to = append(to, '\n')
		}
		to = append(to, s.str()...)
	})
	return to
}
