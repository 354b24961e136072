// Package shareddata finds the real data files that some tests check against.
// They are no part of the module: a test that wants one is skipped where they
// are absent, and what it checks is covered by data of its own elsewhere.
package shareddata

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/tabular"
)

// Variable names the folder of the files, where it is not ../shared/data
// beside the module's root.
const Variable = "EVENKEEL_DATA"

// Path gives the path of a data file, for example elec2.csv, or skips the test
// with a word on where the file was looked for.
func Path(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv(Variable)
	if folder == "" {
		folder = filepath.Join(moduleRoot(t), "..", "shared", "data")
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("data folder ../shared/data absent (or set %s): no %s", Variable, name)
	}
	return path
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("no go.mod in this folder or above it")
		}
		folder = parent
	}
}

// Numbers gives one numeric column of a data file; NaN is missing.
func Numbers(t testing.TB, name, column string) []float64 {
	t.Helper()
	return load(t, name, column, true).Numbers
}

// Texts gives one column of a data file as it is written.
func Texts(t testing.TB, name, column string) []string {
	t.Helper()
	return load(t, name, column, false).Texts
}

func load(t testing.TB, name, column string, numeric bool) tabular.Values {
	t.Helper()
	f, err := os.Open(Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := tabular.NewCSV(name, f)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.Index(r.Header(), column)
	if i < 0 {
		t.Fatalf("%s has no column %q", name, column)
	}
	values, err := tabular.Load(r, []tabular.Want{{Column: i, Numeric: numeric}}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return values[0]
}
