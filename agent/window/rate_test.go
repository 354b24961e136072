package window

import (
	"fmt"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// told adds up what windows told and what the last of each rate holds back.
type told struct {
	incomes map[float64]uint64 // rows of the column, by rate
	groups  map[float64]uint64 // rows of groups that were told
	held    map[float64]uint64
	next    uint64
}

func (s *told) take(t *rapid.T, w *Closed) {
	s.next++
	if w.ID.Sequence != s.next {
		t.Fatalf("window %d comes where %d is due", w.ID.Sequence, s.next)
	}
	for _, d := range w.Distributions {
		switch {
		case d.Target == signal.TargetGroup:
			for _, g := range d.Groups {
				s.groups[d.Rate] += g.Total
			}
			s.held[d.Rate] = d.Held
		case d.Feature == "income":
			s.incomes[d.Rate] += d.N
		}
	}
}

// Whatever the rate does between requests, a window has one, each row counts at
// the rate at which it was kept, and what is held back of small groups waits for
// the rate that it was kept at, with a file for it or without.
func TestEachRowCountsAtItsRate(t *testing.T) {
	rates := []float64{1, 0.5, 0.25}
	folder := t.TempDir()
	files := 0
	rapid.Check(t, func(rt *rapid.T) {
		got := &told{incomes: map[float64]uint64{}, groups: map[float64]uint64{}, held: map[float64]uint64{}}
		o := options(t, func(w *Closed) { got.take(rt, w) })
		o.MinCell = uint64(rapid.IntRange(0, 6).Draw(rt, "smallest group"))
		if rapid.Bool().Draw(rt, "with a file") {
			files++
			o.Carries = carries(t, filepath.Join(folder, fmt.Sprint(files)))
		}
		set, err := NewSet([]Options{o})
		if err != nil {
			rt.Fatal(err)
		}
		rate, want := 1.0, map[float64]uint64{}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "change") {
				rate = rapid.SampledFrom(rates).Draw(rt, "rate")
				set.SetRate(rate)
				continue
			}
			n := rapid.Uint64Range(1, 4).Draw(rt, "rows")
			group := rapid.SampledFrom([]string{"female", "male"}).Draw(rt, "group")
			if !set.Observe(people(map[string]measure.Proportion{group: {Favourable: 1, Total: n}})) {
				rt.Fatal("not counted")
			}
			want[rate] += n
		}
		set.Flush()
		for _, r := range rates {
			if got.incomes[r] != want[r] || got.groups[r]+got.held[r] != want[r] {
				rt.Errorf("at %v: %d rows, counted %d, in groups %d and %d held back", r, want[r], got.incomes[r], got.groups[r], got.held[r])
			}
		}
	})
}

// A change of the rate closes no window in which nothing was counted.
func TestRateOfAnEmptyWindowChangesQuietly(t *testing.T) {
	var c collected
	o := options(t, c.take)
	set, err := NewSet([]Options{o})
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0.5, 1, 0.25} {
		set.SetRate(rate)
	}
	if len(c.windows) > 0 {
		t.Fatalf("%d windows closed", len(c.windows))
	}
	set.Observe(applicants())
	set.SetRate(0.25) // it is that already
	set.SetRate(0.5)
	if d := c.distribution(t, 0, signal.TargetFeature, "income"); len(c.windows) != 1 || d.Rate != 0.25 || d.N != 6 {
		t.Errorf("%d windows, the first with %d rows at %v", len(c.windows), d.N, d.Rate)
	}
}
