package clients

import (
	"encoding/json"
	"testing"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/test/livetest"
)

// lineageJobs are what each run of the client tells of; half of them fail.
const lineageJobs = "10"

// The OpenLineage client of Python, unchanged: its runs, its data sets and its
// jobs are in the store, with the facets that it gave them.
func TestOpenLineageClient(t *testing.T) {
	python := provided(t, pythonVariable)
	site := livetest.StartCollector(t, nil)
	said := map[string]int{}
	for _, compression := range []string{"none", "gzip"} {
		stdout, _ := livetest.Foreign{Path: python, Args: []string{"python/lineage_client.py", site.API, lineageJobs, compression}}.Run(t)
		var sent map[string]int
		if err := json.Unmarshal([]byte(stdout), &sent); err != nil {
			t.Fatalf("the client's account: %v\n%s", err, stdout)
		}
		for kind, n := range sent {
			said[kind] += n
		}
	}
	store := site.Open(t)
	all := 0
	for kind, want := range map[string]int{"START": 20, "COMPLETE": 10, "FAIL": 10} {
		if said[kind] != want {
			t.Errorf("the client says that it sent %d events %s, and was to send %d", said[kind], kind, want)
		}
		wantEvents(t, store, kind, `SELECT count() FROM lineage_events WHERE event_type = ?`, kind, said[kind])
		all += said[kind]
	}
	for _, kind := range []string{"dataset", "job"} {
		wantEvents(t, store, kind, `SELECT count() FROM lineage_events WHERE kind = ?`, kind, said[kind])
		all += said[kind]
	}
	wantEvents(t, store, "events of the producer", `SELECT count() FROM lineage_events WHERE producer = ?`, "https://example.org/training", all)
	wantEvents(t, store, "errors", `SELECT countIf(JSONExtractString(event, 'run', 'facets', 'errorMessage', 'message') = ?) FROM lineage_events`, "out of memory", said["FAIL"])
	wantEvents(t, store, "schemas", `SELECT countIf(JSONExtractString(event, 'inputs', 1, 'facets', 'schema', 'fields', 2, 'name') = ?) FROM lineage_events`, "age", said["START"]+said["COMPLETE"]+said["FAIL"])
	wantEvents(t, store, "runs", `SELECT uniqExact(run_id) FROM lineage_events WHERE run_id != ?`, "", said["START"])
}

func wantEvents(t *testing.T, store *clickhouse.Store, what, query, argument string, want int) {
	t.Helper()
	var n uint64
	ask(t, store, query, []any{argument}, &n)
	t.Logf("%s: said %d, stored %d", what, want, n)
	if want == 0 || int(n) != want {
		t.Errorf("%s: the client says %d; the store holds %d", what, want, n)
	}
}
