package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

const runID = "01890a5d-ac96-774b-bcce-b302099a8057"

// lineageText is a RunEvent of a training job, with a facet that nobody knows.
func lineageText(kind, dataset string) string {
	return `{"eventType":"` + kind + `", "eventTime":"2026-03-14T11:00:00Z","producer":"p","schemaURL":"s","run":{"runId":"` + runID + `","facets":{"mine":{"kept": [1,  2]}}},` +
		`"job":{"namespace":"airflow","name":"train"},"` + dataset + `":[{"namespace":"s3","name":"` + dataset + `"}]}`
}

// TestLineageAndReviewsReachTheStore takes both over the API's way, through the
// spool into the real store, twice under one name, beside what an agent says.
func TestLineageAndReviewsReachTheStore(t *testing.T) {
	store := storetest.Open(t)
	s := serve(t, func(o *ServerOptions) { o.Now = func() time.Time { return noon } }, nil)
	stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	reviews := []signal.Review{
		{System: "loans", ID: "a", Row: 1, Required: true, Start: noon.Add(-time.Hour), End: noon.Add(-time.Minute), Decision: signal.ReviewOverridden, Role: "officer"},
		{System: "cards", ID: "b", Required: true},
	}
	for range 2 {
		if err := s.TakeLineage(t.Context(), "loans", []string{lineageText("START", "inputs"), lineageText("COMPLETE", "outputs")}, "airflow/1"); err != nil {
			t.Fatal(err)
		}
		if err := s.TakeReviews(t.Context(), reviews, "desk/1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.TakeLineage(t.Context(), "", []string{"{}"}, ""); err == nil || !strings.Contains(err.Error(), "eventTime: missing") {
		t.Errorf("what is none: %v", err)
	}
	s.waitUntilStored(t)
	stop()
	events, err := store.LineageEvents(t.Context(), "run:"+runID, 10)
	if err != nil || len(events) != 2 || events[0].System != "loans" {
		t.Fatalf("%+v, %v", events, err)
	}
	for _, e := range events {
		if e.Event != lineageText("START", "inputs") && e.Event != lineageText("COMPLETE", "outputs") {
			t.Errorf("it came otherwise: %s", e.Event)
		}
	}
	g, err := lineage.Walk(t.Context(), store, "dataset:s3#outputs", "up", 0)
	if err != nil || len(g.Nodes) != 3 {
		t.Errorf("%+v, %v", g, err)
	}
	var logs, others uint64
	err = store.Conn().QueryRow(t.Context(), `SELECT countIf(EventName = 'evenkeel.human.review' AND mapContains(LogAttributes, 'evenkeel.review.id')
		AND (LogAttributes['evenkeel.review.decision'] = 'overridden') = (ResourceAttributes['evenkeel.system.id'] = 'loans')),
		countIf(EventName != 'evenkeel.human.review') FROM otel_logs`).Scan(&logs, &others)
	if err != nil || logs != 2 || others != 0 {
		t.Errorf("%d reviews and %d other logs, %v", logs, others, err)
	}
	var at time.Time
	if err := store.Conn().QueryRow(t.Context(), "SELECT Timestamp FROM otel_logs WHERE LogAttributes['evenkeel.prediction.id'] = 'a'").Scan(&at); err != nil || !at.Equal(noon.Add(-time.Minute)) {
		t.Errorf("reviewed at %s, %v", at, err)
	}
}

// An agent's declaration makes the same rows as the API, and a log beside them.
func TestADeclaredRunIsInTheGraph(t *testing.T) {
	req, records := newLogs()
	lr := records.AppendEmpty()
	lr.SetEventName(signal.EventLineageRun)
	lr.Body().SetStr(lineageText("START", "inputs"))
	d := decode(t, 1, bytesOf(t, req))
	want := model.LineageEdge{Time: time.Date(2026, 3, 14, 11, 0, 0, 0, time.UTC), System: "loan-approval", From: "dataset:s3#inputs", To: "job:airflow#train", Relation: model.RelationFlow}
	found := false
	for _, e := range d.Rows.LineageEdges {
		found = found || e == want
	}
	if !found || len(d.Rows.Lineage) != 1 || len(d.Rows.Logs) != 1 || d.Refused.Count != 0 {
		t.Errorf("%+v, %+v, %d logs, %+v", d.Rows.LineageEdges, d.Rows.Lineage, len(d.Rows.Logs), d.Refused)
	}
}

// BenchmarkTakeLineage is an event from the API to the disk.
func BenchmarkTakeLineage(b *testing.B) {
	s := serve(b, func(o *ServerOptions) { o.Now = func() time.Time { return noon } }, nil)
	events := make([]string, 100)
	for i := range events {
		events[i] = lineageText("START", "inputs")
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := s.TakeLineage(b.Context(), "loans", events, fmt.Sprint("bench/", n)); err != nil {
			b.Fatal(err)
		}
	}
}
