package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// pointer is a JSON pointer, RFC 6901, taken apart. An empty one is the whole
// text.
type pointer []string

func parsePointer(text string) (pointer, error) {
	if text == "" {
		return nil, nil
	}
	if text[0] != '/' {
		return nil, fmt.Errorf("%q is no JSON pointer; write for example /data/rows", text)
	}
	out := pointer(strings.Split(text[1:], "/"))
	for i, s := range out {
		rest := strings.NewReplacer("~0", "", "~1", "").Replace(s)
		if strings.Contains(rest, "~") {
			return nil, fmt.Errorf("%q: a tilde is written ~0, a slash within a name ~1", text)
		}
		out[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	if len(out) > maxDepth {
		return nil, fmt.Errorf("%q is deeper than %d", text, maxDepth)
	}
	return out, nil
}

// follow calls read at the value that p points to, which it must take, and
// takes everything around it. It says whether there was one. Of two members of
// one name both are read, the last one last.
func (s *scanner) follow(p pointer, read func()) (found bool) {
	if len(p) == 0 {
		read()
		return true
	}
	switch s.next() {
	case '{':
		s.object(func(key string) {
			if key == p[0] {
				found = s.follow(p[1:], read) || found
			} else {
				s.skip(0)
			}
		})
	case '[':
		at := -1
		if i, err := strconv.Atoi(p[0]); err == nil && p[0] == strconv.Itoa(i) {
			at = i
		}
		n := 0
		s.array(func() {
			if n == at {
				found = s.follow(p[1:], read)
			} else {
				s.skip(0)
			}
			n++
		})
	default:
		s.skip(0)
	}
	return found
}
