package lineage_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { storetest.Main(m) }

var noon = time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)

const (
	trainRun = "01890a5d-ac96-774b-bcce-b302099a8057"
	serveRun = "01890a5d-ac96-774b-bcce-b302099a8058"
)

// event writes a RunEvent; more are members beside the required ones.
func event(kind, run, namespace, job, more string) string {
	return `{"eventType":"` + kind + `","eventTime":"2026-03-10T11:00:00Z","producer":"https://example.org/train","schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",` +
		`"run":{"runId":"` + run + `"},"job":{"namespace":"` + namespace + `","name":"` + job + `"}` + more + `}`
}

func dataset(namespace, name, version string) string {
	if version == "" {
		return `{"namespace":"` + namespace + `","name":"` + name + `"}`
	}
	return `{"namespace":"` + namespace + `","name":"` + name + `","facets":{"version":{"_producer":"p","_schemaURL":"s","datasetVersion":"` + version + `"}}}`
}

func TestFaultsAreNamedByTheirPath(t *testing.T) {
	good := event("START", trainRun, "airflow", "train", "")
	if _, err := lineage.Parse([]byte(good), noon); err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		"":     "not the JSON",
		"[]":   "not the JSON",
		"null": "run, job, dataset: an event is about",
		"{}":   "eventTime: missing\nproducer: missing\nschemaURL: missing\nrun, job, dataset: ",
		strings.Replace(good, "START", "BEGIN", 1):                                                                                      `eventType: "BEGIN" is none of`,
		strings.Replace(good, trainRun, "0190", 1):                                                                                      `run.runId: "0190" is no UUID`,
		strings.Replace(good, trainRun, "", 1):                                                                                          "run.runId: missing",
		strings.Replace(good, `"train"`, `""`, 1):                                                                                       "job.name: missing",
		strings.Replace(good, `"train"`, `7`, 1):                                                                                        "job.name: a JSON number stands here",
		strings.Replace(good, "2026-03-10T11", "10 March", 1):                                                                           "is not RFC 3339",
		strings.Replace(good, "2026", "2106", 1):                                                                                        "eventTime: 2106-03-10T11:00:00Z is more than",
		strings.Replace(good, "2026", "1970", 1):                                                                                        "eventTime: 1970",
		strings.Replace(good, "https://example.org/train", "", 1):                                                                       "producer: missing",
		event("START", trainRun, "a", "j", `,"inputs":[{"namespace":"a"}]`):                                                             "inputs[0].name: missing",
		event("START", trainRun, "a", "j", `,"inputs":{}`):                                                                              "inputs: a JSON object",
		event("START", trainRun, "a", strings.Repeat("x", 1025), ``):                                                                    "job.name: 1025 bytes, more than 1024",
		event("START", trainRun, "a", "j", `,"outputs":[`+dataset("a", "b", " ")[:60]+``):                                               "not the JSON",
		event("START", trainRun, "a", "j", `,"outputs":[{"namespace":"a","name":"b","facets":{"version":{}}}]`):                         "outputs[0].facets.version.datasetVersion: missing",
		event("START", trainRun, "a", "j", `,"outputs":[{"namespace":"a","name":"b","facets":{"symlinks":{"identifiers":[{"a":1}]}}}]`): "outputs[0].facets.symlinks.identifiers[0].namespace: missing",
		"{\"producer\":\"\xff\"}":                                                                                                       "not UTF-8",
		`{"eventTime":"2026-03-10T11:00:00Z","producer":"p","schemaURL":"s","job":{"namespace":"a","name":"b"},"dataset":{"namespace":"a","name":"b"}}`: "run, job, dataset: ",
		`{"eventTime":"2026-03-10T11:00:00Z","producer":"p","schemaURL":"s","run":{"runId":"` + trainRun + `"}}`:                                        "job: missing",
	} {
		if _, err := lineage.Parse([]byte(text), noon); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.120s: %v; want %q", text, err, says)
		}
	}
}

func TestWhatClientsWriteIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"no event type":       strings.Replace(event("X", trainRun, "a", "j", ""), `"eventType":"X",`, "", 1),
		"a time without zone": strings.Replace(event("START", trainRun, "a", "j", ""), "11:00:00Z", "11:00:00.123456", 1),
		"an offset":           strings.Replace(event("START", trainRun, "a", "j", ""), "11:00:00Z", "12:00:00.123456+01:00", 1),
		"upper case":          event("START", strings.ToUpper(trainRun), "a", "j", ""),
		"null facets":         event("START", trainRun, "a", "j", `,"inputs":[{"namespace":"a","name":"b","facets":null}],"outputs":null`),
		"facets of others":    event("OTHER", trainRun, "a", "j", `,"inputs":[{"namespace":"a","name":"b","facets":{"mine":{"x":[1]}},"inputFacets":{"y":1}}]`),
	} {
		e, err := lineage.Parse([]byte(text), noon)
		if err != nil || e.RunID != trainRun || e.Time.Truncate(time.Second) != noon.Add(-time.Hour) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// TestEdges holds what each kind of event adds to the graph.
func TestEdges(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct{ name, text string }{
		{"a training run", event("COMPLETE", trainRun, "airflow", "train",
			`,"inputs":[`+dataset("s3://lake", "loans#2025@eu", "v3")+`,`+dataset("s3://lake", "codes", "")+`],"outputs":[`+dataset("evenkeel://loans", "model/credit", "7")+`]`)},
		{"a service, as its agent declares it", service(t)},
		{"a run that another started", strings.Replace(event("START", serveRun, "a", "child", ""), `"}`, `","facets":{"parent":{"run":{"runId":"`+trainRun+`"},"job":{"namespace":"a","name":"j"}}}}`, 1)},
		{"a job", `{"eventTime":"2026-03-10T11:00:00Z","producer":"p","schemaURL":"s","job":{"namespace":"a","name":"j"},"inputs":[` + dataset("a", "x", "1") + `],"outputs":[` + dataset("a", "y", "") + `]}`},
		{"a dataset with another name", `{"eventTime":"2026-03-10T11:00:00Z","producer":"p","schemaURL":"s","dataset":{"namespace":"mlflow","name":"credit","facets":{"version":{"datasetVersion":"7"},"symlinks":{"identifiers":[{"namespace":"evenkeel://loans","name":"model/credit","type":"TABLE"}]}}}}`},
		{"a dataset that is its own input", event("RUNNING", trainRun, "a", "j", `,"inputs":[`+dataset("a", "x", "")+`,`+dataset("a", "x", "")+`],"outputs":[`+dataset("a", "x", "")+`]`)},
	} {
		e, err := lineage.Parse([]byte(c.text), noon)
		if err != nil {
			t.Fatal(c.name, err)
		}
		row := e.Row(c.text, "")
		fmt.Fprintf(&out, "# %s\n%s %s of system %q, job %q\n", c.name, row.Kind, row.EventType, row.System, row.Job)
		for _, n := range row.Nodes {
			fmt.Fprintf(&out, "node %s\n", n)
		}
		for _, edge := range e.Edges("") {
			fmt.Fprintf(&out, "%-7s %s -> %s\n", edge.Relation, edge.From, edge.To)
		}
		out.WriteByte('\n')
	}
	const golden = "testdata/edges.golden.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != out.String() {
		t.Errorf("%v; got\n%s", err, out.String())
	}
}

// service is what an agent sends of model credit, version 7, of system loans.
func service(t testing.TB) string {
	t.Helper()
	raw, err := json.Marshal(signal.ServiceRun{
		Type: signal.RunStart, Time: noon, RunID: serveRun, System: "loans", Model: signal.ModelRef{Name: "credit", Version: "7"},
		Baseline: "sha256:b1", Producer: "https://example.org/agent",
	}.Event())
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestTheSystemIsTheSendersOrTheNames(t *testing.T) {
	e, err := lineage.Parse([]byte(service(t)), noon)
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[signal.SystemID]signal.SystemID{"": "loans", "cards": "cards"} {
		edges := e.Edges(given)
		if row := e.Row("{}", given); row.System != want || len(edges) == 0 || edges[0].System != want {
			t.Errorf("%q: %+v, %+v", given, row, edges)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(service(f)))
	f.Add([]byte(event("START", trainRun, "a#b", "j@%", `,"inputs":[`+dataset("a", "x", "1")+`]`)))
	f.Add([]byte(`{"dataset":{"namespace":"a"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := lineage.Parse(raw, noon)
		if err != nil {
			return
		}
		known := map[string]bool{}
		for _, id := range e.Nodes() {
			n, err := lineage.ParseID(id)
			if err != nil || n.ID != id {
				t.Fatalf("node %q: %v", id, err)
			}
			known[id] = true
		}
		for _, edge := range e.Edges("") {
			if edge.Relation != model.RelationAlias && edge.Relation != model.RelationParent && (!known[edge.From] || !known[edge.To]) {
				t.Errorf("edge %+v leads to a node that the event does not name", edge)
			}
			if edge.From == edge.To {
				t.Errorf("edge %+v leads nowhere", edge)
			}
		}
	})
}
