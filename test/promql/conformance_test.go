package promql_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
)

// command is one command of a script, with the lines that belong to it.
type command struct {
	line int
	text string
}

func (c *command) is(word string) bool { return strings.HasPrefix(c.text, word) }

// header is the first line, which names an eval.
func (c *command) header() string {
	first, _, _ := strings.Cut(c.text, "\n")
	return strings.TrimSpace(first)
}

var starts = regexp.MustCompile(`^(clear|load|load_with_nhcb|eval|eval_\w+)\b`)

// commands cuts a script up. Comments are let go, and an indented line belongs
// to the command above it.
func commands(script string) []command {
	var out []command
	for i, line := range strings.Split(script, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case starts.MatchString(trimmed):
			out = append(out, command{i + 1, trimmed})
		case len(out) > 0:
			out[len(out)-1].text += "\n  " + trimmed
		}
	}
	return out
}

// scripts are Prometheus' own, of the version that we are built with.
func scripts(t *testing.T) []string {
	t.Helper()
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/prometheus").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(module)), "promql", "promqltest", "testdata", "*.test"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	return files
}

// on gives an eval the store that its script has loaded.
func on(ours *ourStorage) func(testing.TB) storage.Storage {
	return func(testing.TB) storage.Storage { return ours }
}

// differences are the evals that cannot be answered as expected, each with the
// reason, by script:line; see testdata/differences.txt.
func differences(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.SplitN(line, "\t", 3); len(fields) == 3 {
			out[fields[0]] = fields[1]
		}
	}
	return out
}

const golden = "testdata/differences.txt"

var update = flag.Bool("update", false, "write testdata/differences.txt anew")

// asChild is set in the process that runs every eval for -update.
const asChild = "EVENKEEL_EVERY_EVAL"

// TestPrometheusScripts runs the evals of every script, each by itself, so that
// one that fails hides no other. What cannot be answered is listed, and only an
// eval whose script has loaded what our tables have no form for may be.
func TestPrometheusScripts(t *testing.T) {
	if *update {
		writeDifferences(t)
	}
	listed := map[string]string{}
	if os.Getenv(asChild) == "" {
		listed = differences(t)
	}
	engine := promqltest.NewTestEngine(t, false, lookback, promqltest.DefaultMaxSamplesPerQuery)
	ours := openOurs(t)
	played, passed := 0, 0
	for _, file := range scripts(t) {
		ours.clear(t)
		for _, c := range readCommands(t, file) {
			where := fmt.Sprintf("%s:%d", filepath.Base(file), c.line)
			switch {
			case c.is("clear"):
				ours.clear(t)
			case c.is("load"):
				promqltest.RunTestWithStorage(t, c.text, engine, on(ours))
			case listed[where] != "":
				if ours.refused == nil || ours.refused.Error() != listed[where] {
					t.Errorf("%s is listed for a %s, and what was loaded says %v", where, listed[where], ours.refused)
				}
				delete(listed, where)
				passed++
			default:
				played++
				t.Run(where, func(t *testing.T) { promqltest.RunTestWithStorage(t, c.text, engine, on(ours)) })
				if os.Getenv(asChild) != "" {
					fmt.Printf("eval\t%s\t%v\t%s\n", where, ours.refused, c.header())
				}
			}
		}
	}
	for where := range listed {
		t.Errorf("%s is listed, and there is no such eval", where)
	}
	t.Logf("%d evals give what Prometheus expects, %d are listed in %s", played, passed, golden)
}

func readCommands(t *testing.T, file string) []command {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return commands(string(raw))
}

// writeDifferences runs every eval in a process of its own, where failures are
// free, and lists those that failed. Whoever runs it looks at what has changed.
func writeDifferences(t *testing.T) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestPrometheusScripts$")
	child.Env = append(os.Environ(), asChild+"=1")
	out, err := child.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	failures := map[string]bool{}
	for _, m := range failing.FindAllStringSubmatch(string(out), -1) {
		failures[m[1]] = true
	}
	var list strings.Builder
	list.WriteString(differencesHeader)
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSpace(line), "\t", 4)
		if f[0] == "eval" && failures[f[1]] && f[2] != "<nil>" {
			fmt.Fprintf(&list, "%s\t%s\t%s\n", f[1], f[2], f[3])
		}
	}
	if err := os.WriteFile(golden, []byte(list.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var failing = regexp.MustCompile(`(?m)^\s*--- FAIL: TestPrometheusScripts/(\w[\w-]*\.test:\d+) `)

const differencesHeader = `# Evals of Prometheus' scripts that our storage cannot answer as they expect, and why:
# their series hold what our tables have no form for.
#   native histogram   the store keeps classic histograms, and so do queries
#   start timestamp    a sample has a time and a value, and nothing else
# script:line, reason, eval. Everything that is not listed gives what it should.
`
