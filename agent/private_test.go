package agent_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// outcomes gives the parts of joined labels that arrived.
func outcomes(t testing.TB, r *otlptest.Receiver) []*signal.Distribution {
	t.Helper()
	var out []*signal.Distribution
	for _, e := range r.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		if d.Target == signal.TargetOutcomes {
			out = append(out, d)
		}
	}
	return out
}

func postLabels(t testing.TB, base, media, body string) (int, string) {
	t.Helper()
	resp, err := client.Post(base+"/v1/labels", media, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// Where nothing about single persons may leave, counts do: labels are joined in
// the agent, groups come from a header, and ids are hashed on its disk.
func TestLabelsAreJoinedInTheAgentAndOnlyCountsLeave(t *testing.T) {
	server := startModelServer(t, scored)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	folder := t.TempDir()
	keyFile := filepath.Join(folder, "key")
	if err := os.WriteFile(keyFile, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &c.Models[0]
	m.Baseline = writeBaseline(t, scoredBaseline())
	m.Outcome = agentconfig.Outcome{} // the baseline's
	m.Protected = []agentconfig.Protected{{Attribute: "gender", From: agentconfig.Origin{Header: "X-Group"}}}
	m.Labels = agentconfig.Labels{Join: true, Horizon: config.Duration(2 * time.Second)}
	m.Privacy = agentconfig.Privacy{Hash: agentconfig.Hash{IDs: true, KeyFile: keyFile}}
	c.Window.MinCell = 1
	c.Window.Length = config.Duration(time.Second)
	a := startAgent(t, c, nil)
	const inputs = `"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[3.5,1]}]`
	named(t, "http://"+a.Addr(), `{"id":"secret-17",`+inputs+`}`, "X-Group", "female")
	named(t, "http://"+a.Addr(), `{"id":"secret-18",`+inputs+`}`)
	status, answer := postLabels(t, "http://"+a.AdminAddr(), "application/x-ndjson",
		`{"id":"secret-17","label":"1"}`+"\n"+`{"id":"secret-17","row":1,"label":1}`+"\n"+`{"id":"secret-18#1","label":"0"}`+"\n"+`{"system":"other","id":"x","label":1}`)
	if status != http.StatusOK || !strings.Contains(answer, `"accepted":3`) || !strings.Contains(answer, `"refused":1`) {
		t.Fatalf("%d %s", status, answer)
	}
	whole := &signal.Cohort{}
	otlptest.Eventually(t, "the counts of four rows", func() bool {
		whole = nil
		for _, d := range outcomes(t, receiver) { // the requests may fall into two windows
			if whole == nil {
				whole = d.Outcomes.Blank()
			}
			if err := whole.Merge(d.Outcomes); err != nil {
				t.Fatal(err)
			}
		}
		return whole != nil && whole.All.Predictions >= 4
	})
	all := whole.All
	if all.Predictions != 4 || all.Labelled != 3 || all.Confusion.TruePositive != 1 || all.Confusion.FalseNegative != 1 || all.Confusion.TrueNegative != 1 {
		t.Errorf("%+v", all)
	}
	if groups := whole.Attributes; len(groups) != 1 || groups[0].Attribute != "gender" || len(groups[0].Groups) != 2 ||
		groups[0].Groups[1].Group != "female" || groups[0].Groups[1].Labelled != 2 || groups[0].Groups[0].Group != signal.GroupUnknown {
		t.Errorf("groups %+v", groups)
	}
	if events := receiver.Events(signal.EventPrediction); len(events) != 0 {
		t.Errorf("%d predictions left", len(events))
	}
	if _, page := get(t, a, "/metrics"); !strings.Contains(page, `evenkeel_join_label{`) || !strings.Contains(page, `evenkeel_join_told{`) {
		t.Error("the join is not shown")
	}
	if status, answer := postLabels(t, "http://"+a.AdminAddr(), "text/plain", "x"); status != http.StatusUnsupportedMediaType {
		t.Errorf("%d %s", status, answer)
	}
}

// What is dropped is in no window, what is hashed leaves as a digest, and groups
// of a file are those of the file as it is now.
func TestPrivacyIsAppliedBeforeAnythingIsCounted(t *testing.T) {
	server := startModelServer(t, scored)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	folder := t.TempDir()
	file := filepath.Join(folder, "groups.csv")
	if err := os.WriteFile(file, []byte("person,region\n7,north\n8,south\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &c.Models[0]
	m.Baseline = ""
	m.Protected = []agentconfig.Protected{{Attribute: "region", From: agentconfig.Origin{File: file, ID: "person"}}}
	m.Privacy = agentconfig.Privacy{Drop: []signal.FeatureName{"person"}}
	c.Window.MinCell = 1
	c.Window.Count = 2
	a := startAgent(t, c, nil)
	body := `{"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[3.5,1]},{"name":"person","shape":[2],"datatype":"INT64","data":[7,8]}]}`
	named(t, "http://"+a.Addr(), body)
	otlptest.Eventually(t, "a window", func() bool { return len(receiver.Events(signal.EventWindowProfile)) > 0 })
	seen := map[signal.FeatureName]*signal.Distribution{}
	for _, e := range receiver.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		if d.Target == signal.TargetGroup || d.Feature == "person" {
			seen[d.Feature] = d
		}
	}
	if seen["person"] != nil {
		t.Error("a dropped column was counted")
	}
	if g := seen["region"]; g == nil || len(g.Groups) != 2 || g.Groups[0].Group != "north" || g.Groups[0].Favourable != 1 || g.Groups[1].Group != "south" {
		t.Errorf("groups %+v", g)
	}
}
