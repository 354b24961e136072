// Package changes notices when a model is served otherwise than before: another
// version of it answers, or it is compared with another baseline.
//
//	answers, configuration -> See -> Change -> told as an event -> Done -> file
//
// What was served last stands in a file, so that a restart is no change, and a
// change that comes with a restart is one.
package changes

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/signal"
)

// maxLive bounds the values that one model is served with at a time; an answer may
// claim any version. What is beyond is no change and is counted.
const maxLive = 16

// maxValue bounds a value, in bytes.
const maxValue = 256

// retryAfter is how long a change that could not be told waits for the next try.
const retryAfter = 10 * time.Second

// Book knows what is served. It is safe for concurrent use.
type Book struct {
	path  string
	quiet time.Duration

	mu         sync.Mutex
	subjects   map[subject]*state
	overlooked uint64
}

type subject struct {
	model string
	of    signal.ChangeOf
}

type state struct {
	live  []value // the one that came last stands at the end
	retry time.Time
}

type value struct {
	text string
	seen time.Time
}

// record is how a subject stands in the file.
type record struct {
	Model  string          `json:"model"`
	Of     signal.ChangeOf `json:"of"`
	Values []string        `json:"values"` // the one that came last at the end
}

// Open reads the file at path, which need not be there yet. A value that was not
// seen for quiet is gone: when it comes again that is a change, and so is it when
// the one that came last is gone and another one answers. A damaged file is an error beside a Book that knows nothing; it is
// overwritten at the first change.
func Open(path string, quiet time.Duration, now time.Time) (*Book, error) {
	b := &Book{path: path, quiet: quiet, subjects: map[subject]*state{}}
	var all []record
	if err := wholefile.ReadJSON(path, &all); err != nil {
		return b, errs.E("read what was served", errs.Corrupt, err, "a change since the last run of the agent is not noticed")
	}
	for _, r := range all {
		s := new(state)
		for _, v := range r.Values {
			s.live = append(s.live, value{v, now})
		}
		b.subjects[subject{r.Model, r.Of}] = s
	}
	return b, nil
}

// Sight is what was seen.
type Sight struct {
	Model signal.ModelRef
	Of    signal.ChangeOf
	Value string
	Found signal.ChangeFound
	// Alone says that nothing else can be served beside it, as a configuration has
	// it; else several versions may take turns.
	Alone bool
}

// See takes a sight. Where it is a change it gives that; the caller tells it and
// then calls Done, or Failed if it could not be told. One goroutine at a time sees
// a model.
func (b *Book) See(s Sight, now time.Time) (c *signal.ModelChange, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.subjects[subject{s.Model.Name, s.Of}]
	if known == nil || len(known.live) == 0 {
		return nil, b.first(s, now)
	}
	if known.goesOn(s, now, b.quiet) {
		return nil, false
	}
	switch {
	case now.Before(known.retry):
		return nil, false
	case len(s.Value) > maxValue, !s.Alone && len(known.stay(now, b.quiet)) >= maxLive:
		b.overlooked++
		return nil, false
	}
	return &signal.ModelChange{
		Model: signal.ModelRef{Name: strings.Clone(s.Model.Name), Version: strings.Clone(s.Model.Version)}, Time: now, Of: s.Of,
		Old: known.last(), New: strings.Clone(s.Value), Found: s.Found,
	}, true
}

// first notes the first value of a subject, which is no change. It says false, as
// See does.
func (b *Book) first(s Sight, now time.Time) bool {
	if len(s.Value) <= maxValue {
		b.subjects[subject{strings.Clone(s.Model.Name), s.Of}] = &state{live: []value{{strings.Clone(s.Value), now}}}
		_ = b.save() // the next change writes it again
	}
	return false
}

// Done notes that a change was told. An error says that it is told again if the
// agent begins anew.
func (b *Book) Done(c *signal.ModelChange, alone bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.subjects[subject{c.Model.Name, c.Of}]
	s.live = slices.DeleteFunc(s.stay(c.Time, b.quiet), func(v value) bool { return alone || v.text == c.New })
	s.live = append(s.live, value{c.New, c.Time})
	return b.save()
}

// Failed notes that a change could not be told: it is one still, and is given
// again later.
func (b *Book) Failed(c *signal.ModelChange, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subjects[subject{c.Model.Name, c.Of}].retry = now.Add(retryAfter)
}

// Overlooked counts the sights that were no change because too much is served at
// once, or their text is too long.
func (b *Book) Overlooked() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.overlooked
}

// save writes the file. The caller holds mu.
func (b *Book) save() error {
	var all []record
	for of, s := range b.subjects {
		r := record{Model: of.model, Of: of.of}
		for _, v := range s.live {
			r.Values = append(r.Values, v.text)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y record) int {
		return strings.Compare(x.Model+"\x00"+string(x.Of), y.Model+"\x00"+string(y.Of))
	})
	if err := wholefile.ReplaceJSON(b.path, all); err != nil {
		return fmt.Errorf("keep what is served: %w", err)
	}
	return nil
}

// goesOn says that a sight is no change: it is what came last, or takes turns with
// that.
func (s *state) goesOn(sight Sight, now time.Time, quiet time.Duration) bool {
	last := &s.live[len(s.live)-1]
	if last.text == sight.Value {
		last.seen = now
		return true
	}
	if sight.Alone || now.Sub(last.seen) >= quiet {
		return false
	}
	for i := range s.live {
		if v := &s.live[i]; v.text == sight.Value && now.Sub(v.seen) < quiet {
			v.seen = now
			return true
		}
	}
	return false
}

// last is the value that came last; empty where there is none.
func (s *state) last() string {
	if len(s.live) == 0 {
		return ""
	}
	return s.live[len(s.live)-1].text
}

// stay gives the values that are served still.
func (s *state) stay(now time.Time, quiet time.Duration) []value {
	return slices.DeleteFunc(slices.Clone(s.live), func(v value) bool { return now.Sub(v.seen) >= quiet })
}
