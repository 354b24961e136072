package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// reference is the page of the command line, which is the help that the
// commands give, below a head of its own.
const (
	reference     = "../../docs/reference/cli.md"
	referenceHead = "testdata/cli_head.md"
)

func TestReferenceIsTheHelp(t *testing.T) {
	head, err := os.ReadFile(referenceHead)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	page.Write(head)
	for _, path := range commandPaths(newRoot(), nil) {
		page.WriteString("\n## " + strings.Join(append([]string{"evenkeel"}, path...), " ") + "\n\n```\n" + help(t, path) + "```\n")
	}
	if *update {
		if err := os.WriteFile(reference, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page.String() {
		t.Error("docs/reference/cli.md is not what the commands' help says; write it again with: go test ./cmd/evenkeel -run Reference -update")
	}
}

// commandPaths lists every command that people see, in the order of the help.
func commandPaths(cmd *cobra.Command, path []string) [][]string {
	paths := [][]string{path}
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			paths = append(paths, commandPaths(c, append(path[:len(path):len(path)], c.Name()))...)
		}
	}
	return paths
}

// help is what a person sees.
func help(t *testing.T, path []string) string {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&out)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(append(path[:len(path):len(path)], "--help"))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
