package evaluate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// A rollout says goodbye to the old version through its successor: nobody is
// told that the old one is silent, whether its agents end at once or go on for
// a while with windows without rows, and whatever restarts there are.
func TestARolloutIsNotSilence(t *testing.T) {
	for _, trailing := range []int{0, 3, 5} {
		t.Run(fmt.Sprint(trailing, " empty windows"), func(t *testing.T) {
			w := newWorld(t, "iso42001-drift")
			w.at(0)
			w.slot(1, even, 50, 50)
			w.slot(2, even, 50, 50)
			for n := 3; n < 11; n++ {
				if n-3 < trailing {
					w.crowd = 0
					w.window("a", n, nothing, 0, 0)
					w.window("b", n, nothing, 0, 0)
					w.crowd = 100
				}
				w.as("2", func() {
					w.window("new", n, even, 50, 50)
					w.at(time.Duration(n)*length + 6*time.Second)
				})
				if n == 6 {
					w.restart()
				}
			}
			for _, ev := range w.consumed {
				if ev.Verdict == signal.NoData && ev.State == model.StateFiring {
					t.Errorf("%s %v: %s", ev.WindowEnd.Sub(noon), ev.Subject, ev.Reason)
				}
			}
			if last := w.consumed[len(w.consumed)-1]; last.Subject["evenkeel_model_version"] != "2" || last.Verdict != signal.Pass {
				t.Errorf("the last evaluation is %+v", last)
			}
		})
	}
}

// A version of which nothing can be measured has not been replaced by the one
// that goes on: it is the new one, and its silence counts.
func TestANewVersionWithoutScoresIsSilent(t *testing.T) {
	w := newWorld(t, "iso42001-drift")
	w.at(0)
	for n := 1; n < 6; n++ {
		if n > 1 {
			digest := w.digest
			w.digest = "sha256:never-declared"
			w.as("2", func() { w.window("new", n, even, 50, 50) })
			w.digest = digest
		}
		w.slot(n, even, 50, 50)
	}
	fired := slices.ContainsFunc(w.consumed, func(ev model.Evaluation) bool {
		return ev.Subject["evenkeel_model_version"] == "2" && ev.Verdict == signal.NoData && ev.State == model.StateFiring
	})
	if !fired {
		t.Errorf("nobody is told that version 2 has no values: %q", w.stored("DRF-01"))
	}
}

// as lets another version of the model report.
func (w *world) as(version string, do func()) {
	before := loans
	loans.Version = version
	defer func() { loans = before }()
	do()
}

// beat stores a heartbeat of an agent of the bank; 0 is its goodbye.
func (w *world) beat(instance string, at time.Duration, value float64) {
	w.t.Helper()
	labels := model.SortLabels([]model.Label{{Name: "evenkeel_system_id", Value: "bank"}, {Name: "service_instance_id", Value: instance}})
	s := model.Series{Name: "evenkeel_agent_heartbeat", Labels: labels, Kind: model.Gauge, SeenAt: noon.Add(at)}
	s.Fingerprint = model.Fingerprint(s.Name, labels)
	w.write(&model.Rows{Series: []model.Series{s}, Samples: []model.Sample{{Fingerprint: s.Fingerprint, Time: noon.Add(at), Value: value}}})
}

// An agent that stops in order is not missed, not even after its last heartbeat
// is out of sight and everything was started again; one that just stops is.
func TestAnAgentThatSaidGoodbyeIsNotExpected(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	w.beat("left", 0, 1)
	w.beat("lost", 0, 1)
	w.at(5 * time.Second)
	w.systems = []signal.SystemID{"bank"}
	w.restart()
	w.at(15 * time.Second)
	w.beat("left", 20*time.Second, 0)
	for second := 30; second <= 60; second += 15 {
		w.at(time.Duration(second) * time.Second)
	}
	w.restart()
	for minute := 61; minute <= 68; minute++ {
		w.at(time.Duration(minute)*time.Minute + time.Second)
		w.at(time.Duration(minute)*time.Minute + 20*time.Second)
	}
	var left []string
	for _, line := range w.stored("LOG-02") {
		if strings.Contains(line, " left ") {
			left = append(left, line)
		}
	}
	if want := []string{"@15s left pass ok 1", "@30s left pass ok 2"}; !slices.Equal(left, want) {
		t.Errorf("of the one that left: %q, want %q", left, want)
	}
	if ev := w.of("LOG-02", "service_instance_id", "left"); ev.Reason != "left has ended and is not expected any more" || ev.Value != nil {
		t.Errorf("its goodbye: %+v", ev)
	}
	if ev := w.of("LOG-02", "service_instance_id", "lost"); ev.Verdict != signal.NoData {
		t.Errorf("the one that was lost: %+v", ev)
	}
}

// A system that nobody declared ends with its last agent; a declared one does
// not.
func TestTheLastGoodbyeOfASystem(t *testing.T) {
	for _, declared := range []bool{true, false} {
		t.Run(fmt.Sprint("declared ", declared), func(t *testing.T) {
			w := newWorld(t, "iso42001-logging")
			w.systems = []signal.SystemID{"bank"}
			w.restart()
			w.beat("left", 0, 1)
			w.at(0)
			w.beat("left", 10*time.Second, 0)
			if !declared {
				w.systems = nil
				w.restart()
				w.at(14 * time.Second)
			}
			for second := 15; second <= 60; second += 15 {
				w.at(time.Duration(second) * time.Second)
			}
			whole := slices.ContainsFunc(w.consumed, func(ev model.Evaluation) bool {
				return ev.Subject["service_instance_id"] == "" && ev.Verdict == signal.NoData
			})
			if whole != declared {
				t.Errorf("the system's silence is judged: %v; %q", whole, w.stored("LOG-02"))
			}
		})
	}
}
