package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/nearest"
)

var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found in type (.+)$`)
	atLine       = regexp.MustCompile(`^line (\d+): (.*)$`)
	yamlLine     = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
)

// explain turns the decoder's error into lines of the form
// file:line: what is wrong; what was probably meant.
func explain(name string, err error, into any) error {
	var typed *yaml.TypeError
	lines := []string{err.Error()}
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	keys := knownKeys(reflect.TypeOf(into), map[reflect.Type]bool{})
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, explainLine(name, l, keys))
	}
	return errors.New(strings.Join(out, "\n"))
}

func explainLine(name, line string, keys map[string][]string) string {
	if m := unknownField.FindStringSubmatch(line); m != nil {
		msg := fmt.Sprintf("%s:%s: unknown key %q", name, m[1], m[2])
		if near := nearest.Name(m[2], keys[m[3]]); near != "" {
			return msg + fmt.Sprintf("; did you mean %q?", near)
		}
		return msg + "; known here: " + strings.Join(keys[m[3]], ", ")
	}
	if m := atLine.FindStringSubmatch(line); m != nil {
		return fmt.Sprintf("%s:%s: %s", name, m[1], m[2])
	}
	if m := yamlLine.FindStringSubmatch(line); m != nil {
		return fmt.Sprintf("%s:%s: not valid YAML: %s", name, m[1], m[2])
	}
	if why, ok := strings.CutPrefix(line, "yaml: "); ok {
		return name + ": not valid YAML: " + why
	}
	return name + ": " + line
}

// knownKeys lists the YAML keys of every struct type reachable from t, by the
// type's name as the decoder writes it.
func knownKeys(t reflect.Type, seen map[reflect.Type]bool) map[string][]string {
	keys := map[string][]string{}
	collectKeys(t, seen, keys)
	return keys
}

func collectKeys(t reflect.Type, seen map[reflect.Type]bool, keys map[string][]string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		collectKeys(t.Elem(), seen, keys)
		return
	case reflect.Struct:
	default:
		return
	}
	if seen[t] {
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		tag, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if tag == "-" {
			continue
		}
		if tag == "" && !strings.Contains(opts, "inline") {
			tag = strings.ToLower(f.Name)
		}
		if tag != "" {
			keys[t.String()] = append(keys[t.String()], tag)
		}
		collectKeys(f.Type, seen, keys)
	}
}
