// Package category gives numbers and booleans one text under which they count
// as a category or a group, so that a baseline built from a file and a window
// counted from requests mean the same by "1".
package category

import (
	"math"
	"strconv"
	"strings"
)

// OfNumber gives the shortest text that reads back as x: without an exponent
// from 1e-6 up to 1e21, whole numbers without a point ("1", not "1.0").
func OfNumber(x float64) string { return string(AppendNumber(nil, x)) }

// AppendNumber appends the text of OfNumber to a buffer.
func AppendNumber(to []byte, x float64) []byte {
	if x == 0 {
		return append(to, '0') // also for -0
	}
	if abs := math.Abs(x); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(to, x, 'f', -1, 64)
	}
	return strconv.AppendFloat(to, x, 'g', -1, 64)
}

// Number reads a number written as text; a boolean, in lower case, is 1 or 0.
// It is false where the text is neither.
func Number(text string) (float64, bool) {
	switch text {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	if !numeral(text) {
		return 0, false // ParseFloat would allocate an error
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}

// numeral says whether a text begins as numbers do.
func numeral(text string) bool {
	if text == "" {
		return false
	}
	switch c := text[0]; {
	case c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		return true
	}
	return strings.EqualFold(text, "nan") || strings.EqualFold(text, "inf") || strings.EqualFold(text, "infinity")
}
