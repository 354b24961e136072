package rules

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Limit is the set of values that a rule does not allow, written "> 0.25",
// ">= 1", "< 0.8", "<= 0" or "outside [-0.1, 0.1]". The zero Limit allows
// everything.
type Limit struct {
	op   string
	a, b float64 // b only for outside
}

const outside = "outside"

var (
	oneSided = regexp.MustCompile(`^(>=|<=|>|<)\s*(\S+)$`)
	twoSided = regexp.MustCompile(`^outside\s*\[\s*([^\s,\]]+)\s*,\s*([^\s,\]]+)\s*\]$`)
)

// ParseLimit reads a Limit. Bounds are finite; a band has its lower bound first.
func ParseLimit(s string) (Limit, error) {
	text := strings.TrimSpace(s)
	if m := oneSided.FindStringSubmatch(text); m != nil {
		bound, err := parseBound(m[2])
		return Limit{op: m[1], a: bound}, err
	}
	m := twoSided.FindStringSubmatch(text)
	if m == nil {
		return Limit{}, fmt.Errorf("%q is not a limit; write for example \"> 0.25\", \"< 0.8\" or \"outside [-0.1, 0.1]\"", s)
	}
	low, err := parseBound(m[1])
	if err != nil {
		return Limit{}, err
	}
	high, err := parseBound(m[2])
	if err != nil {
		return Limit{}, err
	}
	if low >= high {
		return Limit{}, fmt.Errorf("%q: the band's lower bound %v is not below its upper bound %v", s, low, high)
	}
	return Limit{op: outside, a: low, b: high}, nil
}

func parseBound(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is not a finite number", s)
	}
	if v == 0 {
		v = 0 // -0 and 0 are one limit and have one text
	}
	return v, nil
}

// IsZero says that there is no limit.
func (l Limit) IsZero() bool { return l.op == "" }

// Breached says that the value is not allowed. NaN is never judged: callers
// treat it as missing.
func (l Limit) Breached(v float64) bool {
	switch l.op {
	case ">":
		return v > l.a
	case ">=":
		return v >= l.a
	case "<":
		return v < l.a
	case "<=":
		return v <= l.a
	case outside:
		return v < l.a || v > l.b
	}
	return false
}

// Excludes says that the whole interval is not allowed: nothing the data are
// compatible with would pass. A missing end is open.
func (l Limit) Excludes(lower, upper *float64) bool {
	above := lower != nil && (l.op == outside && *lower > l.b || (l.op == ">" || l.op == ">=") && l.Breached(*lower))
	below := upper != nil && (l.op == outside && *upper < l.a || (l.op == "<" || l.op == "<=") && l.Breached(*upper))
	return above || below
}

// Allows says that the whole interval is allowed. A missing end is open.
func (l Limit) Allows(lower, upper *float64) bool {
	switch l.op {
	case ">", ">=":
		return upper != nil && !l.Breached(*upper)
	case "<", "<=":
		return lower != nil && !l.Breached(*lower)
	case outside:
		return lower != nil && upper != nil && !l.Breached(*lower) && !l.Breached(*upper)
	}
	return true
}

// Covers says that everything which m forbids, l forbids too: a warning limit
// covers the limit that it warns of.
func (l Limit) Covers(m Limit) bool {
	switch {
	case l.op == outside && m.op == outside:
		return l.a >= m.a && l.b <= m.b
	case l.op == outside && (m.op == ">" || m.op == ">="):
		return m.a > l.b || m.a == l.b && m.op == ">"
	case l.op == outside && (m.op == "<" || m.op == "<="):
		return m.a < l.a || m.a == l.a && m.op == "<"
	case l.op == "" || m.op == "" || m.op == outside || l.op[0] != m.op[0]:
		return false
	case l.a == m.a:
		return len(l.op) >= len(m.op) // ">=" forbids one value more than ">"
	case l.op[0] == '>':
		return l.a < m.a
	}
	return l.a > m.a
}

// String writes the limit so that ParseLimit reads it back; "" for no limit.
func (l Limit) String() string {
	switch l.op {
	case "":
		return ""
	case outside:
		return "outside [" + number(l.a) + ", " + number(l.b) + "]"
	}
	return l.op + " " + number(l.a)
}

// Phrase says in words where a value that breaches the limit lies: "above
// 0.25", "outside [-0.1, 0.1]".
func (l Limit) Phrase() string {
	switch l.op {
	case ">":
		return "above " + number(l.a)
	case ">=":
		return "at or above " + number(l.a)
	case "<":
		return "below " + number(l.a)
	case "<=":
		return "at or below " + number(l.a)
	}
	return l.String()
}

// MarshalText writes the limit as String does.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
