package rules

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

var update = flag.Bool("update", false, "write golden files again")

func TestShippedPacks(t *testing.T) {
	set, err := Load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]string{
		"DQ": "data-quality", "DRF": "drift", "FAI": "fairness", "GOV": "governance", "HUM": "human-oversight", "LIN": "lineage",
		"LLM": "language-models", "LOG": "logging", "OPS": "operations", "PRF": "performance",
	}
	for _, r := range set.Rules() {
		family, _, _ := strings.Cut(string(r.ID), "-")
		if groups[family] != r.Group() {
			t.Errorf("%s is in the pack of %s", r.ID, r.Group())
		}
		if r.Runbook != "docs/runbooks/"+string(r.ID)+".md" || r.Description == "" {
			t.Errorf("%s has the runbook %q and the description %q", r.ID, r.Runbook, r.Description)
		}
	}
	drift := set.Rule("any", "DRF-01")
	if drift.Fail.String() != "> 0.25" || drift.Warn.String() != "> 0.1" || drift.For.Evaluations(drift.Step()) != 2 ||
		drift.Method.Window.Std() != time.Hour || drift.Method.MinSamples != 1000 || !drift.Windowed() {
		t.Errorf("DRF-01: %+v", drift)
	}
	fair := set.Rule("any", "FAI-02")
	if fair.Decide != Confident || fair.Fail.String() != "outside [-0.1, 0.1]" || fair.Lower == "" || fair.Upper == "" {
		t.Errorf("FAI-02: %+v", fair)
	}
	silence := set.Rule("any", "LOG-02")
	if silence.Windowed() || silence.Step() != 15*time.Second || silence.NoData.Opens != OpensNonconformity ||
		silence.NoData.After.Evaluations(silence.Step()) != 21 {
		t.Errorf("LOG-02: %+v", silence)
	}
	if got := set.Lengths("any"); !slices.Equal(got, []time.Duration{time.Hour, 24 * time.Hour, month}) {
		t.Errorf("lengths: %v", got)
	}
	if got := set.Cohorts("any"); !slices.Equal(got, []time.Duration{7 * 24 * time.Hour, month}) {
		t.Errorf("cohorts: %v", got)
	}
}

func TestOverridesChangeOnlyTheirSystem(t *testing.T) {
	file := write(t, "overrides.yaml", `overrides:
  - {system: loan-approval, rule: DRF-01, window: 10s, for: 1 windows, fail: "> 0.3", min_samples: 100, no_data: {after: 6 windows}}
  - {system: loan-approval, rule: LOG-02, every: 1s}
`)
	set, err := Load(Options{Overrides: file})
	if err != nil {
		t.Fatal(err)
	}
	own, other := set.Rule("loan-approval", "DRF-01"), set.Rule("other", "DRF-01")
	if own.Method.Window.Std() != 10*time.Second || own.For.String() != "1 window" || own.Fail.String() != "> 0.3" ||
		own.Warn.String() != "> 0.1" || own.Method.MinSamples != 100 || own.NoData.After.String() != "6 windows" ||
		own.NoData.Opens != OpensObservation {
		t.Errorf("overridden: %+v", own.Rule)
	}
	if got := strings.Join(own.Overridden, " "); got != "fail for min_samples no_data window" {
		t.Errorf("keys: %s", got)
	}
	if other.Method.Window.Std() != time.Hour || other.Digest == own.Digest || len(other.Overridden) != 0 {
		t.Errorf("the pack was touched: %+v", other)
	}
	if same := set.Rule("loan-approval", "FAI-02"); same.Digest != set.Rule("other", "FAI-02").Digest {
		t.Error("a rule without override has another digest")
	}
	if got := set.Overridden(); len(got) != 1 || got[0] != "loan-approval" {
		t.Errorf("overridden systems: %v", got)
	}
}

// The golden file holds every fault as people read it.
func TestFaultsNameTheirPlace(t *testing.T) {
	for _, name := range []string{"faults", "faults_yaml"} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(Options{
				Packs: []string{"iso42001-drift", "iso42001-dirft"},
				Files: []string{"testdata/" + name + ".yaml"}, Overrides: "testdata/faults_overrides.yaml",
				Expression: func(e string) error {
					if strings.Contains(e, "sum(") {
						return errors.New("1:5: unclosed left parenthesis")
					}
					return nil
				},
			})
			if errs.KindOf(err) != errs.Invalid {
				t.Fatalf("kind of %v", err)
			}
			golden(t, "testdata/"+name+".golden", err.Error()+"\n")
		})
	}
}

func TestDigestFollowsTheContent(t *testing.T) {
	pack, err := packs.ReadFile("packs/iso42001-drift.yaml")
	if err != nil {
		t.Fatal(err)
	}
	digest := func(text string) signal.Digest {
		found, faults := decodePack("p.yaml", []byte(text), nil)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		return newEffective(found[0].Rule, nil).Digest
	}
	same := strings.Replace(string(pack), `fail: "> 0.25"`, `fail: ">   0.250"`, 1)
	if digest(string(pack)) != digest(same) {
		t.Error("the same limit, written otherwise, has another digest")
	}
	other := strings.Replace(string(pack), `fail: "> 0.25"`, `fail: ">= 0.25"`, 1)
	if digest(string(pack)) == digest(other) {
		t.Error("another limit has the same digest")
	}
}

// What clause 9.1 asks for is taken out of a good rule, one at a time.
func TestEveryRequiredKeyIsRequired(t *testing.T) {
	pack, err := packs.ReadFile("packs/iso42001-fairness.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"title", "monitors", "method", "expr", "samples", "subject", "fail", "evaluate", "analysed", "responsible", "on_fail", "refs"} {
		var kept []string
		skip := false
		for _, l := range strings.Split(string(pack), "\n") {
			if strings.HasPrefix(l, "    "+line+":") {
				skip = true
				continue
			}
			skip = skip && strings.HasPrefix(l, "     ")
			if !skip {
				kept = append(kept, l)
			}
		}
		_, faults := decodePack("p.yaml", []byte(strings.Join(kept, "\n")), nil)
		if len(faults) == 0 {
			t.Errorf("without %s the rule still loads", line)
		}
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (run with -update and look at the change)\n%s", file, got)
	}
}
