//go:build parity

package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The environment that make parity sets.
const (
	pythonVariable = "EVENKEEL_PYTHON"       // the interpreter that has requirements.txt
	tableVariable  = "EVENKEEL_PARITY_TABLE" // the file that the table is written to
)

// scriptTimeout bounds one script; importing the libraries alone takes seconds.
var scriptTimeout = flag.Duration("script-timeout", 5*time.Minute, "how long one Python script may take")

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if path := os.Getenv(tableVariable); path != "" {
		if err := os.WriteFile(path, []byte(markdown()), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, "write the parity table:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// reference runs python script with the JSON of input on its standard input and
// decodes its standard output into into. A script writes null where a value is
// undefined; NaN is not JSON and fails here.
func reference(t *testing.T, script string, input, into any) {
	t.Helper()
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Fatalf("%s is not set; run make parity, which makes the Python environment", pythonVariable)
	}
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatalf("%s: encode the input: %v", script, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), *scriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-W", "ignore", script)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.Bytes())
	}
	if err := json.Unmarshal(stdout, into); err != nil {
		t.Fatalf("%s: decode its output: %v\n%.2000s", script, err, stdout)
	}
}

// line is one comparison of the table.
type line struct{ measure, sample, ours, theirs, library, note string }

var table struct {
	sync.Mutex
	lines []line
}

// row adds a comparison to the table and judges nothing: agree does both. A row
// of its own is for values that differ by convention; the note names it.
func row(t *testing.T, measure, sample string, ours, theirs float64, library, note string) {
	t.Helper()
	table.Lock()
	defer table.Unlock()
	table.lines = append(table.lines, line{measure, sample, digits(ours), digits(theirs), library, note})
}

// agree adds a comparison to the table and fails where the two values differ by
// more than the tolerance, relative to theirs where that is above 1.
func agree(t *testing.T, measure, sample string, ours, theirs, tolerance float64, library, note string) {
	t.Helper()
	row(t, measure, sample, ours, theirs, library, note)
	check(t, measure, sample, ours, theirs, tolerance, library)
}

// check is agree without a row, for the many cases that would only fill the table.
func check(t *testing.T, measure, sample string, ours, theirs, tolerance float64, library string) {
	t.Helper()
	if !(math.Abs(ours-theirs) <= tolerance*max(1, math.Abs(theirs))) {
		t.Errorf("%s of %s: ours %.12g, %s %.12g, further apart than %g", measure, sample, ours, library, theirs, tolerance)
	}
}

func digits(x float64) string { return fmt.Sprintf("%.7g", x) }

// markdown is the table, in the order of the measures' names; equal names keep
// the order in which they were compared. Libraries that give the same number
// share a row.
func markdown() string {
	table.Lock()
	defer table.Unlock()
	lines := slices.Clone(table.lines)
	slices.SortStableFunc(lines, func(a, b line) int { return strings.Compare(a.measure, b.measure) })
	var b strings.Builder
	b.WriteString("| measure | data | evenkeel | reference | library | difference of convention |\n|---|---|---|---|---|---|\n")
	for i, l := range lines {
		if i+1 < len(lines) {
			next := lines[i+1]
			libraries := l.library + ", " + next.library
			l.library, next.library = "", ""
			if l == next {
				lines[i+1].library = libraries
				continue
			}
			l.library = lines[i].library
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", l.measure, l.sample, l.ours, l.theirs, l.library, l.note)
	}
	return b.String()
}
