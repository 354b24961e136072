package alerts

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Reads says that a notification is one.
func Reads(raw []byte, received time.Time) bool {
	_, err := parse(raw, "loans", received)
	return err == nil
}

// CheckEvaluations makes the verdicts of a notification twice, some time apart:
// each has the same id and stands within what the store can hold.
func CheckEvaluations(t *testing.T, raw []byte, received time.Time) {
	p, err := parse(raw, "loans", received)
	if err != nil {
		return
	}
	taker := &Taker{o: Options{Rule: func(signal.SystemID, signal.RuleID) *rules.Effective { return nil }}}
	for i := range p.Alerts {
		a := &p.Alerts[i]
		rule, _, err := taker.ruleOf(a, "loans")
		if err != nil {
			t.Fatal(err)
		}
		first, err := evaluation(a, rule, "loans", received)
		if err != nil {
			t.Fatal(err)
		}
		second, err := evaluation(a, rule, "loans", received.Add(time.Hour))
		if err != nil || first.ID != second.ID || first.System == "" || first.Rule == "" {
			t.Errorf("%+v, then %+v, %v", first, second, err)
		}
		if first.WindowEnd.Before(first.WindowStart) || first.WindowEnd.After(received.Add(ahead)) {
			t.Errorf("from %s to %s", first.WindowStart, first.WindowEnd)
		}
	}
}
