package wire

import "strings"

// BodyModel finds the name of the model that a language model's request asks: it
// stands in the body only, anywhere in it. It is not safe for concurrent use.
type BodyModel struct {
	maxInflated int
	inflate     inflater
	scan        scanner
}

// NewBodyModel makes one that inflates no more than so many bytes; 0: 16 MiB.
func NewBodyModel(maxInflated int) *BodyModel {
	if maxInflated == 0 {
		maxInflated = defaultMaxInflated
	}
	return &BodyModel{maxInflated: maxInflated}
}

// Of gives the member "model" of the request's object; false where there is none
// that is a text, or the body cannot be read up to it.
func (b *BodyModel) Of(m *Message) (name string, ok bool) {
	body, fault := b.inflate.body(m, 0, b.maxInflated)
	if fault != nil {
		return "", false
	}
	s := &b.scan
	s.unquote = s.unquote[:0]
	if cap(s.unquote) > maxIdleText {
		s.unquote = nil
	}
	s.begin(body)
	s.object(func(key string) {
		if ok || key != "model" || s.next() != '"' {
			s.skip(0)
			return
		}
		name, ok = strings.Clone(s.str()), true
	})
	return name, ok && len(name) <= maxName
}
