package wire

import (
	"math"

	"github.com/evenkeel/evenkeel/internal/category"
)

// data reads the values of a tensor, flat or nested.
func (d *OIP) data(t *tensor) {
	if t.datatype == numberType {
		t.from = len(d.numbers)
		d.numberData(0)
		t.to = len(d.numbers)
	} else {
		t.from = len(d.texts)
		t.gaps = d.textData(t.datatype, 0)
		t.to = len(d.texts)
	}
	t.read = true
}

// numberData takes an array of numbers, possibly nested.
func (d *OIP) numberData(depth int) {
	s := &d.scan
	if !d.beginData(depth) {
		return
	}
	for s.err == nil {
		switch c := s.next(); {
		case c-'0' <= 9 || c == '-':
			d.numbers = append(d.numbers, s.number())
		case c == '[':
			d.numberData(depth + 1)
		default:
			d.numbers = append(d.numbers, d.unusualNumber(c))
		}
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			s.fail("a comma or the end of the array")
		}
		return
	}
}

// beginData opens an array; false where it is empty or there is none.
func (d *OIP) beginData(depth int) bool {
	s := &d.scan
	if depth > maxDepth {
		s.fail("less nesting")
		return false
	}
	if !s.take('[') {
		s.fail("an array of data")
		return false
	}
	return !s.take(']')
}

// unusualNumber takes what a numeric tensor may hold beside numbers. Text that
// is no number becomes infinite, which the window counts as invalid.
func (d *OIP) unusualNumber(c byte) float64 {
	s := &d.scan
	if c == '"' {
		text := s.str()
		if text == "" {
			return math.NaN()
		}
		if x, ok := category.Number(text); ok {
			return x
		}
		return math.Inf(1)
	}
	switch s.literal() {
	case literalNull:
		return math.NaN()
	case literalTrue:
		return 1
	case literalFalse:
		return 0
	}
	return s.number() // NaN, Infinity, or the fault
}

// textData takes an array of BYTES or BOOL values and says whether any of them
// is missing.
func (d *OIP) textData(t datatype, depth int) (gaps bool) {
	s := &d.scan
	if !d.beginData(depth) {
		return false
	}
	for s.err == nil {
		if s.next() == '[' {
			gaps = d.textData(t, depth+1) || gaps
		} else {
			text, missing := d.textValue(t)
			d.texts, d.missing = append(d.texts, text), append(d.missing, missing)
			gaps = gaps || missing
		}
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			s.fail("a comma or the end of the array")
		}
		break
	}
	return gaps
}

func (d *OIP) textValue(t datatype) (text string, missing bool) {
	s := &d.scan
	if s.next() == '"' {
		return s.str(), false
	}
	switch s.literal() {
	case literalNull:
		return "", true
	case literalTrue:
		return "true", false
	case literalFalse:
		return "false", false
	}
	start := s.at
	x := s.number()
	switch {
	case s.err != nil || math.IsNaN(x):
		return "", true
	case t == boolType && x == 0:
		return "false", false
	case t == boolType:
		return "true", false
	}
	return alias(s.text[start:s.at]), false
}
