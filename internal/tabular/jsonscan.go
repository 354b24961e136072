package tabular

import (
	"encoding/json"
	"strings"
)

// jsonScanner reads one line that is a JSON object and hands over its values
// as cells: numbers and texts as they are, true and false in these words, null
// as empty text. NaN and the infinities, which Python writes although JSON has
// none, are taken as they are.
//
// It takes what encoding/json takes, except for lists and for a key that is
// there twice, and more only in NaN and the infinities.
type jsonScanner struct {
	text string
	pos  int
	n    int // values handed over

	emit func(n int, column, cell string, at int) error
}

// jsonFault is what is wrong at a byte of the line.
type jsonFault struct {
	at         int
	what, cure string
}

func (f *jsonFault) Error() string { return f.what }

const (
	cureObject = `each line must be a JSON object such as {"age": 31, "city": "Rome"}`
	cureSyntax = "correct the line; jq . shows where it breaks"
	cureFlat   = "write one value for each column, or leave the list out"
)

// maxJSONDepth bounds objects within objects.
const maxJSONDepth = 16

func (s *jsonScanner) wrong(what, cure string) error { return &jsonFault{s.pos, what, cure} }

// line reads the object and makes sure that nothing follows it.
func (s *jsonScanner) line() error {
	s.blanks()
	if s.peek() != '{' {
		return s.wrong("the line is not a JSON object", cureObject)
	}
	if err := s.object("", 0); err != nil {
		return err
	}
	if s.blanks(); s.pos < len(s.text) {
		return s.wrong("something follows the object", "write one object a line")
	}
	return nil
}

// object reads from { to }. Columns get the prefix.
func (s *jsonScanner) object(prefix string, depth int) error {
	if depth == maxJSONDepth {
		return s.wrong("objects are nested too deeply", "write one value for each column")
	}
	s.pos++
	if s.blanks(); s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		if err := s.value(prefix+key, depth); err != nil {
			return err
		}
		s.blanks()
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.wrong("a comma or } is missing", cureSyntax)
		}
	}
}

// key reads "name":
func (s *jsonScanner) key() (string, error) {
	s.blanks()
	if s.peek() != '"' {
		return "", s.wrong("a key in double quotes is missing", cureSyntax)
	}
	start := s.pos
	key, err := s.quoted()
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(key) == "" {
		s.pos = start
		return "", s.wrong("the key is empty", "name the column")
	}
	if s.blanks(); s.peek() != ':' {
		return "", s.wrong("a colon is missing", cureSyntax)
	}
	s.pos++
	s.blanks()
	return key, nil
}

func (s *jsonScanner) value(column string, depth int) error {
	start := s.pos
	var cell string
	var err error
	switch c := s.peek(); {
	case c == '{':
		return s.object(column+".", depth+1)
	case c == '[':
		return s.wrong("column \""+column+"\" holds a list", cureFlat)
	case c == '"':
		cell, err = s.quoted()
	default:
		cell, err = s.bare()
	}
	if err != nil {
		return err
	}
	s.n++
	return s.emit(s.n-1, column, cell, start)
}

// quoted reads a string. Without an escape it is a part of the line.
func (s *jsonScanner) quoted() (string, error) {
	start := s.pos
	escaped := false
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			raw := s.text[start:s.pos]
			if !escaped {
				return raw[1 : len(raw)-1], nil
			}
			var text string
			if json.Unmarshal([]byte(raw), &text) != nil {
				s.pos = start
				return "", s.wrong("an escape in the text is none of JSON's", cureSyntax)
			}
			return text, nil
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return "", s.wrong("a control character stands in a text", `write it as \n, \t or \u00XX`)
		}
	}
	s.pos = start
	return "", s.wrong("the text has no end", cureSyntax)
}

// bare reads a number or a word.
func (s *jsonScanner) bare() (string, error) {
	start := s.pos
	word := s.text[start:]
	if end := strings.IndexAny(word, " \t\r,}"); end >= 0 {
		word = word[:end]
	}
	s.pos += len(word)
	switch word {
	case "null":
		return "", nil
	case "true", "false", "NaN", "Infinity", "-Infinity":
		return word, nil
	}
	if !isJSONNumber(word) {
		s.pos = start
		return "", s.wrong("a value is missing, or a text is not in double quotes", cureSyntax)
	}
	return word, nil
}

// isJSONNumber holds text against the grammar of RFC 8259.
func isJSONNumber(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	digits := func() bool {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		rest = rest[n:]
		return n > 0
	}
	if after, zero := strings.CutPrefix(rest, "0"); zero {
		rest = after
	} else if !digits() {
		return false
	}
	if after, point := strings.CutPrefix(rest, "."); point {
		if rest = after; !digits() {
			return false
		}
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		if !digits() {
			return false
		}
	}
	return rest == ""
}

func (s *jsonScanner) blanks() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t' || s.text[s.pos] == '\r') {
		s.pos++
	}
}

// peek gives the byte at hand, 0 at the end.
func (s *jsonScanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}
