package clickhouse_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// same compares values of which NaN may be one.
func same(t *testing.T, what string, got, want any, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	g, _ := json.MarshalIndent(got, "", " ")
	w, _ := json.MarshalIndent(want, "", " ")
	if !reflect.DeepEqual(got, want) && (string(g) != string(w) || len(g) == 0) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, g, w)
	}
}

// TestWhatIsWrittenIsRead sends everything through the store and back.
func TestWhatIsWrittenIsRead(t *testing.T) {
	s := storetest.Open(t)
	write(t, s, model.SpoolBatch(1), everything(), model.FirstTry)
	readBack(t, s, everything())
}

// readBack compares every reader's answer with what was written.
func readBack(t *testing.T, s model.Store, rows *model.Rows) {
	t.Helper()
	ctx, from, to := t.Context(), noon.Add(-time.Nanosecond), noon.Add(2*day)

	found, err := s.FindSeries(ctx, nil, from, to)
	same(t, "series", found, rows.Series, err)
	selected, err := s.SelectSeries(ctx, nil, noon, to)
	same(t, "samples", selected, []model.SeriesData{{Series: rows.Series[0], Samples: rows.Samples}}, err)
	distributions, err := s.DistributionsBetween(ctx, "loans", from, to)
	same(t, "distributions", distributions, rows.Distributions, err)
	for i, d := range distributions {
		if !reflect.DeepEqual(d.Distinct, rows.Distributions[i].Distinct) {
			t.Errorf("the sketch of window %s is another", d.Window)
		}
	}
	windows, err := s.FleetWindows(ctx, from, to)
	same(t, "fleet windows", windows, rows.FleetWindows, err)
	last := rows.DriftProcesses[3]
	processes, err := s.DriftProcesses(ctx, last.System, last.Model, last.Length, last.WindowEnd.Add(1))
	same(t, "drift processes", processes, rows.DriftProcesses[3:], err)
	processes, err = s.DriftProcesses(ctx, last.System, last.Model, last.Length, last.WindowEnd)
	same(t, "drift processes before", processes, rows.DriftProcesses[2:3], err)
	processes, err = s.DriftProcesses(ctx, last.System, last.Model, time.Minute, last.WindowEnd)
	same(t, "drift processes of another length", processes, []model.DriftProcess(nil), err)
	var labelled []signal.LabelledPrediction
	for i := range rows.Predictions {
		labelled = append(labelled, signal.LabelledPrediction{Prediction: rows.Predictions[i], Label: &rows.Labels[i]})
	}
	lanes, err := s.PredictedLanes(ctx, from, to)
	same(t, "predicted lanes", lanes, []model.PredictedLane{{System: "loans", Model: labelled[0].Model, Last: rows.Predictions[3].Time}}, err)
	joined, err := join(s, from, to, to)
	same(t, "labelled predictions", joined, labelled, err)
	baseline, err := s.Baseline(ctx, rows.Baselines[0].Digest)
	same(t, "baseline", baseline, &signal.Baseline{Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loan"}, Rows: 7}, err)
	evaluations, err := s.Evaluations(ctx, "DRF-01", from, to, 10)
	slices.Reverse(rows.Evaluations)
	same(t, "evaluations", evaluations, rows.Evaluations, err)
	newest, err := s.LatestEvaluations(ctx, noon)
	same(t, "newest evaluations", newest, rows.Evaluations[:1], err)
	events, err := s.RegisterEvents(ctx)
	same(t, "register events", events, rows.Events, err)
	deliveries, err := s.Deliveries(ctx)
	same(t, "newest delivery", deliveries, rows.Deliveries[3:], err)
}

func TestAnEmptyStoreIsReadWithoutAnError(t *testing.T) {
	s := storetest.Open(t)
	ctx := t.Context()
	for name, read := range map[string]func() (int, error){
		"SelectSeries":         func() (int, error) { v, err := s.SelectSeries(ctx, nil, noon, noon); return len(v), err },
		"FindSeries":           func() (int, error) { v, err := s.FindSeries(ctx, nil, noon, noon); return len(v), err },
		"DistributionsBetween": func() (int, error) { v, err := s.DistributionsBetween(ctx, "", noon, noon); return len(v), err },
		"FleetWindows":         func() (int, error) { v, err := s.FleetWindows(ctx, noon, noon); return len(v), err },
		"DriftProcesses": func() (int, error) {
			v, err := s.DriftProcesses(ctx, "", signal.ModelRef{}, 0, noon)
			return len(v), err
		},
		"PredictedLanes":      func() (int, error) { v, err := s.PredictedLanes(ctx, noon, noon.Add(1)); return len(v), err },
		"LabelledPredictions": func() (int, error) { v, err := join(s, noon, noon.Add(1), noon); return len(v), err },
		"LatestEvaluations":   func() (int, error) { v, err := s.LatestEvaluations(ctx, noon); return len(v), err },
		"Evaluations":         func() (int, error) { v, err := s.Evaluations(ctx, "", noon, noon, 1); return len(v), err },
		"RegisterEvents":      func() (int, error) { v, err := s.RegisterEvents(ctx); return len(v), err },
		"Deliveries":          func() (int, error) { v, err := s.Deliveries(ctx); return len(v), err },
		"Ping":                func() (int, error) { return 0, s.Ping(ctx) },
	} {
		if n, err := read(); n != 0 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if _, err := s.Baseline(ctx, "sha256:none"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("Baseline: %v", err)
	}
}

// TestWindowsAreReadByTheirEnd checks the half-open range (from, to], the
// system and the order.
func TestWindowsAreReadByTheirEnd(t *testing.T) {
	s := storetest.Open(t)
	rows := &model.Rows{}
	add := func(system signal.SystemID, instance signal.InstanceID, sequence uint64, feature signal.FeatureName, end time.Time) {
		d := distribution(sequence, end)
		d.System, d.Window.Instance, d.Feature = system, instance, feature
		d.Counts, d.Groups, d.Min, d.Max = []uint64{}, nil, math.NaN(), math.NaN()
		rows.Distributions = append(rows.Distributions, d)
	}
	add("loans", "b", 1, "income", noon.Add(1))
	add("loans", "a", 2, "income", noon.Add(2))
	add("loans", "a", 2, "age", noon.Add(2))
	add("loans", "a", 1, "income", noon) // not after from
	add("cards", "z", 9, "income", noon.Add(day))
	add("loans", "a", 3, "income", noon.Add(day+1)) // after to
	write(t, s, model.SpoolBatch(1), rows, model.FirstTry)
	for system, want := range map[signal.SystemID][]string{
		"":      {"cards z/9 income", "loans a/2 age", "loans a/2 income", "loans b/1 income"},
		"loans": {"loans a/2 age", "loans a/2 income", "loans b/1 income"},
		"other": {},
	} {
		found, err := s.DistributionsBetween(t.Context(), system, noon, noon.Add(day))
		got := []string{}
		for _, d := range found {
			got = append(got, string(d.System)+" "+d.Window.String()+" "+string(d.Feature))
			if !math.IsNaN(d.Min) || len(d.Counts) != 0 || d.Groups != nil {
				t.Errorf("an empty window came back as %+v", d)
			}
		}
		same(t, string(system), got, want, err)
	}
}

func TestNewestEvaluationOfEachRuleAndSubject(t *testing.T) {
	s := storetest.Open(t)
	evaluation := func(id string, rule signal.RuleID, feature string, end, evaluated time.Time) model.Evaluation {
		return model.Evaluation{
			ID: id, Rule: rule, System: "loans", Subject: map[string]string{"feature": feature, "system": "loans"},
			WindowEnd: end, EvaluatedAt: evaluated, Verdict: signal.NoData, State: model.StateOK,
		}
	}
	write(t, s, model.DerivedBatch(1), &model.Rows{Evaluations: []model.Evaluation{
		evaluation("old", "A", "x", noon, noon),
		evaluation("new", "A", "x", noon.Add(time.Hour), noon.Add(time.Hour)),
		evaluation("first", "A", "y", noon, noon.Add(time.Hour)),
		evaluation("again", "A", "y", noon, noon.Add(2*time.Hour)), // of one window, the last that was written
		evaluation("clock", "B", "x", time.Time{}, noon),           // a rule without windows
		evaluation("before", "C", "x", noon.Add(-day), noon),
	}}, model.InDoubt)
	found, err := s.LatestEvaluations(t.Context(), noon)
	var got []string
	for _, e := range found {
		got = append(got, e.ID)
		if e.Value != nil {
			t.Errorf("%s: no value came back as %v", e.ID, *e.Value)
		}
	}
	same(t, "newest", got, []string{"new", "again", "clock"}, err)
	all, err := s.Evaluations(t.Context(), "", noon.Add(-day), noon.Add(day), 2)
	same(t, "limit", len(all), 2, err)
	same(t, "newest first", all[0].ID, "new", nil)
}
