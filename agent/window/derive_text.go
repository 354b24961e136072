package window

import (
	"github.com/evenkeel/evenkeel/signal"
)

// textCount counts what a column of texts is made of, in columns of the baseline.
// No text is kept.
type textCount struct {
	set      *signal.TextBaseline
	text     either
	columns  []*column // in the order of TextDescriptions.Columns
	trigrams *column   // nil without trigrams; its rows are trigrams

	scratch signal.TextDescriptions
}

func newTextCount(p *Profiler, set *signal.TextBaseline, derived map[columnKey]*column) *textCount {
	column := func(what string) *column { return derived[columnKey{signal.TargetText, set.Name(what)}] }
	t := &textCount{set: set, text: p.either(set.Column)}
	for _, what := range []string{signal.TextLength, signal.TextTokens, signal.TextNonLetters, signal.TextScript} {
		t.columns = append(t.columns, column(what))
	}
	if set.Trigrams > 0 {
		t.trigrams = column(signal.TextTrigrams)
	}
	return t
}

// describedAtOnce bounds the rows that are described before they are counted.
const describedAtOnce = 1024

func (t *textCount) add(from, to int) {
	texts := t.text.at()
	for ; from < to; from += describedAtOnce {
		end := min(to, from+describedAtOnce)
		t.set.Describe(texts, from, end, &t.scratch)
		for k, c := range t.columns {
			c.add(&t.scratch.Columns[k], 0, end-from)
		}
		if t.trigrams != nil {
			for cell, n := range t.scratch.Trigrams {
				t.trigrams.counts[cell] += n
			}
		}
	}
}

func (t *textCount) take() *signal.Distribution { return nil }
