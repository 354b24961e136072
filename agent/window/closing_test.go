package window

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeel/evenkeel/internal/guard"
	"github.com/evenkeel/evenkeel/signal"
)

func TestTimeWindowsAreAlignedAndNeverSkip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collected
		o := options(t, got.take)
		o.Length = 10 * time.Second
		set, err := NewSet([]Options{o})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); set.Run(ctx) }()

		time.Sleep(3 * time.Second)
		start := time.Now()
		set.Observe(applicants())
		time.Sleep(31 * time.Second) // ends inside the fourth window
		synctest.Wait()
		cancel()
		<-done
		set.Flush()

		if len(got.windows) != 4 {
			t.Fatalf("%d windows, want 3 by time and one by flush", len(got.windows))
		}
		for i, w := range got.windows {
			if w.ID.Sequence != uint64(i+1) {
				t.Errorf("window %d has sequence %d", i, w.ID.Sequence)
			}
			if i < 3 && w.End.UnixNano()%int64(10*time.Second) != 0 {
				t.Errorf("window %d ends at %s, not at a multiple of 10s", i, w.End)
			}
			if i > 0 && !w.Start.Equal(got.windows[i-1].End) {
				t.Errorf("window %d starts at %s, not where the one before ended", i, w.Start)
			}
		}
		if w := got.windows[0]; !w.Start.Before(start) || w.Distributions[0].N != 6 {
			t.Errorf("first window: %+v", w)
		}
		if d := got.windows[1].Distributions; len(d) != 6 || d[0].N != 0 {
			t.Errorf("an empty window is emitted with all parts: %+v", d)
		}
		if w := got.windows[3]; !w.End.Equal(time.Now()) {
			t.Errorf("flushed window ends at %s, not now", w.End)
		}
	})
}

func TestBoundariesCountFromTheEpoch(t *testing.T) {
	week := 7 * 24 * time.Hour
	at := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	if got := nextBoundary(at, week); got.Unix()%int64(week/time.Second) != 0 || !got.After(at) || got.Sub(at) > week {
		t.Errorf("boundary %s", got)
	}
	if edge := time.Unix(600, 0); !nextBoundary(edge, time.Minute).Equal(time.Unix(660, 0)) {
		t.Error("a window that starts on a boundary ends on the next one")
	}
}

func TestCountClosesExactlyAndSplitsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collected
		o := options(t, got.take)
		o.Count = 4
		seen := uint64(0)
		o.Capture = func() signal.Capture { return signal.Capture{Seen: seen, Dropped: seen / 2} }
		p := profiler(t, o)
		for range 2 {
			seen += 2
			p.Observe(applicants())
		}
		p.Flush()
		if len(got.windows) != 3 {
			t.Fatalf("%d windows of 12 rows by fours", len(got.windows))
		}
		var sum signal.Capture
		for i, w := range got.windows {
			for _, d := range w.Distributions {
				if d.N != 4 {
					t.Errorf("window %d, %s: %d rows, want exactly 4", i, d.Feature, d.N)
				}
				roundTrip(t, d)
			}
			sum.Add(w.Capture)
			if !w.Start.Before(w.End) {
				t.Errorf("window %d has no extent: %s to %s", i, w.Start, w.End)
			}
		}
		if want := (signal.Capture{Seen: 4, Profiled: 2, Dropped: 2}); sum != want {
			t.Errorf("account over all windows %+v, want %+v", sum, want)
		}
	})
}

func TestALongPauseDoesNotFloodTheSink(t *testing.T) {
	now := time.Unix(1000, 0)
	var got collected
	o := options(t, got.take)
	o.Length, o.Clock = time.Second, func() time.Time { return now }
	p := profiler(t, o)
	now = now.Add(24 * time.Hour)
	p.Observe(applicants())
	now = now.Add(time.Second)
	p.Tick()
	if n := len(got.windows); n != maxCatchUp+1 {
		t.Fatalf("%d windows after a day of sleep, want %d and the present one", n, maxCatchUp)
	}
	if last := got.windows[maxCatchUp]; last.ID.Sequence != maxCatchUp+1 || last.Distributions[0].N != 6 {
		t.Errorf("the present window: %+v", last)
	}
}

// A clock set back must not keep a window open for as long as it was set back.
func TestAClockSetBackClosesTheWindow(t *testing.T) {
	now := time.Unix(60_000, 0)
	var got collected
	o := options(t, got.take)
	o.Clock = func() time.Time { return now }
	p := profiler(t, o)
	now = now.Add(30 * time.Second)
	p.Observe(applicants())
	for _, back := range []time.Duration{40 * time.Second, time.Hour} { // into the window before, and far
		now = now.Add(-back)
		if end := p.Tick(); end.Sub(now) > o.Length || !end.After(now) {
			t.Errorf("set back by %s, the open window ends %s from now", back, end.Sub(now))
		}
		p.Observe(applicants())
	}
	now = now.Add(o.Length)
	p.Tick()
	if len(got.windows) != 3 {
		t.Fatalf("%d windows, want 3", len(got.windows))
	}
	for i, w := range got.windows {
		if w.ID.Sequence != uint64(i+1) || !w.Start.Before(w.End) || w.Distributions[0].N != 6 {
			t.Errorf("window %d: %+v", i, w)
		}
	}
}

func TestAClockThatIsAdjustedALittleClosesNothing(t *testing.T) {
	now := time.Unix(60_000, 0)
	var got collected
	o := options(t, got.take)
	o.Clock = func() time.Time { return now }
	p := profiler(t, o)
	now = now.Add(-maxSetBack)
	p.Observe(applicants())
	now = time.Unix(60_060, 0)
	p.Tick()
	if len(got.windows) != 1 || got.windows[0].End != now.UTC() {
		t.Errorf("%d windows, the first %+v", len(got.windows), got.windows[0])
	}
}

// Neither a sink that panics nor a window that cannot be closed keeps others
// from being handed over.
func TestPanicsInClosingAreRecoveredAndCounted(t *testing.T) {
	now := time.Unix(60_000, 0)
	var got collected
	o := options(t, func(w *Closed) {
		if w.ID.Sequence == 1 {
			panic("sink")
		}
		got.take(w)
	})
	o.Clock, o.Guard = func() time.Time { return now }, guard.New(o.Log)
	broken := o
	broken.Model.Name = "broken"
	broken.Capture = func() signal.Capture { panic("capture") }
	set, err := NewSet([]Options{broken, o})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(3 * o.Length)
	set.tick()
	set.Flush()
	if len(got.windows) != 2 || got.windows[0].ID.Sequence != 2 {
		t.Errorf("%d windows handed over, want the second and the third", len(got.windows))
	}
	if counts := o.Guard.Counts(); counts[partSink] != 1 || counts[partWindows] != 2 {
		t.Errorf("panics %v", counts)
	}
}

func TestSequencesGoOnAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sequences.json")
	var got collected
	for range 3 {
		s, err := OpenSequences(path)
		if err != nil {
			t.Fatal(err)
		}
		o := options(t, got.take)
		o.Sequences = s
		p := profiler(t, o)
		p.Observe(applicants())
		p.Flush()
	}
	for i, w := range got.windows {
		if w.ID.Sequence != uint64(i+1) {
			t.Errorf("window %d after restart has sequence %d", i, w.ID.Sequence)
		}
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSequences(path); err == nil {
		t.Error("a damaged file must not start the sequence anew")
	}
}

func TestAnUnwritableStateKeepsCounting(t *testing.T) {
	var got collected
	o := options(t, got.take)
	s, err := OpenSequences(filepath.Join(t.TempDir(), "gone", "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	o.Sequences = s
	p := profiler(t, o)
	p.Observe(applicants())
	p.Flush()
	if len(got.windows) != 1 || p.Totals().Unnumbered != 1 {
		t.Errorf("windows %d, unnumbered %d", len(got.windows), p.Totals().Unnumbered)
	}
}

func TestVersionsHaveWindowsOfTheirOwnAndRetire(t *testing.T) {
	now := time.Unix(1000, 0)
	var got collected
	o := options(t, got.take)
	o.Model.Version, o.Length, o.Clock = "", time.Second, func() time.Time { return now }
	set, err := NewSet([]Options{o})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Profilers()) != 0 {
		t.Fatal("a version was invented")
	}
	serve := func(version string) {
		obs := applicants()
		obs.Model.Version = version
		if !set.Observe(obs) {
			t.Fatalf("version %s refused", version)
		}
		now = now.Add(time.Second)
		set.tick()
	}
	serve("1")
	for range silentWindows {
		serve("2")
	}
	var live []string
	for _, p := range set.Profilers() {
		live = append(live, p.Model().Version)
	}
	if !reflect.DeepEqual(live, []string{"2"}) {
		t.Errorf("live versions %v, want only 2", live)
	}
	rows := map[string]uint64{}
	for _, w := range got.windows {
		rows[w.Model.Version] += w.Distributions[0].N
	}
	if want := map[string]uint64{"1": 6, "2": 6 * silentWindows}; !reflect.DeepEqual(rows, want) {
		t.Errorf("rows by version %v, want %v", rows, want)
	}

	again, err := NewSet([]Options{o}) // as after a restart
	if err != nil {
		t.Fatal(err)
	}
	if p := again.Profilers(); len(p) != 1 || p[0].Model().Version != "2" {
		t.Errorf("after a restart the last version goes on, also in silence: %v", p)
	}
	if again.Observe(&signal.Observation{Model: signal.ModelRef{Name: "other"}}) {
		t.Error("an observation of a model that is not configured was taken")
	}
}

func TestAPinnedVersionTakesAllTraffic(t *testing.T) {
	var got collected
	set, err := NewSet([]Options{options(t, got.take)})
	if err != nil {
		t.Fatal(err)
	}
	obs := applicants()
	obs.Model.Version = "7"
	set.Observe(obs)
	set.Flush()
	if len(got.windows) != 1 || got.windows[0].Model.Version != "1" || got.windows[0].Distributions[0].N != 6 {
		t.Errorf("%+v", got.windows)
	}
}
