package evaluate

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// What is known of subjects, models and systems that are gone does not stay.
func TestWhatIsGoneIsForgotten(t *testing.T) {
	set, err := rules.Load(rules.Options{Packs: []string{"iso42001-logging"}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := &Evaluator{
		options: Options{Rules: set}.withDefaults(),
		latest:  map[stateKey]subjects{{"s", "LOG-02"}: {}, {"s", "LOG-06"}: {}}, done: map[doneKey]time.Time{}, heard: map[signal.SystemID]time.Time{},
	}
	for name, at := range map[string]time.Time{"gone": now.Add(-8 * 24 * time.Hour), "here": now.Add(-6 * 24 * time.Hour)} {
		e.latest[stateKey{"s", "LOG-02"}][name] = model.Evaluation{WindowEnd: at}
		e.done[doneKey{"s", "LOG-02", signal.ModelRef{Name: name}}] = at
		e.heard[signal.SystemID(name)] = at
	}
	e.forget(now)
	_, latest := e.latest[stateKey{"s", "LOG-02"}]["here"]
	_, done := e.done[doneKey{"s", "LOG-02", signal.ModelRef{Name: "here"}}]
	_, heard := e.heard["here"]
	if len(e.latest) != 1 || len(e.latest[stateKey{"s", "LOG-02"}]) != 1 || len(e.done) != 1 || len(e.heard) != 1 || !latest || !done || !heard {
		t.Errorf("left are %v, %v, %v", e.latest, e.done, e.heard)
	}
}
