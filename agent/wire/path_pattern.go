package wire

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// pathPattern is a configured path: segments, of which * matches any one and
// {version} is the version.
type pathPattern []string

func newPathPattern(path string) pathPattern { return strings.Split(path[1:], "/") }

// match says whether a path is of the pattern, and which version it names.
func (p pathPattern) match(path string) (version string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	rest, more := path[1:], true
	for _, want := range p {
		if !more {
			return "", false
		}
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch {
		case want == segment:
		case want == "{version}" && segment != "":
			version = segment
		case want == "*" && segment != "":
		default:
			return "", false
		}
	}
	return version, !more
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
