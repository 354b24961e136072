package fleet

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// Two stages of one model, from agents of one system, are two subjects: their rows
// are not added up, and what is written of each says which it is.
func TestStagesAreNotAddedUp(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	raw := w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25}, signal.GroupCount{Group: "male", Favourable: 5, Total: 100})
	behind := w.parts("b", noon.Add(length), [4]uint64{100, 0, 0, 0}, signal.GroupCount{Group: "male", Favourable: 5, Total: 100})
	for _, d := range behind {
		d.Model.Name = signal.Entry{Model: loans.Name, Stage: signal.StageTransformed}.Name()
	}
	w.arrive(raw...)
	w.arrive(behind...)
	w.at(15 * time.Second)
	if len(w.sealed) != 2 {
		t.Fatalf("%d windows are sealed", len(w.sealed))
	}
	for _, fw := range w.sealed {
		if fw.Rows != 100 || len(fw.Instances) != 1 {
			t.Errorf("%s: %d rows of %v", fw.Model, fw.Rows, fw.Instances)
		}
		stage := ""
		for _, l := range newScores(&fw).labels(&signal.Quantity{}) {
			if l.Name == "evenkeel_stage" {
				stage = l.Value
			}
		}
		if want := map[string]string{"loans": "", "loans;stage=transformed": "transformed"}[fw.Model.Name]; stage != want {
			t.Errorf("%s is of the stage %q, want %q", fw.Model, stage, want)
		}
	}
}
