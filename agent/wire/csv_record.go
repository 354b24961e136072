package wire

import (
	"math"
	"strconv"
	"strings"
)

// csvMore skips empty lines and says whether a record follows.
func (s *scanner) csvMore() bool {
	for s.err == nil && s.at < len(s.text) {
		n := s.csvLineEnd()
		if n == 0 {
			return true
		}
		s.at += n
	}
	return false
}

// csvLineEnd gives the length of the end of a line that stands here; 0: none
// does. A return ends a line only at the end of the text, or before a newline.
func (s *scanner) csvLineEnd() int {
	rest := s.text[s.at:]
	switch {
	case len(rest) == 0:
		return 0
	case rest[0] == '\n':
		return 1
	case rest[0] == '\r' && len(rest) == 1:
		return 1
	case rest[0] == '\r' && rest[1] == '\n':
		return 2
	}
	return 0
}

// csvRecord takes a record into a list.
func (s *scanner) csvRecord(l *list) {
	for s.err == nil {
		if x, ok := s.csvShortNumber(); ok {
			l.number(x)
		} else {
			l.field(s.csvValue())
		}
		if !s.csvNext() {
			return
		}
	}
}

// csvTexts takes a record and calls value for each of its values.
func (s *scanner) csvTexts(value func(text string)) {
	for s.err == nil {
		value(s.csvValue())
		if !s.csvNext() {
			return
		}
	}
}

// csvNext takes the comma before the next value of a record, or the record's
// end, and says which.
func (s *scanner) csvNext() (more bool) {
	if s.err != nil || s.at >= len(s.text) {
		return false
	}
	if s.text[s.at] == ',' {
		s.at++
		return true
	}
	s.at += s.csvLineEnd()
	return false
}

// csvValue takes a value. It aliases the text, or the scanner's memory where
// quotes had to be undone.
func (s *scanner) csvValue() string {
	if s.at < len(s.text) && s.text[s.at] == '"' {
		s.at++
		return s.csvQuoted()
	}
	return s.csvPlain()
}

// csvShortNumber takes a value that is a number without an exponent and short
// enough for one division to round it correctly, as most are.
func (s *scanner) csvShortNumber() (x float64, ok bool) {
	text, i := s.text, s.at
	negative := i < len(text) && text[i] == '-'
	if negative {
		i++
	}
	var mantissa uint64
	first, point := i, -1
	for ; i < len(text); i++ {
		if c := text[i]; c-'0' <= 9 {
			mantissa = mantissa*10 + uint64(c-'0')
		} else if c == '.' && point < 0 {
			point = i
		} else {
			break
		}
	}
	digits, fraction := i-first, 0
	if point >= 0 {
		digits, fraction = digits-1, i-point-1
	}
	if digits == 0 || digits > 19 || mantissa > maxExactMantissa || i < len(text) && text[i] != ',' && text[i] != '\n' && text[i] != '\r' {
		return 0, false
	}
	if start := s.at; i < len(text) && text[i] == '\r' {
		if s.at = i; s.csvLineEnd() == 0 {
			s.at = start
			return 0, false
		}
	}
	s.at = i
	x = float64(mantissa) / powersOfTen[fraction]
	if negative {
		x = -x
	}
	return x, true
}

// csvPlain takes a value without quotes.
func (s *scanner) csvPlain() string {
	start := s.at
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ',', '\n':
			return alias(s.text[start:s.at])
		case '\r':
			if s.csvLineEnd() > 0 {
				return alias(s.text[start:s.at])
			}
		case '"':
			s.failCSV("a quote only around a whole value")
			return ""
		}
		s.at++
	}
	return alias(s.text[start:])
}

// csvQuoted takes a value behind its first quote. Line ends within become
// newlines.
func (s *scanner) csvQuoted() string {
	start, from, copied := s.at, len(s.unquote), false
	for s.at < len(s.text) {
		c := s.text[s.at]
		twice := c == '"' && s.at+1 < len(s.text) && s.text[s.at+1] == '"'
		lineEnd := c == '\r' && s.csvLineEnd() > 0
		switch {
		case twice || lineEnd:
			if !copied {
				s.unquote, copied = append(s.unquote, s.text[start:s.at]...), true
			}
			if twice {
				s.unquote = append(s.unquote, '"')
				s.at++
			}
		case c == '"':
			end := s.at
			s.at++
			if s.at < len(s.text) && s.text[s.at] != ',' && s.csvLineEnd() == 0 {
				s.failCSV("a comma or the end of the line after a quote")
			}
			if copied {
				return alias(s.unquote[from:])
			}
			return alias(s.text[start:end])
		case copied:
			s.unquote = append(s.unquote, c)
		}
		s.at++
	}
	s.failCSV("the quote that ends a value")
	return ""
}

func (s *scanner) failCSV(want string) {
	if s.err == nil {
		s.err = fault(BadCSV, "at byte %d of %d: want %s", s.at, len(s.text), want)
	}
	s.at = len(s.text)
}

// field adds a value of CSV.
func (l *list) field(text string) {
	if x, ok := csvNumber(text); ok {
		l.number(x)
		return
	}
	switch text {
	case "", "NA", "NaN", "nan", "null", "NULL":
		l.number(math.NaN())
	default:
		l.text(text)
	}
}

// csvNumber reads a decimal number, with blanks around it as it may have.
func csvNumber(text string) (float64, bool) {
	text = strings.Trim(text, " \t")
	digits, points := 0, 0
	i := 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	for ; i < len(text); i++ {
		if c := text[i]; c-'0' <= 9 {
			digits++
		} else if c == '.' && points == 0 {
			points++
		} else {
			break
		}
	}
	if digits == 0 {
		return 0, false
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		first := i
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
		if i == first {
			return 0, false
		}
	}
	if i != len(text) {
		return 0, false
	}
	x, _ := strconv.ParseFloat(text, 64) // out of range: infinite
	return x, true
}
