package e2e

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/demo/ports"
)

// Requests and windows that an agent tells as spans, and what an evaluator says to
// it, reach the store of a real collector: nothing is refused, and the collector
// takes as many records of traces as the agent has sent spans.
func TestSpansReachTheCollector(t *testing.T) {
	folder := t.TempDir()
	loan, _, _ := writeReference(t, folder)
	baseline := filepath.Join(folder, "loan.json")
	run(t, "evenkeel", "baseline", "build", "--input", loan, "--output", baseline, "--model", loanModel, "--version", "1",
		"--outcome", "approved", "--favourable", "yes", "--predictions", "probability", "--label", "repaid", "--score", "probability")
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	m := &measured{api: "http://" + ports.Addr(free.API)}
	m.startCollector(t, folder, free)
	m.runAgent(t, filepath.Join(folder, "agent"), free, map[string]any{
		"upstream": newModelServer(t).URL, "window": map[string]any{"length": "1s", "min_cell": 1},
		"export":      map[string]any{"endpoint": "http://" + ports.Addr(free.HTTP), "metrics_every": "1s"},
		"spans":       map[string]any{"send": true, "rate": 1, "every": "500ms"},
		"evaluations": map[string]any{"accept": true},
		"models":      []any{map[string]any{"name": loanModel, "baseline": baseline}},
	})
	admin := "http://" + ports.Addr(free.Admin)
	s := m.stream(t)
	const requests = 40
	for i := range requests {
		infer3(t, m.agents[0], loanModel, modelserver.Request{ID: fmt.Sprint("traced-", i), Inputs: loanInputs([]person{s.people.person()}, s.random)})
	}
	post(t, admin+"/v1/evaluations", []byte(`{"id":"traced-1","name":"fairness","score":1,"label":"pass"}`))
	var sent, stored float64
	eventually(t, 60*time.Second, "all spans are in the collector", func() bool {
		sent = figureAt(t, admin, "evenkeel_export_span_sent")
		stored = figureAt(t, m.api, "evenkeel_ingest_records", `signal="traces"`)
		return sent > requests && stored >= sent // and one for each window
	})
	for _, lost := range []string{"evenkeel_export_span_lost", "evenkeel_export_rejected", "evenkeel_export_quarantined"} {
		if n := figureAt(t, admin, lost); n != 0 {
			t.Errorf("%s is %v", lost, n)
		}
	}
	if n := figureAt(t, m.api, "evenkeel_insert_rejected"); n != 0 {
		t.Errorf("the store has not taken %v batches", n)
	}
	eventually(t, 30*time.Second, "the evaluation is shown", func() bool { return figureAt(t, admin, "evenkeel_llm_evaluation_count") == 1 })
}

// figureAt adds up the samples of a metric that hold some labels.
func figureAt(t *testing.T, base, name string, labels ...string) (sum float64) {
	t.Helper()
	resp, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
next:
	for line := range strings.SplitSeq(string(page), "\n") {
		if !strings.HasPrefix(line, name+"{") && !strings.HasPrefix(line, name+" ") {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(line, l) {
				continue next
			}
		}
		var v float64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v); err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}
