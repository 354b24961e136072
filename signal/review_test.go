package signal_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

func TestAReviewIsDueOrDone(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	due := signal.Review{System: "loans", ID: "a", Required: true}
	done := signal.Review{System: "loans", ID: "a", Start: at, End: at.Add(time.Minute), Decision: signal.ReviewConfirmed, Role: "officer"}
	for name, c := range map[string]struct {
		review signal.Review
		says   string
	}{
		"due": {due, ""}, "done": {done, ""},
		"no system": {signal.Review{ID: "a", Required: true}, "system"}, "no id": {signal.Review{System: "s", Required: true}, "prediction_id"},
		"a long id":   {signal.Review{System: "s", ID: strings.Repeat("x", 257), Required: true}, "prediction_id: 257"},
		"a long role": {signal.Review{System: "s", ID: "a", Required: true, Role: strings.Repeat("x", 101)}, "role: 101"},
		"neither":     {signal.Review{System: "s", ID: "a"}, "says nothing"},
		"no end":      {signal.Review{System: "s", ID: "a", Decision: signal.ReviewConfirmed}, "end: missing"},
		"no decision": {signal.Review{System: "s", ID: "a", End: at}, "decision: missing"},
		"backwards":   {signal.Review{System: "s", ID: "a", Start: at, End: at.Add(-1), Decision: signal.ReviewConfirmed}, "before start"},
	} {
		err := c.review.Validate()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReviewIDs holds that two reviews have one id exactly where they say the same.
func TestReviewIDs(t *testing.T) {
	review := rapid.Custom(func(t *rapid.T) signal.Review {
		at := time.Unix(rapid.Int64Range(0, 3).Draw(t, "time"), 0)
		return signal.Review{
			System: signal.SystemID(rapid.SampledFrom([]string{"a", "b", `a","b`}).Draw(t, "system")), ID: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "id"),
			Row: rapid.Uint32Range(0, 1).Draw(t, "row"), Required: rapid.Bool().Draw(t, "required"), Start: at.UTC(), End: at.UTC(),
			Decision: rapid.SampledFrom([]string{"", "confirmed"}).Draw(t, "decision"), Role: rapid.SampledFrom([]string{"", "r"}).Draw(t, "role"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := review.Draw(t, "a"), review.Draw(t, "b")
		if (a == b) != (a.ReviewID() == b.ReviewID()) {
			t.Errorf("%+v is %s, %+v is %s", a, a.ReviewID(), b, b.ReviewID())
		}
		elsewhere := a
		elsewhere.Start = a.Start.In(time.FixedZone("x", 3600))
		if elsewhere.ReviewID() != a.ReviewID() {
			t.Error("the same instant in another zone is another review")
		}
	})
}
