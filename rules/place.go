package rules

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is a spot in a YAML file: its path for the reader's mind, its line for
// the reader's editor. A key that is missing stands at its parent's line.
type place struct {
	file   string
	path   string
	line   int
	node   *yaml.Node
	faults *[]string
}

// rootOf parses the file once more, for the lines alone; the strict decoder of
// internal/config has the say on what is valid.
func rootOf(file string, raw []byte, faults *[]string) (place, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return place{}, err
	}
	p := place{file: file, line: 1, faults: faults}
	if len(doc.Content) > 0 {
		p.node = doc.Content[0]
	}
	return p, nil
}

// at goes to a key of a mapping.
func (p place) at(key string) place {
	next := place{file: p.file, path: strings.TrimPrefix(p.path+"."+key, "."), line: p.line, faults: p.faults}
	if p.node == nil || p.node.Kind != yaml.MappingNode {
		return next
	}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		if p.node.Content[i].Value == key {
			next.line, next.node = p.node.Content[i].Line, p.node.Content[i+1]
		}
	}
	return next
}

// index goes to an element of a list.
func (p place) index(i int) place {
	next := place{file: p.file, path: fmt.Sprintf("%s[%d]", p.path, i), line: p.line, faults: p.faults}
	if p.node != nil && p.node.Kind == yaml.SequenceNode && i < len(p.node.Content) {
		next.line, next.node = p.node.Content[i].Line, p.node.Content[i]
	}
	return next
}

// given says that the file has this key, with any value.
func (p place) given() bool { return p.node != nil }

// fault records what is wrong here, and the cure.
func (p place) fault(format string, args ...any) {
	*p.faults = append(*p.faults, fmt.Sprintf("%s:%d: %s: %s", p.file, p.line, p.path, fmt.Sprintf(format, args...)))
}

// Faults is everything that is wrong with rules, one place each.
type Faults []string

// Error gives one fault a line.
func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0]
	}
	return fmt.Sprintf("%d faults:\n%s", len(f), strings.Join(f, "\n"))
}
