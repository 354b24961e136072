// Package digest finds out what stood behind an answer: the digests of the model,
// the index, the prompt and the transformation, and the lineage run that somebody
// declared.
//
//	a text, a file, a header of the answer or the request -> Sources -> signal.Lineage
//
// A file's digest is taken beside the requests and again when the file changes. It
// says what stands on the disk: a model server that has not loaded it yet still
// answers with what stood there before.
package digest

import (
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// Source is where one part comes from: one of the three.
type Source struct {
	Literal string
	File    *File
	Header  string
}

// Sources are those of one model. The zero value knows nothing.
type Sources struct {
	list []sourceOf
}

type sourceOf struct {
	part signal.LineagePart
	Source
}

// New makes the sources of a model from those that are configured.
func New(from map[signal.LineagePart]Source) *Sources {
	s := new(Sources)
	for _, part := range signal.LineageParts() {
		if source, ok := from[part]; ok {
			s.list = append(s.list, sourceOf{part, source})
		}
	}
	return s
}

// Of gives what stood behind an exchange. Headers are asked of the answer first,
// then of the request: the server knows better. What cannot name a part is not
// known.
func (s *Sources) Of(request, answer map[string]string) signal.Lineage {
	var out signal.Lineage
	for i := range s.list {
		source := &s.list[i]
		value := source.Literal
		switch {
		case source.File != nil:
			value = source.File.Value()
		case source.Header != "":
			if value = answer[source.Header]; value == "" {
				value = request[source.Header]
			}
			value = strings.TrimSpace(value)
		}
		if signal.IsLineageText(value) {
			out[source.part] = value
		}
	}
	return out
}

// Missing says, by part, what is not known of an answer and should be: the model's
// digest, and every part that has a source.
func (s *Sources) Missing(l *signal.Lineage) (missing [len(signal.Lineage{})]bool) {
	missing[signal.PartModel] = l[signal.PartModel] == ""
	for i := range s.list {
		part := s.list[i].part
		missing[part] = l[part] == ""
	}
	return missing
}

// Headers gives the headers that are read.
func (s *Sources) Headers() []string {
	var out []string
	for i := range s.list {
		if name := s.list[i].Header; name != "" {
			out = append(out, name)
		}
	}
	return out
}

// Each calls visit for every part that has a source.
func (s *Sources) Each(visit func(signal.LineagePart, *Source)) {
	for i := range s.list {
		visit(s.list[i].part, &s.list[i].Source)
	}
}

// TakeOver goes on with what another model's sources know of the same files, so
// that a new configuration does not make a known digest unknown.
func (s *Sources) TakeOver(o *Sources) {
	for i := range s.list {
		mine := &s.list[i]
		if mine.File == nil {
			continue
		}
		for k := range o.list {
			if theirs := &o.list[k]; theirs.part == mine.part && theirs.File != nil && theirs.File.path == mine.File.path {
				mine.File = theirs.File
			}
		}
	}
}
