// Package category gives numbers and booleans one text under which they count
// as a category or a group, so that a baseline built from a file and a window
// counted from requests mean the same by "1".
package category

import (
	"math"
	"strconv"
)

// OfNumber gives the shortest text that reads back as x: without an exponent
// from 1e-6 up to 1e21, whole numbers without a point ("1", not "1.0").
func OfNumber(x float64) string {
	if x == 0 {
		return "0" // also for -0
	}
	if abs := math.Abs(x); abs >= 1e-6 && abs < 1e21 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
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
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}
