package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// longFile writes a reference of many rows and gives options to build from it.
func longFile(t *testing.T) buildOptions {
	t.Helper()
	folder := t.TempDir()
	o := buildOptions{input: input{path: filepath.Join(folder, "long.csv")}, output: filepath.Join(folder, "baseline.json"), schema: defaultSchema()}
	o.schema.Model.Name = "m"
	if err := os.WriteFile(o.input.path, []byte("x\n"+strings.Repeat("1\n2\n3\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestInterruptWritesNothing(t *testing.T) {
	o := longFile(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := buildBaseline(ctx, o, io.Discard, io.Discard)
	if err == nil || err.Error() != "interrupted; nothing was written" {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(o.output)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// A bar appears only where reading takes long, counts both passes, and is
// wiped away.
func TestProgressBar(t *testing.T) {
	o := longFile(t)
	file, err := os.Open(o.input.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var terminal bytes.Buffer
	p := newProgress(context.Background(), &terminal, file)
	if p.out != nil {
		t.Fatal("a buffer is taken for a terminal")
	}
	p.out = &terminal
	p.passes = 1
	if err := p.at(100); err != nil || terminal.Len() > 0 {
		t.Errorf("at once: %q, %v", terminal.String(), err)
	}
	p.begun = p.begun.Add(-time.Minute)
	p.passes = 2
	if err := p.at(p.size / 2); err != nil || !strings.Contains(terminal.String(), "[======================        ]  75%") {
		t.Errorf("half of the second pass: %q, %v", terminal.String(), err)
	}
	p.clear()
	p.clear()
	if !strings.HasSuffix(terminal.String(), "75%\r\x1b[K") {
		t.Errorf("not wiped away once: %q", terminal.String())
	}
}

func TestParseRows(t *testing.T) {
	for s, want := range map[string][2]int{"0:10": {0, 10}, "5:": {5, 0}, ":7": {0, 7}} {
		from, to, err := parseRows(s)
		if err != nil || [2]int{from, to} != want {
			t.Errorf("%q: %d, %d, %v", s, from, to, err)
		}
	}
	for _, s := range []string{"", ":", "7", "-1:3", "3:3", "0:0", "4:x", "1:2:3"} {
		if _, _, err := parseRows(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}
