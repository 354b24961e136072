package config

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Digests says what stands behind a model's answers, each part by its digest.
type Digests struct {
	Model     LineageSource `yaml:"model"`     // the model's file or image
	Index     LineageSource `yaml:"index"`     // what is retrieved from
	Prompt    LineageSource `yaml:"prompt"`    // the template of a language model's prompt
	Transform LineageSource `yaml:"transform"` // what makes features of the request
}

// LineageSource says where one part of the lineage comes from: one of the three,
// or nothing where the part is not there.
type LineageSource struct {
	Literal string `yaml:"literal"` // as it is
	File    string `yaml:"file"`    // the file's SHA-256, taken again when it changes; of lineage_run, its content
	Header  string `yaml:"header"`  // of the answer, else of the request
}

// Given says that there is a source.
func (s LineageSource) Given() bool { return s != LineageSource{} }

// LineageSources gives those of all parts, given or not.
func (m *Model) LineageSources() map[signal.LineagePart]*LineageSource {
	d := &m.Digests
	return map[signal.LineagePart]*LineageSource{
		signal.PartModel: &d.Model, signal.PartIndex: &d.Index, signal.PartPrompt: &d.Prompt, signal.PartTransform: &d.Transform,
		signal.PartRun: &m.LineageRun,
	}
}

// LineageAt finds where a part's source stands in the model's settings.
func LineageAt(f *config.Faults, part signal.LineagePart) *config.Faults {
	if part == signal.PartRun {
		return f.At("lineage_run")
	}
	return f.At("digests").At(part.String())
}

func (m *Model) validateLineage(f *config.Faults) {
	sources := m.LineageSources()
	for _, part := range signal.LineageParts() {
		sources[part].validate(LineageAt(f, part))
	}
}

func (s *LineageSource) validate(f *config.Faults) {
	given := 0
	for _, text := range []string{s.Literal, s.File, s.Header} {
		if text != "" {
			given++
		}
	}
	switch {
	case given > 1:
		f.Add("has more than one of literal, file and header; keep one")
	case s.Literal != "" && !signal.IsLineageText(s.Literal):
		f.At("literal").Add("is longer than %d bytes, or no text that can be printed; write for example sha256: and the digest", signal.MaxLineageText)
	case strings.ContainsAny(s.Header, " \t\r\n:"):
		f.At("header").Add("%q is no header's name; write for example X-Model-Digest", s.Header)
	}
}

// lineagePaths are the files that a model's settings name here.
func (m *Model) lineagePaths() []*string {
	var out []*string
	for _, s := range m.LineageSources() {
		out = append(out, &s.File)
	}
	return out
}
