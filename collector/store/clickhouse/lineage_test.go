package clickhouse_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

func TestLineageEdgesAreReadByTheirSide(t *testing.T) {
	s := storetest.Open(t)
	edge := func(from, to string, r model.LineageRelation, at time.Time) model.LineageEdge {
		return model.LineageEdge{Time: at, System: "loans", From: from, To: to, Relation: r}
	}
	all := []model.LineageEdge{
		edge("dataset:a#x", "job:a#j", model.RelationFlow, noon),
		edge("job:a#j", "dataset:a#y", model.RelationFlow, noon),
		edge("job:a#j", "run:1", model.RelationRun, noon),
		edge("dataset:a#x", "run:1", model.RelationInput, noon),
		edge("run:1", "dataset:a#y", model.RelationOutput, noon),
		edge("dataset:a#y", "dataset:a#y@2", model.RelationVersion, noon),
		edge("dataset:b#z", "dataset:a#y", model.RelationAlias, noon),
	}
	write(t, s, model.SpoolBatch(1), &model.Rows{LineageEdges: all}, model.FirstTry)
	newer := edge("dataset:a#x", "job:a#j", model.RelationFlow, noon.Add(time.Hour))
	write(t, s, model.SpoolBatch(2), &model.Rows{LineageEdges: []model.LineageEdge{newer}}, model.FirstTry)
	for _, c := range []struct {
		side  model.LineageSide
		nodes []string
		want  []model.LineageEdge
	}{
		{model.Upstream, []string{"job:a#j"}, []model.LineageEdge{newer}},
		{model.Upstream, []string{"run:1"}, []model.LineageEdge{all[3]}},
		{model.Upstream, []string{"dataset:a#y"}, []model.LineageEdge{all[6], all[1]}}, // not by way of runs
		{model.Upstream, []string{"dataset:a#y@2", "dataset:b#z"}, []model.LineageEdge{all[5], all[6]}},
		{model.Downstream, []string{"dataset:a#x"}, []model.LineageEdge{newer}},
		{model.Downstream, []string{"run:1", "job:a#j"}, []model.LineageEdge{all[1], all[4]}},
		{model.Downstream, []string{"dataset:a#y"}, []model.LineageEdge{all[6]}},
	} {
		got, err := s.LineageFlows(t.Context(), c.nodes, c.side, 100)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s of %q: %+v, %v; want %+v", c.side, c.nodes, got, err, c.want)
		}
	}
	if got, err := s.LineageFlows(t.Context(), []string{"run:1", "job:a#j"}, model.Downstream, 1); err != nil || len(got) != 1 {
		t.Errorf("at most one: %+v, %v", got, err)
	}
	around, err := s.LineageAround(t.Context(), "run:1", 10)
	if err != nil || len(around) != 3 {
		t.Errorf("around run 1: %+v, %v", around, err)
	}
	for text, want := range map[string][]string{
		"y": {"dataset:a#y"}, "a#y@2": {"dataset:a#y@2"}, "job:a#j": {"job:a#j"}, "1": nil, "#y": nil, "'": nil, "": nil,
	} {
		if got, err := s.LineageNamed(t.Context(), text, 10); err != nil || !slices.Equal(got, want) {
			t.Errorf("named %q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestEventsPredictionsAndWindowsAreFoundByWhatTheyAreAbout(t *testing.T) {
	s := storetest.Open(t)
	event := func(at time.Time, nodes ...string) model.LineageEvent {
		return model.LineageEvent{Time: at, System: "loans", Kind: "run", EventType: "START", RunID: "1", Job: "a/j", Producer: "p", Nodes: nodes, Event: `{"at":"` + at.String() + `"}`}
	}
	events := []model.LineageEvent{event(noon, "job:a#j", "run:1"), event(noon.Add(day), "job:a#j"), event(noon, "job:a#other")}
	told := prediction("a", 0, noon)
	told.Lineage = signal.Lineage{"sha256:m", "i", "p", "t", "run-9"}
	behind := distribution(1, noon)
	behind.Lineage = []signal.LineageCount{{Part: signal.PartModel, Value: "sha256:m", Requests: 5}, {Part: signal.PartRun, Value: signal.LineageOther, Requests: 1}}
	foreign := prediction("a", 0, noon)
	foreign.System = "cards"
	write(t, s, model.SpoolBatch(1), &model.Rows{
		Lineage:       events,
		Predictions:   []signal.Prediction{prediction("a", 1, noon), told, prediction("b", 0, noon), foreign},
		Distributions: []*signal.Distribution{behind, distribution(2, noon.Add(time.Hour))},
	}, model.FirstTry)
	got, err := s.LineageEvents(t.Context(), "job:a#j", 10)
	if err != nil || len(got) != 2 || got[0].Event != events[1].Event || got[1].Event != events[0].Event || !slices.Equal(got[1].Nodes, events[0].Nodes) {
		t.Errorf("events: %+v, %v", got, err)
	}
	for system, want := range map[signal.SystemID]int{"": 3, "loans": 2, "cards": 1, "none": 0} {
		found, err := s.PredictionsOf(t.Context(), system, "a", 10)
		if err != nil || len(found) != want {
			t.Errorf("predictions of %q: %+v, %v", system, found, err)
		}
	}
	found, err := s.PredictionsOf(t.Context(), "loans", "a", 10)
	if want := prediction("a", 0, noon); err != nil || len(found) != 2 || found[0].Row != 0 || found[0].Run != want.Run || found[0].Baseline != want.Baseline ||
		found[0].Model != want.Model || found[0].Instance != want.Instance || !found[0].Time.Equal(noon) || found[0].TraceID != want.TraceID ||
		found[0].Lineage != told.Lineage || found[1].Lineage != (signal.Lineage{}) {
		t.Errorf("predictions: %+v, %v", found, err)
	}
	model1 := signal.ModelRef{Name: "loan", Version: "1"}
	for at, want := range map[time.Time][]uint64{
		noon: {1, 2}, noon.Add(-time.Minute): {1}, noon.Add(time.Minute): {2}, noon.Add(-2 * time.Hour): nil, noon.Add(2 * time.Hour): nil,
	} {
		windows, err := s.WindowsOf(t.Context(), "loans", model1, "a", at)
		var sequences []uint64
		for _, w := range windows {
			sequences = append(sequences, w.ID.Sequence)
			if w.ID.Sequence == 1 && !slices.Equal(w.Lineage, behind.Lineage) || w.ID.Sequence == 2 && w.Lineage != nil {
				t.Errorf("behind window %d: %+v", w.ID.Sequence, w.Lineage)
			}
			if w.Baseline != "sha256:b1" || w.End.Sub(w.Start) != time.Hour {
				t.Errorf("window %+v", w)
			}
		}
		if err != nil || !slices.Equal(sequences, want) {
			t.Errorf("windows at %s: %v, %v; want %v", at, sequences, err, want)
		}
	}
	if windows, err := s.WindowsOf(t.Context(), "loans", model1, "b", noon); err != nil || windows != nil {
		t.Errorf("of another instance: %+v, %v", windows, err)
	}
}

// Alerts of others are kept as evidence, and no streak goes on from them.
func TestTheEvaluatorsPastHasNoAlerts(t *testing.T) {
	s := storetest.Open(t)
	rows := everything()
	alert := rows.Evaluations[3]
	alert.ID, alert.Source, alert.WindowEnd = "alert", model.SourceAlertmanager, alert.WindowEnd.Add(time.Hour)
	rows.Evaluations = append(rows.Evaluations, alert)
	write(t, s, model.SpoolBatch(1), rows, model.FirstTry)
	last, err := s.LatestEvaluations(t.Context(), noon.Add(-day))
	if err != nil || len(last) != 1 || last[0].ID != "evaluation-3" {
		t.Errorf("latest: %+v, %v", last, err)
	}
	all, err := s.Evaluations(t.Context(), "", noon.Add(-day), noon.Add(3*day), 0)
	if err != nil || len(all) != 5 || all[0].ID != "alert" || all[0].Source != model.SourceAlertmanager {
		t.Errorf("all: %+v, %v", all, err)
	}
}
