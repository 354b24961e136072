package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/errs"
)

type inner struct {
	Endpoint string   `yaml:"endpoint"`
	Timeout  Duration `yaml:"timeout"`
	Max      Bytes    `yaml:"max"`
}

type sample struct {
	Name   string  `yaml:"name"`
	Export inner   `yaml:"export"`
	List   []inner `yaml:"list"`
}

func TestDecodeKeepsDefaults(t *testing.T) {
	c := sample{Name: "default", Export: inner{Timeout: Duration(time.Second)}}
	if err := Decode("c.yaml", []byte("export: {endpoint: here, max: 2MiB}"), &c); err != nil {
		t.Fatal(err)
	}
	want := inner{Endpoint: "here", Timeout: Duration(time.Second), Max: 2 << 20}
	if c.Name != "default" || c.Export != want {
		t.Errorf("got %+v", c)
	}
	if err := Decode("c.yaml", nil, &c); err != nil {
		t.Errorf("an empty file leaves the defaults, got %v", err)
	}
}

func TestDecodeNamesPlaceAndCure(t *testing.T) {
	for _, tc := range []struct{ name, yaml, want string }{
		{"misspelt", "name: x\nexport: {endpiont: y}", `c.yaml:2: unknown key "endpiont"; did you mean "endpoint"?`},
		{"unknown", "colour: red", `c.yaml:1: unknown key "colour"; known here: name, export, list`},
		{"misspelt in list", "list:\n  - max: 1\n    timout: 1s", `c.yaml:3: unknown key "timout"; did you mean "timeout"?`},
		{"bad size", "export: {max: many}", `c.yaml:1: "many" is not a size; write for example 64MiB`},
		{"bad duration", "export:\n  timeout: soon", `c.yaml:2: "soon" is not a duration; write for example 30s, 1h or 7d`},
		{"not yaml", "a: b: c", "c.yaml: not valid YAML"},
		{"not yaml, further down", "name: x\nexport: [", "c.yaml:2: not valid YAML"},
		{"two documents", "name: a\n---\nname: b", "c.yaml: more than one YAML document"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Decode("c.yaml", []byte(tc.yaml), new(sample))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestFaultsCarryTheirPath(t *testing.T) {
	f := NewFaults("c.yaml")
	if f.Err() != nil {
		t.Error("no fault, yet an error")
	}
	f.At("export").At("list").Index(2).At("max").Add("%d is too small", 1)
	f.Add("empty")
	want := "c.yaml: export.list[2].max: 1 is too small\nc.yaml: empty"
	if got := f.Err(); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
}

func TestResolveIsRelativeToTheFile(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	relative, absolute, home, empty := "tokens", "/etc/tokens", "~/tokens", ""
	if err := Resolve("/etc/evenkeel", &relative, &absolute, &home, &empty); err != nil {
		t.Fatal(err)
	}
	got := [4]string{relative, absolute, home, empty}
	if want := [4]string{"/etc/evenkeel/tokens", "/etc/tokens", "/home/somebody/tokens", ""}; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnitsReadWhatTheyWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "nanoseconds"))
		back, err := ParseDuration(d.String())
		if err != nil || back != d {
			t.Fatalf("%d wrote %q, read back %d, %v", d, d.String(), back, err)
		}
	})
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Second: "10s", 24 * time.Hour: "1d",
		30 * 24 * time.Hour: "30d", time.Minute: "1m", 0: "0s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	for b, want := range map[Bytes]string{0: "0B", 1: "1B", 1 << 10: "1KiB", 64 << 20: "64MiB", 1<<20 + 1: "1048577B"} {
		if b.String() != want {
			t.Errorf("%d: got %q, want %q", b, b.String(), want)
		}
	}
}

// Exit codes follow from these kinds.
func TestFaultsHaveKinds(t *testing.T) {
	folder := t.TempDir()
	misspelt := filepath.Join(folder, "misspelt.yaml")
	if err := os.WriteFile(misspelt, []byte("nmae: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	faults := NewFaults("c.yaml")
	faults.At("name").Add("is empty")
	absent := filepath.Join(folder, "absent.yaml")
	for _, tc := range []struct {
		name string
		err  error
		kind errs.Kind
		want string
	}{
		{"no file", Load(absent, new(sample)), errs.NotFound, "read configuration: open " + absent + ": no such file or directory"},
		{"a folder", Load(folder, new(sample)), errs.Other, "read configuration: read " + folder + ": is a directory"},
		{"misspelt", Load(misspelt, new(sample)), errs.Invalid, misspelt + `:1: unknown key "nmae"; did you mean "name"?`},
		{"two documents", Decode("c.yaml", []byte("name: a\n---\nname: b"), new(sample)), errs.Invalid, "c.yaml: more than one YAML document; one file holds one"},
		{"not valid", faults.Err(), errs.Invalid, "c.yaml: name: is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.err == nil || errs.KindOf(tc.err) != tc.kind || tc.err.Error() != tc.want {
				t.Errorf("got %q of kind %d, want %q of kind %d", tc.err, errs.KindOf(tc.err), tc.want, tc.kind)
			}
		})
	}
}
