package wire

import (
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// str takes a string. The result aliases the text, or, where the string has
// escapes, the scanner's own memory: both live as long as the exchange's
// bodies. Bytes that are not UTF-8 are passed on as they are.
func (s *scanner) str() string {
	if !s.take('"') {
		s.fail("a string")
		return ""
	}
	start := s.at
	for i := start; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return alias(s.text[start:i])
		case c == '\\':
			s.at = i
			return s.escaped(start)
		case c < ' ':
			s.at = i
			s.fail("a string without control characters")
			return ""
		}
	}
	s.at = len(s.text)
	s.fail("the end of the string")
	return ""
}

// alias gives bytes as a string without copying them.
func alias(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// escaped takes the rest of a string from its first backslash; what stands
// between start and there is plain.
func (s *scanner) escaped(start int) string {
	from := len(s.unquote)
	s.unquote = append(s.unquote, s.text[start:s.at]...)
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			// An append that outgrows the memory leaves strings that were handed
			// out on the old one, which the garbage collector keeps for them.
			return alias(s.unquote[from:])
		case c == '\\':
			s.escape()
		case c < ' ':
			s.at--
			s.fail("a string without control characters")
		default:
			s.unquote = append(s.unquote, c)
		}
	}
	s.fail("the end of the string")
	return ""
}

// escape takes what follows a backslash.
func (s *scanner) escape() {
	if s.at >= len(s.text) {
		s.fail("an escape")
		return
	}
	c := s.text[s.at]
	s.at++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		s.unquote = utf8.AppendRune(s.unquote, s.codePoint())
		return
	default:
		s.at--
		s.fail("an escape")
		return
	}
	s.unquote = append(s.unquote, c)
}

// codePoint takes four hexadecimal digits, and a second escape where the two
// are a surrogate pair. Half a pair becomes the replacement character.
func (s *scanner) codePoint() rune {
	r := s.hex4()
	if !utf16.IsSurrogate(r) {
		return r
	}
	after := s.at
	if s.word(`\u`) {
		if pair := utf16.DecodeRune(r, s.hex4()); pair != utf8.RuneError {
			return pair
		}
		if s.err == nil {
			s.at = after // the second escape stands for itself
		}
	}
	return utf8.RuneError
}

func (s *scanner) hex4() rune {
	if len(s.text)-s.at < 4 {
		s.fail("four hexadecimal digits")
		return 0
	}
	var r rune
	for _, c := range s.text[s.at : s.at+4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			s.fail("four hexadecimal digits")
			return 0
		}
	}
	s.at += 4
	return r
}
