// Package learn makes a baseline of the first rows that a model has, where nobody
// has given one. The rows are kept in memory, and never leave the process; the
// baseline does, so what is rare is not in it.
//
//	observations -> Learner -> enough -> Build -> a baseline that nobody has approved
package learn

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Learner keeps the first rows of a model in memory, to make a baseline of them.
// One goroutine calls Observe; the raw values never leave the process, and a
// restart begins anew.
type Learner struct {
	want    agentconfig.Learn
	columns []*learntColumn
	byKey   map[columnKey]*learntColumn
	bytes   int64
	begun   time.Time
	ended   time.Time
	done    bool

	rows atomic.Uint64
}

type columnKey struct {
	target signal.Target
	name   signal.FeatureName
}

// learntColumn is a column from the first row on. What its first value was, a
// number or a text, all are; others count as missing.
type learntColumn struct {
	signal.Column
	words map[string]string // one copy of each text that comes often
}

// maxWords bounds how many texts of a column are kept in one copy.
const maxWords = 1024

// maxLearntColumns bounds what is learnt of a wide request; the first count.
const maxLearntColumns = 256

// New makes a learner of as many rows as are wanted.
func New(want agentconfig.Learn) *Learner {
	return &Learner{want: want, byKey: map[columnKey]*learntColumn{}}
}

// Rows gives how many rows there are so far. It may be called from any goroutine.
func (l *Learner) Rows() uint64 { return l.rows.Load() }

// Observe adds the rows of an observation; true, once, when they are enough. A nil one
// takes nothing.
func (l *Learner) Observe(obs *signal.Observation) bool {
	if l == nil || l.done {
		return false
	}
	if l.begun.IsZero() {
		l.begun = obs.Time
	}
	l.ended = obs.Time
	before := int(l.rows.Load())
	for i := range obs.Columns {
		if c := l.column(&obs.Columns[i], obs.Rows, before); c != nil && c.len() == before {
			l.bytes += c.add(&obs.Columns[i], obs.Rows)
		}
	}
	for _, c := range l.columns {
		l.bytes += c.pad(before + obs.Rows)
	}
	l.rows.Store(uint64(before + obs.Rows))
	l.done = l.bytes >= l.want.Memory() || l.reached()
	return l.done
}

func (l *Learner) reached() bool {
	return l.rows.Load() >= l.want.Rows && l.ended.Sub(l.begun) >= l.want.For.Std() && l.rows.Load() > 0
}

// column finds or makes a column; nil where it is not one value for each row, or
// there are too many.
func (l *Learner) column(col *signal.Column, rows, before int) *learntColumn {
	if len(col.Numbers) != rows && len(col.Strings) != rows {
		return nil
	}
	key := columnKey{col.Target, col.Name}
	c := l.byKey[key]
	if c == nil && len(l.columns) < maxLearntColumns {
		key.name = signal.FeatureName(strings.Clone(string(col.Name)))
		c = &learntColumn{Column: signal.Column{Name: key.name, Target: col.Target}, words: map[string]string{}}
		if col.Strings == nil {
			c.Numbers = []float64{}
		} else {
			c.Strings, c.Missing = []string{}, []bool{}
		}
		l.bytes += c.pad(before)
		l.byKey[key] = c
		l.columns = append(l.columns, c)
	}
	return c
}

func (c *learntColumn) len() int { return max(len(c.Numbers), len(c.Strings)) }

// Sizes of one value in memory, in bytes; of a text without what it says.
const numberBytes, textBytes = 8, 17

// add appends a value for each row, and gives the bytes that they take.
func (c *learntColumn) add(col *signal.Column, rows int) (bytes int64) {
	for i := range rows {
		text, number := "", math.NaN()
		if col.Strings == nil {
			number = col.Numbers[i]
		} else if col.Missing == nil || !col.Missing[i] {
			text = col.Strings[i]
		}
		if c.Numbers != nil {
			if n, ok := category.Number(text); ok {
				number = n
			}
			if math.Abs(number) > measure.MaxMagnitude { // cannot be counted
				number = math.NaN()
			}
			c.Numbers = append(c.Numbers, number)
			bytes += numberBytes
			continue
		}
		if col.Strings == nil && !math.IsNaN(number) {
			text = category.OfNumber(number)
		}
		n := c.addText(text)
		bytes += n
	}
	return bytes
}

func (c *learntColumn) addText(text string) (bytes int64) {
	kept, known := c.words[text]
	if !known {
		kept = strings.Clone(text)
		bytes = int64(len(kept))
		if len(c.words) < maxWords {
			c.words[kept] = kept
		}
	}
	c.Strings, c.Missing = append(c.Strings, kept), append(c.Missing, text == "")
	return bytes + textBytes
}

// pad fills up with missing values.
func (c *learntColumn) pad(rows int) (bytes int64) {
	for c.len() < rows {
		if c.Numbers != nil {
			c.Numbers = append(c.Numbers, math.NaN())
			bytes += numberBytes
		} else {
			bytes += c.addText("")
		}
	}
	return bytes
}

// find gives the index of a column; -1 where there is none.
func (l *Learner) find(target signal.Target, name signal.FeatureName) int {
	return slices.IndexFunc(l.columns, func(c *learntColumn) bool { return c.Target == target && c.Name == name })
}
