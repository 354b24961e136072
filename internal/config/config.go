// Package config reads YAML files strictly and reports every fault with its
// path. The programs' configurations and the rule files use it.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Load decodes the YAML file at path over the defaults that into already
// holds. An unknown key is an error that names file, line and the nearest
// known key; an empty file leaves the defaults. A file that is not there is
// errs.NotFound, one that cannot be decoded errs.Invalid.
func Load(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		kind := errs.Other
		if errors.Is(err, fs.ErrNotExist) {
			kind = errs.NotFound
		}
		return errs.E("read configuration", kind, err, "")
	}
	return Decode(path, raw, into)
}

// Decode is Load over bytes; name stands for the file in errors.
func Decode(name string, raw []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	err := dec.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return errs.Of(errs.Invalid, explain(name, err, into))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errs.Of(errs.Invalid, fmt.Errorf("%s: more than one YAML document; one file holds one", name))
	}
	return nil
}

// Faults collects what Validate methods find, each with its path.
type Faults struct {
	prefix string
	list   *[]string
}

// NewFaults starts a collection for the file called name.
func NewFaults(name string) *Faults {
	return &Faults{prefix: name + ": ", list: new([]string)}
}

// At gives the same collection one level deeper: At("export").At("spool").
func (f *Faults) At(key string) *Faults {
	sep := "."
	if strings.HasSuffix(f.prefix, ": ") || strings.HasPrefix(key, "[") {
		sep = ""
	}
	return &Faults{prefix: f.prefix + sep + key, list: f.list}
}

// Index goes into element i of a list.
func (f *Faults) Index(i int) *Faults { return f.At(fmt.Sprintf("[%d]", i)) }

// Add records a fault at this place. The text says what is wrong and the cure.
func (f *Faults) Add(format string, args ...any) {
	*f.list = append(*f.list, strings.TrimSuffix(f.prefix, ": ")+": "+fmt.Sprintf(format, args...))
}

// Err gives all faults as one error of kind errs.Invalid, a line each, or nil.
func (f *Faults) Err() error {
	if len(*f.list) == 0 {
		return nil
	}
	return errs.Of(errs.Invalid, errors.New(strings.Join(*f.list, "\n")))
}

// Resolve makes paths that were read from a file in folder usable from the
// working folder: relative ones are relative to the file, ~/ is the home
// folder, empty ones stay empty.
func Resolve(folder string, paths ...*string) error {
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(*p, "~/"); ok {
			home, err := os.UserHomeDir()
			if err != nil {
				return fmt.Errorf("%s: %w; write the path in full", *p, err)
			}
			*p = filepath.Join(home, rest)
		} else if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
	return nil
}
