package clickhouse_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// join collects what LabelledPredictions yields of the model loan, version 1.
func join(s model.CohortReader, from, to, received time.Time) ([]signal.LabelledPrediction, error) {
	var out []signal.LabelledPrediction
	err := s.LabelledPredictions(context.Background(), "loans", signal.ModelRef{Name: "loan", Version: "1"}, from, to, received,
		func(p *signal.LabelledPrediction) error {
			out = append(out, *p)
			return nil
		})
	return out, err
}

// TestTheNewestLabelInTimeCounts gives rows several labels, over several
// batches and days, and asks as of several times.
func TestTheNewestLabelInTimeCounts(t *testing.T) {
	s := storetest.Open(t)
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	label := func(id string, row uint32, value string, known, received time.Time) signal.Label {
		return signal.Label{System: "loans", ID: id, Row: row, Value: value, Time: known, Received: received}
	}
	foreign := label("a", 0, "of another system", hour(9), hour(1))
	foreign.System = "cards"
	write(t, s, model.SpoolBatch(1), &model.Rows{
		Predictions: []signal.Prediction{
			prediction("a", 1, noon), prediction("a", 0, noon), prediction("b", 0, noon.Add(1)),
			prediction("c", 0, noon.Add(2)), prediction("never", 0, noon.Add(2)),
		},
		Labels: []signal.Label{
			label("a", 0, "first", hour(1), hour(1)),
			label("a", 0, "known earlier, told later", hour(0), hour(5)),
			label("a", 1, "of row 1", hour(1), hour(1)),
			label("b", 0, "the earlier of the request", hour(2), hour(2)),
			label("b", 0, "the later of the request", hour(2), hour(2)),
			label("c", 0, "told earlier", hour(1), hour(2)),
			label("c", 0, "told later", hour(1), hour(3)),
			label("nobody", 0, "of no prediction", hour(1), hour(1)),
			foreign,
		},
	}, model.FirstTry)
	write(t, s, model.SpoolBatch(2), &model.Rows{Labels: []signal.Label{
		label("a", 0, "corrected the next day", hour(30), hour(30)),
		label("a", 1, "of row 1", hour(1), hour(1)), // the same again
	}}, model.FirstTry)
	for received, want := range map[time.Time][]string{
		noon:     {"a#0 -", "a#1 -", "b#0 -", "c#0 -", "never#0 -"},
		hour(2):  {"a#0 first", "a#1 of row 1", "b#0 the later of the request", "c#0 told earlier", "never#0 -"},
		hour(29): {"a#0 first", "a#1 of row 1", "b#0 the later of the request", "c#0 told later", "never#0 -"},
		hour(30): {"a#0 corrected the next day", "a#1 of row 1", "b#0 the later of the request", "c#0 told later", "never#0 -"},
	} {
		found, err := join(s, noon.Add(-1), noon.Add(2), received)
		var got []string
		for _, p := range found {
			value := "-"
			if p.Label != nil {
				value = p.Label.Value
			}
			got = append(got, fmt.Sprintf("%s#%d %s", p.ID, p.Row, value))
		}
		same(t, received.String(), got, want, err)
	}
}

// TestASlotHoldsItsOwnPredictions checks the half-open range and the lane.
func TestASlotHoldsItsOwnPredictions(t *testing.T) {
	s := storetest.Open(t)
	rows := &model.Rows{Predictions: []signal.Prediction{
		prediction("at from", 0, noon), prediction("in", 0, noon.Add(1)), prediction("at to", 0, noon.Add(day)),
		prediction("after", 0, noon.Add(day+1)), prediction("other version", 0, noon.Add(1)), prediction("other system", 0, noon.Add(2)),
	}}
	rows.Predictions[4].Model.Version = "2"
	rows.Predictions[5].System = "cards"
	write(t, s, model.SpoolBatch(1), rows, model.FirstTry)
	found, err := join(s, noon, noon.Add(day), noon.Add(day))
	var got []string
	for _, p := range found {
		got = append(got, p.ID)
	}
	same(t, "predictions", got, []string{"in", "at to"}, err)
	lanes, err := s.PredictedLanes(t.Context(), noon, noon.Add(day))
	same(t, "lanes", lanes, []model.PredictedLane{
		{System: "cards", Model: signal.ModelRef{Name: "loan", Version: "1"}, Last: noon.Add(2)},
		{System: "loans", Model: signal.ModelRef{Name: "loan", Version: "1"}, Last: noon.Add(day)},
		{System: "loans", Model: signal.ModelRef{Name: "loan", Version: "2"}, Last: noon.Add(1)},
	}, err)
}

// TestPagesAreTheWhole joins random predictions with random labels over pages
// of a few rows, many of them of one instant, and compares with a plain search.
func TestPagesAreTheWhole(t *testing.T) {
	options := storetest.Options(t)
	options.PredictionRows = 3
	s := storetest.OpenWith(t, options)
	batches := uint64(0)
	rapid.Check(t, func(r *rapid.T) {
		for _, table := range []string{"predictions", "labels"} {
			if err := s.Conn().Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
				r.Fatal(err)
			}
		}
		rows := &model.Rows{}
		taken := map[string]bool{}
		for range rapid.IntRange(0, 14).Draw(r, "predictions") {
			p := prediction(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "id"), uint32(rapid.IntRange(0, 3).Draw(r, "row")),
				noon.Add(time.Duration(rapid.IntRange(0, 4).Draw(r, "at"))))
			if key := fmt.Sprint(p.Time, p.ID, p.Row); !taken[key] {
				taken[key] = true
				rows.Predictions = append(rows.Predictions, p)
			}
		}
		for range rapid.IntRange(0, 14).Draw(r, "labels") {
			rows.Labels = append(rows.Labels, signal.Label{
				System: "loans", ID: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "id"), Row: uint32(rapid.IntRange(0, 3).Draw(r, "row")),
				Value:    rapid.StringMatching(`[a-z]`).Draw(r, "value"),
				Time:     noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(r, "known"))),
				Received: noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(r, "received"))),
			})
		}
		batches++
		write(t, s, model.SpoolBatch(batches), rows, model.FirstTry)
		received := noon.Add(time.Duration(rapid.IntRange(-1, 3).Draw(r, "as of")))
		got, err := join(s, noon.Add(-1), noon.Add(3), received)
		same(t, "joined", got, search(rows, noon.Add(3), received), err)
		if t.Failed() {
			r.FailNow()
		}
	})
}

// search is what LabelledPredictions should find.
func search(rows *model.Rows, to, received time.Time) []signal.LabelledPrediction {
	var out []signal.LabelledPrediction
	for _, p := range rows.Predictions {
		if p.Time.After(to) {
			continue
		}
		found := signal.LabelledPrediction{Prediction: p}
		for i := range rows.Labels {
			l, best := &rows.Labels[i], found.Label
			newer := best == nil || l.Time.After(best.Time) || l.Time.Equal(best.Time) && !l.Received.Before(best.Received)
			if l.ID == p.ID && l.Row == p.Row && !l.Received.After(received) && newer {
				found.Label = l
			}
		}
		out = append(out, found)
	}
	slices.SortFunc(out, func(a, b signal.LabelledPrediction) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Row, b.Row))
	})
	return out
}

// TestOnlyTheLabelsOfASlotAreRead asks the server how much of a day of labels
// the join of a few predictions looks at.
func TestOnlyTheLabelsOfASlotAreRead(t *testing.T) {
	s := storetest.Open(t)
	ids := requestIDs(100_000)
	rows := benchPredictions(ids, noon, time.Millisecond)
	rows.Labels = benchLabels(ids, noon, time.Millisecond).Labels
	write(t, s, model.SpoolBatch(1), rows, model.FirstTry)
	selected := func() uint64 {
		return scalar(t, s, "SELECT sum(value) FROM system.events WHERE event = 'SelectedRows'")
	}
	before := selected()
	found, err := join(s, noon, noon.Add(10*time.Millisecond), noon.Add(day))
	if err != nil || len(found) != 10 || found[9].Label == nil {
		t.Fatalf("%d predictions, %v", len(found), err)
	}
	if n := selected() - before; n == 0 || n > 60_000 {
		t.Errorf("%d rows were looked at, of 200,000 in all", n)
	}
}

// TestAnErrorOfTheReaderEndsIt gives the error back as it is.
func TestAnErrorOfTheReaderEndsIt(t *testing.T) {
	s := storetest.Open(t)
	write(t, s, model.SpoolBatch(1), &model.Rows{Predictions: []signal.Prediction{prediction("a", 0, noon), prediction("b", 0, noon)}}, model.FirstTry)
	enough := errors.New("enough")
	calls := 0
	err := s.LabelledPredictions(t.Context(), "loans", signal.ModelRef{Name: "loan", Version: "1"}, noon.Add(-1), noon, noon,
		func(*signal.LabelledPrediction) error { calls++; return enough })
	if err != enough || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
