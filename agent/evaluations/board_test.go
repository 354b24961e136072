package evaluations

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func judged(name, label string, score float64) Result {
	r := Result{Model: "assistant", ID: "r", Name: name, Label: label}
	if !math.IsNaN(score) {
		r.Score = &score
	}
	return r
}

func lines(b *Board, now time.Time) []string {
	var out []string
	for _, s := range b.Scores(now) {
		out = append(out, fmt.Sprintf("%s %s %s %.3g of %d", s.Model, s.Name, s.Label, s.Estimate.Value, s.Estimate.Samples))
	}
	return out
}

func TestBoardShowsTheLastWindow(t *testing.T) {
	b := NewBoard(time.Minute, .95, noon)
	b.Add([]Result{judged("relevance", "pass", 1), judged("relevance", "fail", 0), judged("relevance", "pass", .5)}, noon.Add(time.Second))
	b.Add([]Result{judged("tone", "", 3)}, noon.Add(time.Minute-1))
	if got := lines(b, noon.Add(time.Minute-1)); len(got) != 0 {
		t.Errorf("the open window is shown: %q", got)
	}
	want := []string{"assistant relevance  0.5 of 3", "assistant relevance fail 0.333 of 3", "assistant relevance pass 0.667 of 3", "assistant tone  3 of 1"}
	if got := lines(b, noon.Add(time.Minute)); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	b.Add([]Result{judged("tone", "kind", math.NaN())}, noon.Add(61*time.Second))
	if got, want := lines(b, noon.Add(2*time.Minute)), []string{"assistant tone kind 1 of 1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := lines(b, noon.Add(3*time.Minute)); len(got) != 0 {
		t.Errorf("an empty window shows %q", got)
	}
	if got := b.Counts(); len(got) != 4 || got[1] != (Count{"assistant", "relevance", "pass", 2}) {
		t.Errorf("%+v", got)
	}
}

// A window that was left out, as nobody looked, is not taken for the last one.
func TestBoardSkipsWindows(t *testing.T) {
	b := NewBoard(time.Minute, .95, noon)
	b.Add([]Result{judged("tone", "", 1)}, noon)
	if got := lines(b, noon.Add(5*time.Minute)); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestBoardIsBounded(t *testing.T) {
	b := NewBoard(time.Minute, .95, noon)
	for i := range 1000 {
		b.Add([]Result{judged(fmt.Sprint("n", i), "", 1), judged("tone", fmt.Sprint("l", i), 1)}, noon)
	}
	names, labels := map[string]bool{}, 0
	var total uint64
	for _, c := range b.Counts() {
		names[c.Name] = true
		total += c.Count
		if c.Name == "tone" {
			labels++
		}
	}
	if len(names) > maxNames+1 || labels > maxLabels+1 || total != 2000 || !names[other] {
		t.Errorf("%d names, %d labels, %d results", len(names), labels, total)
	}
}

// However results fall into windows, each is in one of them, and what is shown is
// within its interval.
func TestBoardLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := NewBoard(time.Minute, .9, noon), noon
		var sent, shown uint64
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			before := b.end
			now = now.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "seconds")) * time.Second)
			if !now.Before(before) { // a window has closed since
				for _, s := range b.Scores(now) {
					if s.Label == "" {
						shown += s.Estimate.Samples
					}
					if e := s.Estimate; e.Lower != nil && !(*e.Lower <= e.Value && e.Value <= *e.Upper) {
						t.Fatalf("%+v", e)
					}
				}
			}
			b.Add([]Result{judged(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"), "", rapid.Float64Range(-5, 5).Draw(t, "score"))}, now)
			sent++
		}
		for _, s := range b.Scores(b.end) {
			shown += s.Estimate.Samples
		}
		if shown != sent {
			t.Fatalf("%d shown of %d", shown, sent)
		}
	})
}
