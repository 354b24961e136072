package e2e

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/demo/ports"
)

// Where single predictions may not leave, the agent joins them with their labels
// itself, and the collector scores what was counted: the cohorts hold every
// labelled row once, error rates by group among them, and no row of a single
// person is in the store.
func TestLabelsJoinedInTheAgentAreScored(t *testing.T) {
	m, admin := startJoined(t)
	s := m.stream(t)
	for batch := range 6 {
		for i := range 20 {
			s.joined(t, m, admin, fmt.Sprintf("joined-%d-%d", batch, i))
		}
	}
	var found, right float64
	same := func(x float64) float64 { return x }
	eventually(t, 60*time.Second, "all labelled rows are in cohorts", func() bool {
		found, right = m.total(t, loanModel, "accuracy", same)
		return int(found) >= s.rows[loanModel]
	})
	if int(found) != s.rows[loanModel] || math.Abs(right-float64(s.right[loanModel])) > 1e-6*right {
		t.Errorf("the cohorts hold %v rows, %v of them right; sent were %d and %d", found, right, s.rows[loanModel], s.right[loanModel])
	}
	const byGroup = `count(last_over_time(evenkeel_fairness_disparity{evenkeel_fairness_metric="equalized_odds", evenkeel_protected_attribute=%q}[10m]))`
	for _, attribute := range []string{"gender", "gender x region"} {
		if len(m.query(t, fmt.Sprintf(byGroup, attribute))) == 0 {
			t.Errorf("no error rates by %s", attribute)
		}
	}
	if n := m.counter(t, "evenkeel_ingest_predictions"); n > 0 {
		t.Errorf("%d predictions left the agent", n)
	}
}

// startJoined starts a collector and one agent that joins labels, and gives the
// address of the agent's admin port.
func startJoined(t *testing.T) (m *measured, admin string) {
	t.Helper()
	folder := t.TempDir()
	loan, _, _ := writeReference(t, folder)
	baseline := filepath.Join(folder, "loan.json")
	run(t, "evenkeel", "baseline", "build", "--input", loan, "--output", baseline, "--model", loanModel, "--version", "1",
		"--outcome", "approved", "--favourable", "yes", "--protected", "gender,region", "--reference", "gender=male", "--reference", "region=north",
		"--intersect", "--predictions", "probability", "--label", "repaid", "--score", "probability")
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	m = &measured{api: "http://" + ports.Addr(free.API)}
	m.startCollector(t, folder, free)
	at := filepath.Join(folder, "agent")
	m.runAgent(t, at, free, map[string]any{
		"upstream": newModelServer(t).URL, "window": map[string]any{"length": "1s", "min_cell": 1},
		"export": map[string]any{"endpoint": "http://" + ports.Addr(free.HTTP), "metrics_every": "1s"},
		"models": []any{map[string]any{
			"name": loanModel, "baseline": baseline, "labels": map[string]any{"join": true, "horizon": "3s"},
			"protected":     []any{map[string]any{"attribute": "gender"}, map[string]any{"attribute": "region"}},
			"intersections": [][]string{{"gender", "region"}},
		}},
	})
	return m, "http://" + ports.Addr(free.Admin)
}

// joined asks for several people and tells the agent, not the collector, how they
// turned out.
func (s *stream) joined(t *testing.T, m *measured, admin, id string) {
	t.Helper()
	people := make([]person, 4+s.random.IntN(5))
	var lines strings.Builder
	for j := range people {
		people[j] = s.people.person()
		fmt.Fprintf(&lines, `{"id":"%s#%d","label":%q}`+"\n", id, j, yesNo(people[j].repaid))
		s.count(loanModel, people[j].repaid == people[j].approved, 0)
	}
	infer3(t, m.agents[0], loanModel, modelserver.Request{ID: id, Inputs: loanInputs(people, s.random)})
	post(t, admin+"/v1/labels", []byte(lines.String()))
}
