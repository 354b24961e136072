package signal

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func TestDescribe(t *testing.T) {
	texts := &Column{Name: "q", Strings: []string{"gone", "Ahoj, svete", "", "Привет", "  ", "gone"}, Missing: []bool{false, false, false, false, false, true}}
	set := &TextBaseline{Column: "q", Trigrams: 16}
	var d TextDescriptions
	set.Describe(texts, 1, 6, &d)
	for k, want := range [][]float64{{11, math.NaN(), 6, 2, math.NaN()}, {2, math.NaN(), 1, 0, math.NaN()}, {0.1, math.NaN(), 0, math.NaN(), math.NaN()}} {
		if got := d.Columns[k]; !slices.EqualFunc(got.Numbers, want, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }) || got.Target != TargetText {
			t.Errorf("%s: %v, want %v", got.Name, got.Numbers, want)
		}
	}
	if script := d.Columns[3]; !slices.Equal(script.Strings, []string{"Latin", "", "Cyrillic", measure.ScriptNone, ""}) || script.Name != "q.script" {
		t.Errorf("%s: %q", script.Name, script.Strings)
	}
	if n := total(d.Trigrams); n != 11+6 {
		t.Errorf("%d trigrams", n)
	}
	// Another set, fewer rows, no trigrams, and a column without texts.
	none := &TextBaseline{Column: "other"}
	none.Describe(&Column{Numbers: []float64{1, 2}}, 0, 2, &d)
	if d.Columns[0].Name != "other.length" || len(d.Columns[0].Numbers) != 2 || !math.IsNaN(d.Columns[0].Numbers[1]) || d.Columns[3].Strings[0] != "" || len(d.Trigrams) != 0 {
		t.Errorf("%+v", d)
	}
	if n := testing.AllocsPerRun(100, func() { set.Describe(texts, 0, 6, &d); none.Describe(nil, 0, 2, &d) }); n > 8 { // the names of two sets in turn
		t.Errorf("%v allocations", n)
	}
	set.Describe(texts, 0, 6, &d)
	if n := testing.AllocsPerRun(100, func() { set.Describe(texts, 0, 6, &d) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Descriptions of parts are the parts of the descriptions.
func TestDescriptionsOfPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := &Column{Name: "q", Strings: rapid.SliceOfN(rapid.String(), 1, 20).Draw(t, "texts")}
		n := len(texts.Strings)
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		set := &TextBaseline{Column: "q", Trigrams: rapid.IntRange(1, 70).Draw(t, "cells")}
		var whole, a, b TextDescriptions
		set.Describe(texts, 0, n, &whole)
		set.Describe(texts, 0, cut, &a)
		set.Describe(texts, cut, n, &b)
		for i := range a.Trigrams {
			if whole.Trigrams[i] != a.Trigrams[i]+b.Trigrams[i] {
				t.Fatalf("cell %d: %d, of the parts %d and %d", i, whole.Trigrams[i], a.Trigrams[i], b.Trigrams[i])
			}
		}
		for k := range 3 {
			parts := append(slices.Clone(a.Columns[k].Numbers), b.Columns[k].Numbers...)
			if !slices.EqualFunc(whole.Columns[k].Numbers, parts, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }) {
				t.Fatalf("column %d: %v, of the parts %v", k, whole.Columns[k].Numbers, parts)
			}
		}
	})
}
