package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bytes is a size, written as a number of bytes or with KiB, MiB or GiB.
type Bytes int64

var byteUnits = []struct {
	suffix string
	factor float64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// UnmarshalYAML reads "64MiB".
func (b *Bytes) UnmarshalYAML(n *yaml.Node) error {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(n.Value, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || v < 0 || v*u.factor >= math.MaxInt64 {
			break
		}
		*b = Bytes(v * u.factor)
		return nil
	}
	return fmt.Errorf("line %d: %q is not a size; write for example 64MiB", n.Line, n.Value)
}

// String writes the size in the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if f := int64(u.factor); b != 0 && int64(b)%f == 0 {
			return strconv.FormatInt(int64(b)/f, 10) + u.suffix
		}
	}
	return "0B"
}

// MarshalYAML writes what UnmarshalYAML reads.
func (b Bytes) MarshalYAML() (any, error) { return b.String(), nil }

// Duration is a span of time, written as Go does ("1h30m") and with d for
// days of 24 hours ("7d").
type Duration time.Duration

// ParseDuration reads a Duration.
func ParseDuration(s string) (Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			return Duration(n * 24 * float64(time.Hour)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; write for example 30s, 1h or 7d", s)
	}
	return Duration(d), nil
}

// UnmarshalYAML reads "7d" or "1h30m".
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = v
	return nil
}

// String writes the shortest form that reads back: "7d", "1h", "10s".
func (d Duration) String() string {
	day := 24 * time.Hour
	t := time.Duration(d)
	if t != 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalYAML writes what UnmarshalYAML reads.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// MarshalText writes the same into JSON.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Std gives the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }
