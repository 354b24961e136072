package model

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Fingerprint gives the identity of a series: xxhash64 over the name and the
// sorted labels, each followed by a byte that UTF-8 never holds.
func Fingerprint(name string, sorted []Label) uint64 {
	var h xxhash.Digest
	h.Reset()
	sep := []byte{0xff}
	_, _ = h.WriteString(name)
	_, _ = h.Write(sep)
	for _, l := range sorted {
		_, _ = h.WriteString(l.Name)
		_, _ = h.Write(sep)
		_, _ = h.WriteString(l.Value)
		_, _ = h.Write(sep)
	}
	return h.Sum64()
}

// SortLabels orders labels by name and drops those without a value.
func SortLabels(labels []Label) []Label {
	labels = slices.DeleteFunc(labels, func(l Label) bool { return l.Value == "" })
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return labels
}
