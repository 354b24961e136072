package wire

import (
	"math"
	"strconv"
	"unsafe"
)

// powersOfTen are exact in a float64.
var powersOfTen = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// maxExactMantissa: integers up to here are exact in a float64.
const maxExactMantissa = 1 << 53

// number takes a number and rounds it as strconv.ParseFloat does. The bare
// words NaN, Infinity and -Infinity are NaN, which counts as missing; a number
// beyond the range of a float64 is infinite.
//
// Where mantissa and power of ten are both exact, one multiplication or
// division rounds correctly (Clinger's fast path). The rest, long numbers and
// large exponents, is strconv's.
func (s *scanner) number() float64 {
	s.next()
	text, start := s.text, s.at
	i := start
	negative := i < len(text) && text[i] == '-'
	if negative {
		i++
	}
	if i >= len(text) || text[i]-'0' > 9 {
		return s.undefinedNumber(start, i)
	}
	var mantissa uint64
	first := i
	for i < len(text) && text[i]-'0' <= 9 {
		mantissa = mantissa*10 + uint64(text[i]-'0')
		i++
	}
	if text[first] == '0' && i-first > 1 {
		s.at = first
		s.fail("a number without leading zeros")
		return 0
	}
	digits, exponent := i-first, 0
	if i < len(text) && text[i] == '.' {
		i++
		fraction := i
		for i < len(text) && text[i]-'0' <= 9 {
			mantissa = mantissa*10 + uint64(text[i]-'0')
			i++
		}
		if i == fraction {
			s.at = i
			s.fail("a digit")
			return 0
		}
		digits += i - fraction
		exponent = fraction - i
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		var e int
		if e, i = s.exponent(i + 1); s.err != nil {
			return 0
		}
		exponent += e
	}
	s.at = i
	if digits > 19 || mantissa > maxExactMantissa || exponent < -22 || exponent > 22 {
		return parseFloat(text[start:i])
	}
	x := float64(mantissa)
	if exponent < 0 {
		x /= powersOfTen[-exponent]
	} else {
		x *= powersOfTen[exponent]
	}
	if negative {
		return -x
	}
	return x
}

// exponent takes what follows the letter e, at i, and gives its value, held
// within bounds that no float64 reaches, and where it ends.
func (s *scanner) exponent(i int) (e, end int) {
	text := s.text
	negative := false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		negative = text[i] == '-'
		i++
	}
	first := i
	for i < len(text) && text[i]-'0' <= 9 {
		e = min(e*10+int(text[i]-'0'), 1<<20)
		i++
	}
	if i == first {
		s.at = i
		s.fail("a digit")
	}
	if negative {
		e = -e
	}
	return e, i
}

// undefinedNumber takes the bare words; i is behind the sign.
func (s *scanner) undefinedNumber(start, i int) float64 {
	s.at = i
	if i == start && s.word("NaN") || s.word("Infinity") {
		return math.NaN()
	}
	s.at = start
	s.fail("a value")
	return 0
}

// parseFloat is for text that the scanner found to be a number.
func parseFloat(text []byte) float64 {
	x, _ := strconv.ParseFloat(unsafe.String(&text[0], len(text)), 64) // out of range: infinite
	return x
}
