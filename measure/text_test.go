package measure_test

import (
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func TestDescribeText(t *testing.T) {
	for _, c := range []struct {
		text   string
		length int
		tokens int
		share  float64
		script string
	}{
		{"", 0, 0, math.NaN(), measure.ScriptNone},
		{" \t\n", 3, 0, math.NaN(), measure.ScriptNone},
		{"Hello, world!", 13, 2, 2. / 12, "Latin"},
		{"3 + 4", 5, 3, 1, measure.ScriptNone},
		{"Zażółć gęślą jaźń", 17, 3, 0, "Latin"},
		{"привет, мир", 11, 2, 1. / 10, "Cyrillic"},
		{"私は東京に住んでいます", 11, 1, 0, "Hiragana"},
		{"中文abc", 5, 1, 0, "Latin"},
		{"中文ab", 4, 1, 0, "Latin"}, // equal numbers: the more widespread script
		{"नमस्ते", 6, 1, 0, "Devanagari"},
		{"e\u0301t\u00e9", 4, 1, 0, "Latin"}, // a combining accent is part of its letter
		{"ᏣᎳᎩ", 3, 1, 0, measure.ScriptOther},
		{"ok\xff\xfe", 4, 1, 0.5, "Latin"},
		{"\u00a0a\u3000b", 4, 2, 0, "Latin"},
	} {
		d := measure.DescribeText(c.text, nil)
		if d.Length != c.length || d.Tokens != c.tokens || d.Script != c.script ||
			!(d.NonLetters == c.share || math.IsNaN(d.NonLetters) && math.IsNaN(c.share)) {
			t.Errorf("%q: %+v, want %+v", c.text, d, c)
		}
	}
}

func TestTrigramsAreTheSameForTheSameWords(t *testing.T) {
	trigrams := func(text string) (out [64]uint64) {
		measure.DescribeText(text, out[:])
		return out
	}
	if trigrams("The  quick\n\tfox ") != trigrams("the quick fox") {
		t.Error("case and white space change the trigrams")
	}
	if trigrams("the quick fox") == trigrams("the quick ofx") {
		t.Error("other letters have the same trigrams")
	}
	// " ab", "ab " by the definition in the comment, computed in Python.
	want := map[int]uint64{14: 1, 18: 1}
	for i, n := range trigrams("Ab") {
		if n != want[i] {
			t.Errorf("bucket %d: %d, want %d", i, n, want[i])
		}
	}
}

// Texts one after the other count as each on its own, and there are as many
// trigrams as code points without superfluous space.
func TestDescribeTextLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		buckets := rapid.IntRange(1, 100).Draw(t, "buckets")
		both, one, other := make([]uint64, buckets), make([]uint64, buckets), make([]uint64, buckets)
		d := measure.DescribeText(a, one)
		measure.DescribeText(b, other)
		measure.DescribeText(a, both)
		measure.DescribeText(b, both)
		var total uint64
		for i := range both {
			total += one[i]
			if both[i] != one[i]+other[i] {
				t.Fatalf("bucket %d: %d together, %d and %d alone", i, both[i], one[i], other[i])
			}
		}
		fields := strings.Fields(a)
		if d.Tokens != len(fields) || d.Length != utf8.RuneCountInString(a) {
			t.Fatalf("%+v", d)
		}
		if want := utf8.RuneCountInString(strings.Join(fields, " ")); total != uint64(want) {
			t.Fatalf("%d trigrams, want %d", total, want)
		}
		if !(d.NonLetters >= 0 && d.NonLetters <= 1) && len(fields) > 0 {
			t.Fatalf("share of non-letters %v", d.NonLetters)
		}
		if hasLetter := strings.ContainsFunc(a, unicode.IsLetter); hasLetter == (d.Script == measure.ScriptNone) {
			t.Fatalf("letters %v, script %s", hasLetter, d.Script)
		}
	})
}

func FuzzDescribeText(f *testing.F) {
	f.Add("Hello, world", 64)
	f.Add("\xff\x00 \u0301", 1)
	f.Fuzz(func(t *testing.T, text string, buckets int) {
		trigrams := make([]uint64, max(0, min(buckets, 1000)))
		d := measure.DescribeText(text, trigrams)
		if d.Script == "" || d.Tokens > d.Length || d.Length > len(text) {
			t.Fatalf("%q: %+v", text, d)
		}
		if d.NonLetters < 0 || d.NonLetters > 1 || math.IsNaN(d.NonLetters) != (d.Tokens == 0) {
			t.Fatalf("%q: %+v", text, d)
		}
	})
}

func BenchmarkDescribeText(b *testing.B) {
	for name, text := range map[string]string{
		"ascii":    strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20),
		"cyrillic": strings.Repeat("Съешь же ещё этих мягких французских булок. ", 20),
	} {
		b.Run(name, func(b *testing.B) {
			var trigrams [64]uint64
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				measure.DescribeText(text, trigrams[:])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(utf8.RuneCountInString(text)), "ns/rune")
		})
	}
}
