package measure

import (
	"encoding/binary"
	"math"
)

// RowHash turns a row into 64 bits for a HyperLogLog: value by value, in the
// order of the columns. Equal rows have equal hashes on every machine; different
// rows share one with a probability of about 2^-64, which is not a secret and no
// defence against rows that were made to collide. The zero value starts a row.
type RowHash uint64

// What a value's kind adds, so that the number 0, no value and an empty text
// differ.
const (
	hashMissing = 0x8AED2A6ABF715880
	hashNumber  = 0x9CF4F3C762E7160F
	hashText    = 0xB7E151628AED2A6B
)

// Number adds a numeric value. NaN is missing, and 0 has one sign.
func (h RowHash) Number(x float64) RowHash {
	if math.IsNaN(x) {
		return h.Missing()
	}
	if x == 0 {
		x = 0 // -0 is the same value
	}
	return h.add(math.Float64bits(x) ^ hashNumber)
}

// Text adds a text, eight bytes at a time, and its length.
func (h RowHash) Text(s string) RowHash {
	n := len(s)
	h = h.add(uint64(n) ^ hashText)
	var word [8]byte
	for ; len(s) > 0; s = s[min(8, len(s)):] {
		clear(word[copy(word[:], s):])
		h = h.add(binary.LittleEndian.Uint64(word[:]))
	}
	return h
}

// Missing adds a value that is not there.
func (h RowHash) Missing() RowHash { return h.add(hashMissing) }

// add makes the order of the values count: the hash so far is mixed before the
// next value meets it.
func (h RowHash) add(word uint64) RowHash {
	return RowHash(mix64(uint64(h)+0x9E3779B97F4A7C15) ^ mix64(word))
}

// mix64 spreads every bit of x over all of the result and loses none: the
// finaliser of SplitMix64. Steele, Lea and Flood, Fast Splittable Pseudorandom
// Number Generators (2014).
func mix64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
