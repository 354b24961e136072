package model_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// TestRunsTellWhatWasJudged: whatever verdicts come, with gaps between them, the
// rows that remain (the last of each run) name every window that was judged, none
// that was not, and bound every value.
func TestRunsTellWhatWasJudged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, time.January, 30, 0, 0, 0, 0, time.UTC)
		type key struct {
			from   time.Time
			change bool
		}
		kept := map[key]model.Evaluation{}
		judged := map[time.Time]model.Evaluation{}
		var last model.Evaluation
		for range rapid.IntRange(1, 120).Draw(t, "verdicts") {
			at = at.Add(time.Hour * time.Duration(rapid.SampledFrom([]int{1, 1, 1, 1, 1, 2, 30}).Draw(t, "hours")))
			ev := model.Evaluation{WindowStart: at.Add(-time.Hour), WindowEnd: at, State: model.StateOK, Samples: rapid.Uint64Range(1, 9).Draw(t, "samples")}
			ev.Verdict = rapid.SampledFrom([]signal.Verdict{signal.Pass, signal.Pass, signal.Pass, signal.Fail, signal.NoData}).Draw(t, "verdict")
			if ev.Verdict != signal.NoData {
				v := rapid.Float64Range(0, 1).Draw(t, "value")
				ev.Value = &v
			}
			ev.Run = ev.After(&last, time.Hour)
			kept[key{ev.Run.From, ev.Run.Change}] = ev
			judged[at], last = ev, ev
		}
		var windows uint64
		for k, row := range kept {
			windows += row.Run.Windows
			if k.change && row.Run.Windows != 1 {
				t.Fatalf("a change does not stand alone: %+v", row.Run)
			}
			if a, b := row.Run.From, row.At(); a.Month() != b.Month() {
				t.Fatalf("a run from %v to %v", a, b)
			}
			var n uint64
			for w := row.Run.From; !w.After(row.At()); w = w.Add(time.Hour) {
				one, ok := judged[w]
				if !ok || one.Verdict != row.Verdict {
					t.Fatalf("the run from %v to %v says %s of %v, which was %q", row.Run.From, row.At(), row.Verdict, w, one.Verdict)
				}
				if one.Value != nil && (*one.Value < *row.Run.Least || *one.Value > *row.Run.Most) || one.Samples < row.Run.Fewest {
					t.Fatalf("%v is outside its run %+v", one, row.Run)
				}
				n++
			}
			if n != row.Run.Windows {
				t.Fatalf("%d windows from %v to %v, counted %d", n, row.Run.From, row.At(), row.Run.Windows)
			}
		}
		if windows != uint64(len(judged)) {
			t.Fatalf("the runs hold %d windows of %d", windows, len(judged))
		}
	})
}
