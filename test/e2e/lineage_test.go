package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/signal"
)

// originOf is what the collector answers about one prediction.
type originOf struct {
	Run         string
	DeclaredRun string `json:"declared_run"`
	Baseline    string
	Digests     []struct{ Part, Digest string }
	Windows     []struct {
		Window  string
		Lineage []signal.LineageCount
	}
	TrainingData []struct{ ID string } `json:"training_data"`
	Unknown      []string
}

const deployRun = "01890a5d-ac96-774b-bcce-b302099a8002"

// From a request's id to what stood behind its answer: the real agent takes the
// digests, the real collector stores them, and the command line gives them back,
// with the training data of a pipeline that told its own lineage.
func TestAPredictionLeadsToWhatStoodBehindIt(t *testing.T) {
	folder := t.TempDir()
	loan, _, _ := writeReference(t, folder)
	baseline, model := filepath.Join(folder, "loan.json"), filepath.Join(folder, "model.bin")
	run(t, "evenkeel", "baseline", "build", "--input", loan, "--output", baseline, "--model", loanModel, "--version", "1",
		"--outcome", "approved", "--favourable", "yes", "--predictions", "probability", "--label", "repaid", "--score", "probability")
	if err := os.WriteFile(model, []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	m := &measured{api: "http://" + ports.Addr(free.API)}
	m.startCollector(t, folder, free)
	deployed := filepath.Join(folder, "deploy.json")
	if err := os.WriteFile(deployed, fmt.Appendf(nil, `{"eventType":"COMPLETE","eventTime":%q,"producer":"p","schemaURL":"s",
		"run":{"runId":%q},"job":{"namespace":"argo","name":"deploy"},"inputs":[{"namespace":"s3://lake","name":"loans"}]}`,
		time.Now().UTC().Format(time.RFC3339), deployRun), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "evenkeel", "lineage", "send", deployed, "--server", m.api)
	m.runAgent(t, filepath.Join(folder, "agent"), free, map[string]any{
		"upstream": newModelServer(t).URL, "window": map[string]any{"length": "1d", "count": 5, "min_cell": 1},
		"export": map[string]any{"endpoint": "http://" + ports.Addr(free.HTTP), "metrics_every": "1s"},
		"models": []any{map[string]any{
			"name": loanModel, "baseline": baseline, "predictions": map[string]any{"send": true},
			"digests":     map[string]any{"model": map[string]any{"file": model}, "transform": map[string]any{"literal": "features-7"}},
			"lineage_run": map[string]any{"literal": deployRun},
		}},
	})
	s := m.stream(t)
	for i := range 5 {
		infer3(t, m.agents[0], loanModel, modelserver.Request{ID: fmt.Sprint("asked-", i), Inputs: loanInputs([]person{s.people.person()}, s.random)})
	}
	eventually(t, 60*time.Second, "the last prediction, its window and the counts are stored", func() bool {
		o, found := traced(t, m.api, "asked-4")
		return found && len(o.Windows) == 1 && figureAt(t, "http://"+ports.Addr(free.Admin), "evenkeel_lineage_prediction_count", `state="complete"`) == 5 &&
			len(m.query(t, `evenkeel_lineage_prediction_count{evenkeel_lineage_state="complete"} == 5`)) == 1
	})
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("weights")))
	o, _ := traced(t, m.api, "asked-4")
	if want := []struct{ Part, Digest string }{{"model", digest}, {"transform", "features-7"}}; !slices.Equal(o.Digests, want) {
		t.Errorf("digests %v, want %v", o.Digests, want)
	}
	if o.DeclaredRun != "run:"+deployRun || o.Run == "" || o.Run == o.DeclaredRun || o.Baseline == "" || len(o.Unknown) != 0 {
		t.Errorf("%+v", o)
	}
	if len(o.TrainingData) != 1 || o.TrainingData[0].ID != "dataset:s3://lake#loans" {
		t.Errorf("training data %v", o.TrainingData)
	}
	counts := o.Windows[0].Lineage
	if len(counts) != 3 || counts[0].Part != signal.PartModel || counts[0].Value != digest || counts[0].Requests != 5 {
		t.Errorf("the window says %v", counts)
	}
}

// traced asks the command line what stood behind a request's answer.
func traced(t *testing.T, api, id string) (o originOf, found bool) {
	t.Helper()
	out, err := exec.Command(program("evenkeel"), "lineage", "of", id, "--system", measuredSystem, "--server", api, "--json").Output()
	if err != nil {
		return o, false
	}
	var answer struct{ Predictions []originOf }
	if err := json.Unmarshal(out, &answer); err != nil || len(answer.Predictions) != 1 {
		t.Fatalf("%s, %v", out, err)
	}
	return answer.Predictions[0], true
}
