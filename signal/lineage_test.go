package signal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

func serviceRun() signal.ServiceRun {
	return signal.ServiceRun{
		Type: signal.RunStart, Time: time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC),
		RunID: "01890a5d-ac96-774b-bcce-b302099a8057", System: "loans",
		Model:    signal.ModelRef{Name: "credit", Version: "7"},
		Baseline: "sha256:abc", Producer: "https://example.org/agent/1.0",
	}
}

// The JSON has exactly the members that OpenLineage 2-0-2 defines, and each
// facet the two that every facet must have.
func TestRunEventFollowsOpenLineage(t *testing.T) {
	raw, err := json.Marshal(serviceRun().Event())
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]any
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	members(t, "event", e, "eventType", "eventTime", "run", "job", "inputs", "outputs", "producer", "schemaURL")
	if e["schemaURL"] != "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent" || e["eventTime"] != "2030-01-02T03:04:05.000000006Z" {
		t.Errorf("schemaURL %v, eventTime %v", e["schemaURL"], e["eventTime"])
	}
	members(t, "run", e["run"], "runId")
	members(t, "job", e["job"], "namespace", "name", "facets")
	datasets := append(e["inputs"].([]any), e["outputs"].([]any)...)
	if len(datasets) != 3 {
		t.Fatalf("%d datasets, want model, baseline and prediction log", len(datasets))
	}
	holders := []any{e["job"], datasets[0], datasets[1]}
	for _, h := range holders {
		for name, f := range h.(map[string]any)["facets"].(map[string]any) {
			facet := f.(map[string]any)
			if facet["_producer"] != "https://example.org/agent/1.0" || !strings.HasPrefix(facet["_schemaURL"].(string), "https://openlineage.io/spec/facets/") {
				t.Errorf("facet %s: %v", name, facet)
			}
		}
	}
	version := datasets[0].(map[string]any)["facets"].(map[string]any)["version"].(map[string]any)["datasetVersion"]
	if version != "7" {
		t.Errorf("model version %v, want 7", version)
	}
}

func members(t *testing.T, what string, object any, want ...string) {
	t.Helper()
	m, ok := object.(map[string]any)
	if !ok || len(m) != len(want) {
		t.Errorf("%s: %v, want the members %v", what, object, want)
	}
	for _, k := range want {
		if _, ok := m[k]; !ok {
			t.Errorf("%s: no %s", what, k)
		}
	}
}

func TestUnknownVersionAndBaselineAreLeftOut(t *testing.T) {
	r := serviceRun()
	r.Model.Version, r.Baseline = "", ""
	e := r.Event()
	if len(e.Inputs) != 1 || e.Inputs[0].Facets != nil {
		t.Errorf("inputs %+v, want the model without a version", e.Inputs)
	}
}

func TestParseRunEventReadsWhatEventWrote(t *testing.T) {
	raw, _ := json.Marshal(serviceRun().Event())
	got, err := signal.ParseRunEvent(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(got)
	if string(again) != string(raw) {
		t.Errorf("got  %s\nwant %s", again, raw)
	}
	if got.Job.String() != "evenkeel://loans/credit" {
		t.Errorf("job %s", got.Job)
	}
}

func TestParseRunEventNamesEveryMissingField(t *testing.T) {
	_, err := signal.ParseRunEvent([]byte(`{"eventType":"BEGIN"}`))
	for _, field := range []string{"run.runId", "job.namespace", "job.name", "producer", "schemaURL", "eventType", "eventTime"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v does not name %s", err, field)
		}
	}
}

func FuzzParseRunEvent(f *testing.F) {
	raw, _ := json.Marshal(serviceRun().Event())
	f.Add(raw)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := signal.ParseRunEvent(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			return // a year beyond what RFC 3339 writes
		}
		if _, err := signal.ParseRunEvent(again); err != nil {
			t.Errorf("%s was read, but not its own form %s: %v", raw, again, err)
		}
	})
}
