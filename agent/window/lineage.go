package window

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// lineageTable counts the requests of the open window by what stood behind them.
// A window in which that changed names all of it: to close it early would give
// windows of odd lengths, which cannot be added up with those of other replicas.
type lineageTable struct {
	counts []signal.LineageCount
	values [len(signal.Lineage{})]int // different ones of each part
}

// add counts one request, and keeps no memory of it.
func (t *lineageTable) add(l *signal.Lineage) {
	for i, value := range l {
		if value != "" {
			t.count(signal.LineagePart(i), value)
		}
	}
}

func (t *lineageTable) count(part signal.LineagePart, value string) {
	for i := range t.counts {
		if c := &t.counts[i]; c.Part == part && c.Value == value {
			c.Requests++
			return
		}
	}
	switch {
	case t.values[part] < signal.MaxLineageValues:
		t.values[part]++
		t.counts = append(t.counts, signal.LineageCount{Part: part, Value: strings.Clone(value), Requests: 1})
	case value == signal.LineageOther: // the first that is too much
		t.counts = append(t.counts, signal.LineageCount{Part: part, Value: signal.LineageOther, Requests: 1})
	default:
		t.count(part, signal.LineageOther)
	}
}

// take gives the counts away, by part and value; nil: nothing was known.
func (t *lineageTable) take() []signal.LineageCount {
	out := t.counts
	*t = lineageTable{}
	slices.SortFunc(out, func(a, b signal.LineageCount) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), strings.Compare(a.Value, b.Value))
	})
	return out
}
