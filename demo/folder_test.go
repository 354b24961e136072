package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func testSettings(folder string) *settings {
	o := DefaultOptions()
	return &settings{
		Folder: folder, Ports: ports.Default(), System: "loan-approval", Model: `a "quoted": model`,
		Upstream: "http://127.0.0.1:1", Export: "http://127.0.0.1:2", Webhook: "http://127.0.0.1:3",
		Outcome: newLoanStory(1).Outcome(), Window: config.Duration(o.Window), Slot: config.Duration(o.slot()),
		Grace: config.Duration(o.Window), MinSamples: o.minSamples(),
	}
}

// What the demo writes is what the programs read.
func TestFilesLoadWhereTheyAreMeantFor(t *testing.T) {
	s := testSettings(t.TempDir())
	baseline, err := newLoanStory(1).Baseline()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writeFiles(baseline); err != nil {
		t.Fatal(err)
	}
	c, err := agentconfig.Load(filepath.Join(s.Folder, "agent.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Models[0].Name != s.Model || c.Models[0].Protected[0].Attribute != "gender" || c.Models[0].Outcome.Favourable.Values[0] != "1" {
		t.Errorf("agent's models %+v", c.Models)
	}
	if c.Listen != "127.0.0.1:9001" || c.Admin.Listen != "127.0.0.1:9464" || c.Export.Endpoint != s.Export || c.Window.Length != s.Window {
		t.Errorf("agent's configuration %+v", c)
	}
	raw, err := os.ReadFile(c.Models[0].Baseline)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := baseline.Digest()
	if err != nil || canonical.Sum(raw) != string(digest) {
		t.Errorf("the baseline's file has another digest than the baseline, %v", err)
	}
	info, err := os.Stat(filepath.Join(s.Folder, "collector.yaml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("collector.yaml: %v, %v", info.Mode(), err)
	}
	collector, err := s.render("collector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`url: "http://127.0.0.1:3"`, "listen: 127.0.0.1:42001", s.Folder + "/overrides.yaml"} {
		if !strings.Contains(string(collector), want) {
			t.Errorf("collector.yaml lacks %s:\n%s", want, collector)
		}
	}
}

func TestAgentFileWithoutGroups(t *testing.T) {
	s := testSettings(t.TempDir())
	s.Outcome = Outcome{Output: "class"}
	raw, err := s.render("agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := agentconfig.Default()
	if err := config.Decode("agent.yaml", raw, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate("agent.yaml"); err != nil {
		t.Errorf("%v in\n%s", err, raw)
	}
	if len(c.Models[0].Protected) != 0 || c.Models[0].Outcome.Output != "" {
		t.Errorf("models %+v", c.Models)
	}
}

// The overrides shorten the shipped rules, and nothing else of them.
func TestOverridesApplyToTheShippedRules(t *testing.T) {
	s := testSettings(t.TempDir())
	raw, err := s.render("overrides.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Folder, "overrides.yaml")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load(rules.Options{Overrides: path})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []signal.RuleID{"DRF-01", "FAI-02"} {
		r := set.Rule(signal.SystemID(s.System), id)
		if r == nil || r.Method.Window != s.Slot || r.Method.MinSamples != uint64(s.MinSamples) {
			t.Errorf("%s: %+v", id, r)
		}
	}
}
