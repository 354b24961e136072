package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// Span is how long something must last, written "2 windows" (disjoint ones, in
// a row) or, for rules by the wall clock, "30s". The zero Span is reached at
// once.
type Span struct {
	windows  int
	duration time.Duration
}

var windowCount = regexp.MustCompile(`^(\d{1,6}) windows?$`)

// ParseSpan reads a Span.
func ParseSpan(s string) (Span, error) {
	if m := windowCount.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1]) // six digits at most
		if n == 0 {
			return Span{}, fmt.Errorf("%q: at least 1 window", s)
		}
		return Span{windows: n}, nil
	}
	d, err := config.ParseDuration(s)
	if err != nil || d <= 0 {
		return Span{}, fmt.Errorf("%q is not a span; write for example \"2 windows\" or \"30s\"", s)
	}
	return Span{duration: d.Std()}, nil
}

// InWindows says that the span counts windows.
func (s Span) InWindows() bool { return s.windows > 0 }

// Evaluations gives how many evaluations in a row, step apart, reach the span:
// at least 1. A duration is reached when it has passed between the first and
// the last of them.
func (s Span) Evaluations(step time.Duration) int {
	switch {
	case s.windows > 0:
		return s.windows
	case s.duration <= 0 || step <= 0:
		return 1
	}
	return int((s.duration+step-1)/step) + 1
}

// String writes what ParseSpan reads; "" for the zero Span.
func (s Span) String() string {
	switch {
	case s.windows == 1:
		return "1 window"
	case s.windows > 1:
		return strconv.Itoa(s.windows) + " windows"
	case s.duration > 0:
		return config.Duration(s.duration).String()
	}
	return ""
}

// MarshalText writes the span as String does.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
