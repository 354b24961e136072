package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if that is meant, run go test -update\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestDefaultAsYAML(t *testing.T) {
	raw, err := yaml.Marshal(Default())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "default.golden.yaml", string(raw))
}

// The printed defaults, with the two things only the user knows, load and give
// the defaults again: nothing is lost between writing and reading.
func TestDefaultReadsBack(t *testing.T) {
	raw, err := os.ReadFile("testdata/default.golden.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "system: \"\"", "system: loans", 1)
	text = strings.Replace(text, "models: []", "models: [{name: m}]", 1)
	text = strings.Replace(text, "~/.local", "/var", 1)
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	c.System, c.Models, c.State = "", []Model{}, Default().State
	got, _ := yaml.Marshal(c)
	if string(got) != string(raw) {
		t.Errorf("got:\n%s\nwant:\n%s", got, raw)
	}
}

func TestEveryFaultIsReportedWithItsPath(t *testing.T) {
	_, err := Load("testdata/faults.yaml")
	if err == nil {
		t.Fatal("a file full of faults loaded")
	}
	golden(t, "faults.golden.txt", err.Error()+"\n")
}

func TestUnknownKeyIsExplained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte("system: a\nupstraem: http://x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if want := path + `:2: unknown key "upstraem"; did you mean "upstream"?`; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("HOME", "/home/somebody")
	path := filepath.Join(folder, "agent.yaml")
	text := "system: s\nmodels: [{name: m, baseline: b/m.json}]\nexport: {token_file: /run/token}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.Models[0].Baseline:     filepath.Join(folder, "b/m.json"),
		c.Export.TokenFile:       "/run/token",
		c.State:                  "/home/somebody/.local/state/evenkeel-agent",
		c.Export.TLS.CAFile:      "",
		string(c.Instance):       "",
		c.Models[0].Name:         "m",
		string(c.System):         "s",
		c.Window.Length.String(): "1m",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAdminPortFacesTheNetworkOnlyWhenAsked(t *testing.T) {
	c := Default()
	c.System, c.Models = "s", []Model{{Name: "m", Protected: []Protected{}}}
	for addr, loopback := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "127.9.9.9:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "example.org:1": false,
	} {
		c.Admin.Listen, c.Metrics.AllowRemote = addr, false
		if got := c.Validate("f") == nil; got != loopback {
			t.Errorf("%s without allow_remote: valid %v, want %v", addr, got, loopback)
		}
		c.Metrics.AllowRemote = true
		if err := c.Validate("f"); err != nil {
			t.Errorf("%s with allow_remote: %v", addr, err)
		}
	}
}

func TestFavourableIsOneOfTwo(t *testing.T) {
	half := 0.5
	for _, test := range []struct {
		outcome Outcome
		ok      bool
	}{
		{Outcome{}, true},
		{Outcome{Output: "o", Favourable: Favourable{Values: []string{"1"}}}, true},
		{Outcome{Output: "o", Favourable: Favourable{AtLeast: &half}}, true},
		{Outcome{Output: "o"}, true}, // a regression, or classes
		{Outcome{Output: "o", Score: "p"}, true},
		{Outcome{Score: "p"}, false},
		{Outcome{Output: "p", Score: "p", Favourable: Favourable{AtLeast: &half}}, true},
		{Outcome{Output: "p", Score: "p", Favourable: Favourable{Values: []string{"1"}}}, false},
		{Outcome{Favourable: Favourable{AtLeast: &half}}, false},
		{Outcome{Output: "o", Favourable: Favourable{Values: []string{"1"}, AtLeast: &half}}, false},
	} {
		c := Default()
		c.System, c.Models = "s", []Model{{Name: "m", Outcome: test.outcome}}
		if err := c.Validate("f"); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test.outcome, err)
		}
	}
}

// Groups need a favourable side, of the configuration or of the baseline, which
// only the agent reads.
func TestGroupsNeedAFavourableSide(t *testing.T) {
	for _, test := range []struct {
		outcome  Outcome
		baseline string
		ok       bool
	}{
		{Outcome{}, "", false},
		{Outcome{Output: "o"}, "", false},
		{Outcome{Output: "o", Favourable: Favourable{Values: []string{"1"}}}, "", true},
		{Outcome{}, "b.json", true},
		{Outcome{Output: "o"}, "b.json", true},
	} {
		c := Default()
		c.System = "s"
		c.Models = []Model{{Name: "m", Baseline: test.baseline, Outcome: test.outcome, Protected: []Protected{{Attribute: "gender"}}}}
		if err := c.Validate("f"); (err == nil) != test.ok {
			t.Errorf("%+v with baseline %q: %v", test.outcome, test.baseline, err)
		}
	}
}

func TestFavourableAgrees(t *testing.T) {
	half, other := 0.5, 0.25
	values := func(v ...string) Favourable { return Favourable{Values: v} }
	for _, test := range []struct {
		a, b Favourable
		want bool
	}{
		{values("1"), values("1"), true},
		{values("1"), values("1.0", "true"), true},
		{values("yes", "1"), values("1", "yes"), true},
		{values("yes"), values("Yes"), false},
		{values("1"), values("1", "2"), false},
		{values("1", "2"), values("1"), false},
		{values("1"), Favourable{AtLeast: &half}, false},
		{Favourable{AtLeast: &half}, Favourable{AtLeast: new(0.5)}, true},
		{Favourable{AtLeast: &half}, Favourable{AtLeast: &other}, false},
	} {
		if test.a.Agrees(test.b) != test.want || test.b.Agrees(test.a) != test.want {
			t.Errorf("%+v and %+v: want agreement %v", test.a, test.b, test.want)
		}
	}
}

func TestSampleIsAllUnlessGiven(t *testing.T) {
	for text, want := range map[string]float64{"{}": 1, "{rate: null}": 1, "{rate: 0.25}": 0.25, "{rate: 1}": 1} {
		var s Sample
		if err := yaml.Unmarshal([]byte(text), &s); err != nil || s.Share() != want {
			t.Errorf("%s: %v, %v, want %v", text, s.Share(), err, want)
		}
	}
}
