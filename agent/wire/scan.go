package wire

// scanner walks over a JSON text without building anything. It accepts what
// RFC 8259 allows, plus the bare words NaN, Infinity and -Infinity, which
// TF Serving, Triton and Python's json write where a number is undefined.
//
// After the first fault every method returns at once; err says where.
type scanner struct {
	text    []byte
	at      int
	err     *Fault
	unquote []byte // strings with escapes, decoded; handed out, never rewritten
}

// maxDepth bounds nesting, so that no text can exhaust the stack.
const maxDepth = 64

// begin starts on a text. Strings of texts before it stay valid.
func (s *scanner) begin(text []byte) { s.text, s.at, s.err = text, 0, nil }

func (s *scanner) fail(want string) {
	if s.err == nil {
		s.err = fault(BadJSON, "at byte %d of %d: want %s", s.at, len(s.text), want)
	}
	s.at = len(s.text)
}

// next skips white space and gives the byte there without taking it; 0 at the
// end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and takes c if it is there.
func (s *scanner) take(c byte) bool {
	if s.next() != c || s.at >= len(s.text) {
		return false
	}
	s.at++
	return true
}

// word takes a literal if it is there.
func (s *scanner) word(w string) bool {
	if len(s.text)-s.at < len(w) || string(s.text[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

// finish checks that nothing but white space is left.
func (s *scanner) finish() {
	if s.err == nil && (s.next() != 0 || s.at < len(s.text)) {
		s.fail("the end")
	}
}

// object calls member for each key, which must take the value.
func (s *scanner) object(member func(key string)) {
	if !s.take('{') {
		s.fail("an object")
		return
	}
	if s.take('}') {
		return
	}
	for s.err == nil {
		if s.next() != '"' {
			s.fail("a key")
			return
		}
		key := s.str()
		if !s.take(':') {
			s.fail("a colon")
			return
		}
		member(key)
		if s.take(',') {
			continue
		}
		if !s.take('}') {
			s.fail("a comma or the end of the object")
		}
		return
	}
}

// array calls element for each element, which must take it.
func (s *scanner) array(element func()) {
	if !s.take('[') {
		s.fail("an array")
		return
	}
	if s.take(']') {
		return
	}
	for s.err == nil {
		element()
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			s.fail("a comma or the end of the array")
		}
		return
	}
}

// skip takes a value of any kind, checking its grammar.
func (s *scanner) skip(depth int) {
	if depth > maxDepth {
		s.fail("less nesting")
		return
	}
	switch c := s.next(); {
	case c == '{':
		s.object(func(string) { s.skip(depth + 1) })
	case c == '[':
		s.array(func() { s.skip(depth + 1) })
	case c == '"':
		s.str()
	case s.literal() != notLiteral:
	default:
		s.number()
	}
}

// literal is a bare word that is no number.
type literal uint8

const (
	notLiteral literal = iota
	literalNull
	literalTrue
	literalFalse
)

// literal takes null, true or false if one is there.
func (s *scanner) literal() literal {
	switch s.next() {
	case 'n':
		if s.word("null") {
			return literalNull
		}
	case 't':
		if s.word("true") {
			return literalTrue
		}
	case 'f':
		if s.word("false") {
			return literalFalse
		}
	}
	return notLiteral
}
