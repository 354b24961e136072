package window

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

// A window in which what stands behind the answers changes names all of it, with
// the requests of each; the next window begins with nothing.
func TestAWindowNamesAllThatStoodBehindIt(t *testing.T) {
	var got collected
	o := options(t, got.take)
	o.Length, o.Count = 0, 18 // three requests of six rows
	p := profiler(t, o)
	for i, model := range []string{"sha256:a", "sha256:b", "sha256:b", "sha256:b", "", ""} {
		obs := applicants()
		obs.Lineage[signal.PartModel] = model
		if i == 0 {
			obs.Lineage[signal.PartRun] = "r1"
		}
		p.Observe(obs)
	}
	want := [][]signal.LineageCount{
		{{Part: signal.PartModel, Value: "sha256:a", Requests: 1}, {Part: signal.PartModel, Value: "sha256:b", Requests: 2}, {Part: signal.PartRun, Value: "r1", Requests: 1}},
		{{Part: signal.PartModel, Value: "sha256:b", Requests: 1}},
	}
	if len(got.windows) != 2 {
		t.Fatalf("%d windows", len(got.windows))
	}
	for i, w := range got.windows {
		if !slices.Equal(w.Lineage, want[i]) {
			t.Errorf("window %d: %v, want %v", i, w.Lineage, want[i])
		}
		for _, d := range w.Distributions {
			if !slices.Equal(d.Lineage, want[i]) {
				t.Errorf("window %d, %s %q: %v", i, d.Target, d.Feature, d.Lineage)
			}
		}
	}
}

// Whatever requests bring, each that names a part is counted once under it, and a
// window tells a bounded number of values that its event can carry.
func TestLineageCountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table lineageTable
		var named [5]uint64
		requests := rapid.IntRange(0, 80).Draw(t, "requests")
		for range requests {
			var l signal.Lineage
			for i := range l {
				n := rapid.IntRange(0, 40).Draw(t, "value")
				if n > 0 {
					l[i] = fmt.Sprint("v", n)
					named[i]++
				}
			}
			table.add(&l)
		}
		counts := table.take()
		var sums [5]uint64
		var values [5]int
		for _, c := range counts {
			sums[c.Part] += c.Requests
			values[c.Part]++
		}
		if sums != named || slices.Max(values[:]) > signal.MaxLineageValues+1 {
			t.Fatalf("%v, want %v; %v values", sums, named, values)
		}
		if again := table.take(); again != nil {
			t.Fatalf("the next window begins with %v", again)
		}
		d := signal.Distribution{
			Model: signal.ModelRef{Name: "m"}, Window: signal.WindowID{Instance: "a", Sequence: 1}, Target: signal.TargetFeature, Kind: signal.Numeric,
			Capture: signal.Capture{Profiled: uint64(requests)}, Lineage: counts,
		}
		for _, a := range signal.EncodeDistribution(&d) {
			if a.Key == "evenkeel.window.lineage" && len(a.Value.(string)) > 64<<10 {
				t.Fatalf("%d bytes", len(a.Value.(string)))
			}
		}
	})
}

// The first window of a version holds the instant at which its first request was
// answered, and never reaches into another slot.
func TestTheFirstWindowHoldsItsFirstRequest(t *testing.T) {
	now := time.Unix(600, 0).Add(30 * time.Second).UTC()
	for before, want := range map[time.Duration]time.Time{
		0: now, time.Second: now.Add(-time.Second), time.Hour: time.Unix(600, 0).UTC(), -time.Hour: now,
	} {
		var got collected
		o := options(t, got.take)
		o.Model.Version, o.Clock = "", func() time.Time { return now }
		s, err := NewSet([]Options{o})
		if err != nil {
			t.Fatal(err)
		}
		obs := applicants()
		obs.Time = now.Add(-before)
		if !s.Observe(obs) {
			t.Fatal("not counted")
		}
		s.Flush()
		if len(got.windows) != 1 || !got.windows[0].Start.Equal(want) || !got.windows[0].End.After(got.windows[0].Start) {
			t.Errorf("seen %s before: %+v, want a start at %s", before, got.windows, want)
		}
	}
}
