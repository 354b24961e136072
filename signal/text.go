package signal

import (
	"math"

	"github.com/evenkeel/evenkeel/measure"
)

// Name gives the column that holds one of the text's descriptions: TextLength,
// TextTokens and so on.
func (t *TextBaseline) Name(what string) FeatureName {
	return t.Column + FeatureName("."+what)
}

// TextDescriptions are the descriptions of some rows of a text column, ready to
// be counted as columns of the baseline with TargetText. The zero value is ready;
// what it holds is reused by the next Describe.
type TextDescriptions struct {
	// Columns are length, tokens, non_letters (numbers) and script (text), each
	// with one entry for each row.
	Columns [4]Column

	// Trigrams are those of all rows together, by cell; a row without text adds
	// none. They are counted as the column named by TextTrigrams, whose N is their
	// number.
	Trigrams []uint64
}

// Describe describes the rows from..to of a column of texts. This is what the
// builder of baselines and the agent both count, so that a description means the
// same on both sides. An empty text is missing, as everywhere, and a column of
// numbers has no texts: its rows are missing in every description.
//
// The column is an input of this name; where there is none, for texts that a
// model answers with, an output.
func (t *TextBaseline) Describe(texts *Column, from, to int, into *TextDescriptions) {
	into.reset(t, to-from)
	columns := &into.Columns
	for i := from; i < to; i++ {
		row := i - from
		if texts == nil || texts.Strings == nil || texts.missing(i) {
			for k := range columns[:3] {
				columns[k].Numbers[row] = math.NaN()
			}
			columns[3].Strings[row] = ""
			continue
		}
		d := measure.DescribeText(texts.Strings[i], into.Trigrams)
		columns[0].Numbers[row] = float64(d.Length)
		columns[1].Numbers[row] = float64(d.Tokens)
		columns[2].Numbers[row] = d.NonLetters
		columns[3].Strings[row] = d.Script
	}
}

// reset makes room for so many rows.
func (d *TextDescriptions) reset(t *TextBaseline, rows int) {
	names := [len(d.Columns)]string{TextLength, TextTokens, TextNonLetters, TextScript}
	for k := range d.Columns {
		c := &d.Columns[k]
		c.Target = TargetText
		if c.Name == "" || !t.has(c.Name, names[k]) {
			c.Name = t.Name(names[k])
		}
		if k == 3 {
			c.Strings = sized(c.Strings, rows)
		} else {
			c.Numbers = sized(c.Numbers, rows)
		}
	}
	d.Trigrams = sized(d.Trigrams, t.Trigrams)
	clear(d.Trigrams)
}

// has says whether a name is that of a description, without writing it out.
func (t *TextBaseline) has(name FeatureName, what string) bool {
	n := len(t.Column)
	return len(name) == n+1+len(what) && name[:n] == t.Column && name[n] == '.' && string(name[n+1:]) == what
}

// sized gives a slice of n entries, the same one where it is large enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
