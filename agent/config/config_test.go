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
		{Outcome{Output: "o"}, false},
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
