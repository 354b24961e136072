package lineage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// keep stores events as the drain does.
func keep(t testing.TB, s *clickhouse.Store, batch uint64, rows *model.Rows, events ...string) {
	t.Helper()
	for _, text := range events {
		e, err := lineage.Parse([]byte(text), noon)
		if err != nil {
			t.Fatal(err)
		}
		rows.Lineage = append(rows.Lineage, e.Row(text, ""))
		rows.LineageEdges = append(rows.LineageEdges, e.Edges("")...)
	}
	if err := s.Write(t.Context(), model.SpoolBatch(batch), rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
}

// story is how model credit, version 7, came to be and to serve.
func story(t testing.TB) []string {
	return []string{
		event("COMPLETE", "01890a5d-ac96-774b-bcce-b302099a8001", "airflow", "collect", `,"inputs":[`+dataset("pg://crm", "applications", "")+`],"outputs":[`+dataset("s3://lake", "loans", "v3")+`]`),
		event("COMPLETE", "01890a5d-ac96-774b-bcce-b302099a8002", "airflow", "collect", `,"inputs":[`+dataset("pg://other", "applications", "")+`],"outputs":[`+dataset("s3://lake", "loans", "v4")+`]`),
		event("START", trainRun, "airflow", "train", `,"inputs":[`+dataset("s3://lake", "loans", "v3")+`]`),
		event("COMPLETE", trainRun, "airflow", "train", `,"outputs":[`+dataset("evenkeel://loans", "model/credit", "7")+`]`),
		service(t),
	}
}

func ids(g *lineage.Graph) []string {
	out := []string{}
	for _, n := range g.Nodes {
		out = append(out, n.ID)
	}
	slices.Sort(out)
	return out
}

func TestUpstreamStaysWithTheVersionsThatWereRead(t *testing.T) {
	s := storetest.Open(t)
	keep(t, s, 1, &model.Rows{}, story(t)...)
	g, err := lineage.Walk(t.Context(), s, "run:"+serveRun, "up", 0)
	if err != nil {
		t.Fatal(err)
	}
	got := ids(g)
	for _, want := range []string{
		"run:" + serveRun, "dataset:evenkeel://loans#model/credit@7", "run:" + trainRun, "dataset:s3://lake#loans@v3",
		"run:01890a5d-ac96-774b-bcce-b302099a8001", "dataset:pg://crm#applications", "dataset:evenkeel://loans#baseline/credit@sha256:b1",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %q", want, got)
		}
	}
	for _, other := range []string{"dataset:s3://lake#loans@v4", "dataset:pg://other#applications"} {
		if slices.Contains(got, other) {
			t.Errorf("%s was never read for version 7", other)
		}
	}
	if g.Nodes[0].Kind != lineage.KindRun || g.Nodes[0].Depth != 0 || g.Truncated {
		t.Errorf("got %+v", g)
	}

	down, err := lineage.Walk(t.Context(), s, "applications", "down", 0)
	if errs.KindOf(err) != errs.Invalid || down != nil || !strings.Contains(err.Error(), "dataset:pg://other#applications") {
		t.Errorf("two datasets end alike: %v, %v", down, err)
	}
	down, err = lineage.Walk(t.Context(), s, "dataset:pg://crm#applications", "down", 0)
	if err != nil || !slices.Contains(ids(down), "dataset:evenkeel://loans#predictions/credit") {
		t.Errorf("down to the predictions: %+v, %v", down, err)
	}
	near, err := lineage.Walk(t.Context(), s, "train", "both", 1)
	want := []string{"dataset:evenkeel://loans#model/credit", "dataset:s3://lake#loans", "job:airflow#train"}
	if err != nil || !slices.Equal(ids(near), want) || !near.Truncated || len(near.Edges) != 2 {
		t.Errorf("one step: %+v, %v", near, err)
	}
}

func TestAnotherNameIsTheSameThing(t *testing.T) {
	s := storetest.Open(t)
	registry := `{"namespace":"mlflow","name":"credit","facets":{"version":{"datasetVersion":"7"},"symlinks":{"identifiers":[{"namespace":"evenkeel://loans","name":"model/credit"}]}}}`
	keep(t, s, 1, &model.Rows{}, service(t),
		event("COMPLETE", trainRun, "airflow", "train", `,"inputs":[`+dataset("s3://lake", "loans", "v3")+`],"outputs":[`+registry+`]`))
	g, err := lineage.Walk(t.Context(), s, "run:"+serveRun, "up", 0)
	if err != nil || !slices.Contains(ids(g), "dataset:s3://lake#loans@v3") {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestWhatIsAskedForWronglyIsSaid(t *testing.T) {
	s := storetest.Open(t)
	keep(t, s, 1, &model.Rows{}, story(t)...)
	for _, c := range []struct {
		node, direction string
		depth           int
		kind            errs.Kind
	}{
		{"", "up", 1, errs.Invalid},
		{"nobody", "up", 1, errs.NotFound},
		{"run:01890a5d-ac96-774b-bcce-b302099a9999", "up", 1, errs.NotFound},
		{"train", "sideways", 1, errs.Invalid},
		{"train", "up", 51, errs.Invalid},
		{"train", "up", -1, errs.Invalid},
		{"%' OR 1=1 --", "up", 1, errs.NotFound},
		{strings.Repeat("x", 9000), "up", 1, errs.Invalid},
	} {
		if g, err := lineage.Walk(t.Context(), s, c.node, c.direction, c.depth); errs.KindOf(err) != c.kind || g != nil {
			t.Errorf("%.40q %s %d: %v; want kind %v", c.node, c.direction, c.depth, err, c.kind)
		}
	}
}

// TestWalkIsReachability compares a walk over jobs and datasets, cycles included,
// with the plain definition.
func TestWalkIsReachability(t *testing.T) {
	s := storetest.Open(t)
	batch := uint64(0)
	rapid.Check(t, func(rt *rapid.T) {
		batch++
		namespace := fmt.Sprint("case", batch)
		node := rapid.IntRange(0, 6)
		edges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]int { return [2]int{node.Draw(t, "from"), node.Draw(t, "to")} }), 1, 12).Draw(rt, "edges")
		up := rapid.Bool().Draw(rt, "up")
		id := func(n int) string { return fmt.Sprintf("%s:%s#%d", []string{"job", "dataset"}[n%2], namespace, n) }
		rows := &model.Rows{}
		for _, e := range edges {
			rows.LineageEdges = append(rows.LineageEdges, model.LineageEdge{Time: noon, From: id(e[0]), To: id(e[1]), Relation: model.RelationFlow})
		}
		keep(t, s, batch, rows)
		start := edges[0][0]
		reached := map[int]bool{start: true}
		for range len(edges) {
			for _, e := range edges {
				if up {
					e[0], e[1] = e[1], e[0]
				}
				reached[e[1]] = reached[e[1]] || reached[e[0]]
			}
		}
		var want []string
		for n, there := range reached {
			if there {
				want = append(want, id(n))
			}
		}
		slices.Sort(want)
		g, err := lineage.Walk(rt.Context(), s, id(start), map[bool]string{true: "up", false: "down"}[up], 0)
		if err != nil || !slices.Equal(ids(g), want) || g.Truncated {
			rt.Errorf("%+v from %s: %+v, %v; want %q", edges, id(start), g, err, want)
		}
	})
}

func TestAWalkIsBounded(t *testing.T) {
	s := storetest.Open(t)
	rows := &model.Rows{}
	for i := range lineage.MaxNodes + 5 {
		rows.LineageEdges = append(rows.LineageEdges, model.LineageEdge{Time: noon, From: "job:a#hub", To: fmt.Sprintf("dataset:a#%d", i), Relation: model.RelationFlow})
	}
	keep(t, s, 1, rows)
	g, err := lineage.Walk(t.Context(), s, "job:a#hub", "down", 0)
	if err != nil || len(g.Nodes) != lineage.MaxNodes || !g.Truncated {
		t.Errorf("%d nodes, %v", len(g.Nodes), err)
	}
}

// deployment is the run that an agent's configuration names.
var deployment = event("COMPLETE", "01890a5d-ac96-774b-bcce-b302099a8009", "argo", "deploy", `,"inputs":[`+dataset("s3://lake", "approvals", "")+`,`+dataset("s3://lake", "loans", "v3")+`]`)

func TestWhatStoodBehindAPrediction(t *testing.T) {
	s := storetest.Open(t)
	one := signal.Prediction{
		System: "loans", Model: signal.ModelRef{Name: "credit", Version: "7"}, Instance: "a", ID: "req/1", Time: noon, Value: "approved", Score: 0.5,
		Baseline: "sha256:b1", Run: serveRun, Rate: 1,
		Lineage: signal.Lineage{signal.PartModel: "sha256:m1", signal.PartPrompt: "p1", signal.PartRun: "01890a5d-ac96-774b-bcce-b302099a8009"},
	}
	lost := one
	lost.Lineage = signal.Lineage{}
	lost.ID, lost.Run, lost.Baseline, lost.Model.Version, lost.Time = "lost", "", "", "8", noon.Add(time.Hour)
	keep(t, s, 1, &model.Rows{
		Predictions: []signal.Prediction{one, lost},
		Distributions: []*signal.Distribution{{
			System: "loans", Model: one.Model, Window: signal.WindowID{Instance: "a", Sequence: 3}, Start: noon.Add(-time.Minute), End: noon.Add(time.Minute),
			Parts: 1, Baseline: "sha256:b1", Target: signal.TargetFeature, Feature: "income", Kind: signal.Numeric, Capture: signal.Capture{Profiled: 9},
			Lineage: []signal.LineageCount{{Part: signal.PartModel, Value: "sha256:m1", Requests: 7}, {Part: signal.PartModel, Value: "sha256:m2", Requests: 2}},
		}},
	}, append(story(t), deployment)...)
	found, err := lineage.Trace(t.Context(), s, "", "req/1")
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	o := found[0]
	var training []string
	for _, n := range o.TrainingData {
		training = append(training, n.ID)
	}
	if o.Run != "run:"+serveRun || o.Baseline != "sha256:b1" || len(o.Windows) != 1 || o.Windows[0].ID != "a/3" || *o.Score != 0.5 ||
		!slices.Equal(training, []string{"dataset:s3://lake#loans@v3", "dataset:pg://crm#applications", "dataset:s3://lake#approvals"}) || len(o.Unknown) != 0 || o.Upstream == nil || o.Upstream.Node != o.Run {
		t.Errorf("%+v", o)
	}
	if w := o.Windows[0].Lineage; len(w) != 2 || w[1] != (signal.LineageCount{Part: signal.PartModel, Value: "sha256:m2", Requests: 2}) {
		t.Errorf("the window says %+v", w)
	}
	if want := []lineage.Digest{{Part: signal.PartModel, Digest: "sha256:m1"}, {Part: signal.PartPrompt, Digest: "p1"}}; !slices.Equal(o.Digests, want) || o.DeclaredRun != "run:01890a5d-ac96-774b-bcce-b302099a8009" {
		t.Errorf("%+v, %s", o.Digests, o.DeclaredRun)
	}
	found, err = lineage.Trace(t.Context(), s, "loans", "lost")
	if err != nil || len(found) != 1 || len(found[0].Unknown) != 5 || found[0].Upstream != nil || len(found[0].TrainingData) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := lineage.Trace(t.Context(), s, "cards", "req/1"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("of another system: %v", err)
	}
}

func TestShowGivesTheEventsAsTheyCame(t *testing.T) {
	s := storetest.Open(t)
	all := story(t)
	keep(t, s, 1, &model.Rows{}, all...)
	d, err := lineage.Show(t.Context(), s, "run:"+trainRun)
	if err != nil || len(d.Events) != 2 || len(d.Edges) != 3 || d.Node.Kind != lineage.KindRun {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, e := range d.Events {
		if !slices.Contains(all, string(e.Event)) {
			t.Errorf("%s never came", e.Event)
		}
	}
	if d, err = lineage.Show(t.Context(), s, "model/credit@7"); err != nil || d.Node.Role != "model" || d.Node.Version != "7" {
		t.Errorf("%+v, %v", d, err)
	}
}
