package evaluations

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Bounds on what evaluators can make the agent remember, by the names that they
// choose; what is beyond counts under other.
const (
	maxNames  = 64 // of all models together
	maxLabels = 32 // of each name
	other     = "_OTHER"
)

// Board adds results up by window: those that came in it. Windows end at multiples
// of a length since the Unix epoch. It is safe for concurrent use.
type Board struct {
	length     time.Duration
	confidence float64

	mu      sync.Mutex
	end     time.Time // of the open window
	subject map[subject]*tally
}

// subject is what a judgement is about.
type subject struct{ model, name string }

// tally adds up one subject.
type tally struct {
	open, last window
	total      map[string]uint64 // by label, "" for none, since the start
}

type window struct {
	scores measure.Moments
	labels map[string]uint64
}

// NewBoard makes one for windows of a length, with intervals of a confidence.
func NewBoard(length time.Duration, confidence float64, now time.Time) *Board {
	b := &Board{length: length, confidence: confidence, subject: map[subject]*tally{}}
	b.end = b.endOf(now)
	return b
}

func (b *Board) endOf(t time.Time) time.Time {
	ns, l := t.UnixNano(), int64(b.length)
	return time.Unix(0, ns-ns%l+l)
}

// roll closes the open window where it is over. The caller holds mu.
func (b *Board) roll(now time.Time) {
	if now.Before(b.end) {
		return
	}
	next := now.Before(b.end.Add(b.length)) // else there was an empty one between
	for _, t := range b.subject {
		t.last = window{}
		if next {
			t.last = t.open
		}
		t.open = window{}
	}
	b.end = b.endOf(now)
}

// Add counts results that came now.
func (b *Board) Add(results []Result, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	for i := range results {
		r := &results[i]
		t := b.of(r.Model, r.Name)
		if r.Score != nil {
			t.open.scores.Add(*r.Score)
		}
		label := r.Label
		if _, known := t.total[label]; !known && len(t.total) >= maxLabels {
			label = other
		}
		label = strings.Clone(label)
		t.total[label]++
		if label == "" {
			continue
		}
		if t.open.labels == nil {
			t.open.labels = map[string]uint64{}
		}
		t.open.labels[label]++
	}
}

func (b *Board) of(model, name string) *tally {
	s := subject{model, name}
	if b.subject[s] == nil && len(b.subject) >= maxNames {
		s.name = other
	}
	t := b.subject[s]
	if t == nil {
		t = &tally{total: map[string]uint64{}}
		b.subject[subject{strings.Clone(s.model), strings.Clone(s.name)}] = t
	}
	return t
}

// Score is one number of the last window.
type Score struct {
	Model, Name, Label string // Label is empty for the mean score
	Estimate           measure.Estimate
}

// Scores gives the mean score and the share of each label of the last window, in
// order of names; nothing of what had no result in it.
func (b *Board) Scores(now time.Time) []Score {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	var out []Score
	add := func(s subject, label string, e measure.Estimate, err error) {
		if err == nil {
			out = append(out, Score{s.model, s.name, label, e})
		}
	}
	for _, s := range b.subjects() {
		last := &b.subject[s].last
		e, err := measure.EvaluationMean(last.scores, b.confidence)
		add(s, "", e, err)
		var labelled uint64
		for _, n := range last.labels {
			labelled += n
		}
		for _, l := range slices.Sorted(maps.Keys(last.labels)) {
			e, err := measure.EvaluationShare(measure.Proportion{Favourable: last.labels[l], Total: labelled}, b.confidence)
			add(s, l, e, err)
		}
	}
	return out
}

// Count is how often a label was given since the start; the empty one: a score
// alone.
type Count struct {
	Model, Name, Label string
	Count              uint64
}

// Counts gives them in order of names.
func (b *Board) Counts() []Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Count
	for _, s := range b.subjects() {
		for _, l := range slices.Sorted(maps.Keys(b.subject[s].total)) {
			out = append(out, Count{s.model, s.name, l, b.subject[s].total[l]})
		}
	}
	return out
}

func (b *Board) subjects() []subject {
	return slices.SortedFunc(maps.Keys(b.subject), func(x, y subject) int {
		return cmp.Or(cmp.Compare(x.model, y.model), cmp.Compare(x.name, y.name))
	})
}

// Dimensions of a score, beside its model.
func (s *Score) Dimensions() []signal.Dimension {
	out := []signal.Dimension{{Key: signal.KeyScope, Value: signal.ScopeInstance}, {Key: signal.KeyConvention, Value: s.Estimate.Convention}, {Key: signal.KeyEvaluationName, Value: s.Name}}
	if s.Label != "" {
		out = append(out, signal.Dimension{Key: signal.KeyEvaluationLabel, Value: s.Label})
	}
	return out
}
