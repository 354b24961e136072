package measure

import (
	"math"
	"unicode"
	"unicode/utf8"
)

// TextDescription is what is kept of a text: a few numbers and the script, each
// a feature like any other. The text itself does not leave.
type TextDescription struct {
	Length     int     // in code points
	Tokens     int     // runs between white space
	NonLetters float64 // share of what is neither letter nor combining mark, white space apart; NaN, as missing, where nothing else is
	Script     string  // the one that most letters are of, as Unicode names it; ScriptOther, ScriptNone
}

// Scripts that are none of the known ones.
const (
	ScriptNone  = "(none)"  // a text without letters
	ScriptOther = "(other)" // a script that textScripts does not name
)

// textScripts are the scripts that are told apart, the more widespread first:
// they decide between equal numbers of letters, and are found sooner. Han comes
// with Hiragana and Katakana in Japanese: most letters decide.
var textScripts = [...]struct {
	name  string
	table *unicode.RangeTable
}{
	{"Latin", unicode.Latin},
	{"Han", unicode.Han},
	{"Cyrillic", unicode.Cyrillic},
	{"Arabic", unicode.Arabic},
	{"Devanagari", unicode.Devanagari},
	{"Hiragana", unicode.Hiragana},
	{"Katakana", unicode.Katakana},
	{"Hangul", unicode.Hangul},
	{"Greek", unicode.Greek},
	{"Hebrew", unicode.Hebrew},
	{"Thai", unicode.Thai},
	{"Bengali", unicode.Bengali},
	{"Tamil", unicode.Tamil},
	{"Telugu", unicode.Telugu},
	{"Georgian", unicode.Georgian},
	{"Armenian", unicode.Armenian},
	{"Ethiopic", unicode.Ethiopic},
}

// DescribeText counts what a text is made of, and adds each of its trigrams to
// one of the given buckets, which may be none. Bytes that are no UTF-8 count as
// one code point each that is no letter. It allocates nothing.
//
// Trigrams are three neighbouring code points of the text in lower case, with
// every run of white space as one space, and one space before and after the
// text: a text of n such code points has n trigrams, an empty one has none. The
// bucket of the code points a, b, c is mix64(a 2^42 + b 2^21 + c), the upper 32
// bits of it times the number of buckets, over 2^32: the same on every machine,
// so that buckets of replicas add up.
func DescribeText(text string, trigrams []uint64) TextDescription {
	var d TextDescription
	var letters [len(textScripts) + 1]int // the last is other
	var solid, other, script int
	window := trigramWindow{buckets: trigrams}
	inToken := false
	for _, r := range text {
		d.Length++
		if unicode.IsSpace(r) {
			inToken = false
			continue
		}
		if !inToken {
			d.Tokens++
			if d.Tokens > 1 {
				window.push(' ')
			}
			inToken = true
		}
		window.push(lower(r))
		solid++
		switch {
		case isASCIILetter(r):
			letters[0]++
		case r >= utf8.RuneSelf && unicode.IsLetter(r):
			script = scriptOf(r, script)
			letters[script]++
		case r < utf8.RuneSelf || !unicode.IsMark(r):
			other++
		}
	}
	if solid > 0 {
		window.push(' ')
	}
	d.NonLetters = math.NaN()
	if solid > 0 {
		d.NonLetters = float64(other) / float64(solid)
	}
	d.Script = mostly(letters[:])
	return d
}

// mostly names the script with most letters.
func mostly(letters []int) string {
	most := 0
	for i, n := range letters {
		if n > letters[most] {
			most = i
		}
	}
	switch {
	case letters[most] == 0:
		return ScriptNone
	case most == len(textScripts):
		return ScriptOther
	}
	return textScripts[most].name
}

// scriptOf is the index of a letter's script, trying the one before it first.
func scriptOf(r rune, previous int) int {
	if previous < len(textScripts) && unicode.Is(textScripts[previous].table, r) {
		return previous
	}
	for i := range textScripts {
		if unicode.Is(textScripts[i].table, r) {
			return i
		}
	}
	return len(textScripts)
}

func isASCIILetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' && r < utf8.RuneSelf }

// lower is unicode.ToLower, quick where nearly all text is.
func lower(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(r)
}

// trigramWindow counts trigrams as code points go by.
type trigramWindow struct {
	buckets []uint64
	a, b    rune // the two before
	seen    bool // b is of the text; a is, or the space before it
}

// push takes the next code point of the text.
func (w *trigramWindow) push(c rune) {
	if len(w.buckets) == 0 {
		return
	}
	if !w.seen {
		w.a, w.b, w.seen = ' ', c, true
		return
	}
	hash := mix64(uint64(w.a)<<42 | uint64(w.b)<<21 | uint64(c))
	w.buckets[hash>>32*uint64(len(w.buckets))>>32]++
	w.a, w.b = w.b, c
}
