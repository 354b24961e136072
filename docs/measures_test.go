package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// conventions gives the convention ids that a package's source declares: its
// constants whose name begins with convention.
func conventions(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				out = append(out, declared(t, spec)...)
			}
			return true
		})
	}
	if len(out) == 0 {
		t.Fatalf("no conventions in %s", folder)
	}
	return out
}

// declared gives the ids of one declaration; each name has its own text.
func declared(t *testing.T, spec *ast.ValueSpec) []string {
	t.Helper()
	var out []string
	for i, name := range spec.Names {
		if !strings.HasPrefix(strings.ToLower(name.Name), "convention") {
			continue
		}
		if i >= len(spec.Values) {
			t.Fatalf("%s has no value", name.Name)
		}
		text, ok := spec.Values[i].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is no text", name.Name)
		}
		id, err := strconv.Unquote(text.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	return out
}

var convention = regexp.MustCompile(`@\d+$`)

func TestConventions(t *testing.T) {
	page := read(t, "docs/reference/measures.md")
	real := append(conventions(t, "measure"), conventions(t, "signal")...)
	for _, id := range real {
		if !convention.MatchString(id) {
			t.Errorf("%s has no version", id)
		}
	}
	documented := firstCodes(table(t, page, "convention"))
	same(t, "measures.md", documented, real)
	if n := len(slices.Compact(slices.Clone(documented))); n != len(documented) {
		t.Errorf("%d conventions in %d places: one has two lines", n, len(documented))
	}
	for _, id := range codes(page) {
		if convention.MatchString(id) && !slices.Contains(real, id) {
			t.Errorf("the text names %s, which does not exist", id)
		}
	}
}

// The table says of every convention which metrics carry it, and under which
// value of their attribute; or that none does.
func TestCarriedBy(t *testing.T) {
	carried := carriedBy(t)
	if len(carried) < 45 {
		t.Fatalf("%d conventions in signals", len(carried))
	}
	for _, r := range table(t, read(t, "docs/reference/measures.md"), "convention") {
		by := r[5]
		elsewhere := strings.HasPrefix(by, "command line") || strings.HasPrefix(by, "library")
		said := map[string]bool{}
		for _, c := range codes(by) {
			said[c] = true
		}
		shown := map[string]bool{}
		for _, id := range codes(r[0]) {
			if len(carried[id]) == 0 && !elsewhere {
				t.Errorf("%s is said to be carried by %s, and no signal has it", id, by)
			}
			for word := range carried[id] {
				shown[word] = true
				if elsewhere || !said[word] {
					t.Errorf("%s is carried by %s, and the page says %s", id, word, by)
				}
			}
		}
		for word := range said {
			if !elsewhere && !shown[word] {
				t.Errorf("%s is said to be carried by %s, and is not", r[0], word)
			}
		}
	}
}

// Where the table names no difference, there is none in any digit printed.
func TestParityTable(t *testing.T) {
	noted := 0
	rows := table(t, read(t, "docs/reference/parity.md"), "measure")
	for _, r := range rows {
		if len(r) != 6 {
			t.Fatalf("%d columns in %q", len(r), r)
		}
		if r[5] != "" {
			noted++
		} else if r[2] != r[3] {
			t.Errorf("%s of %s: %s and %s, and no note", r[0], r[1], r[2], r[3])
		}
	}
	summary := [2]int{}
	for _, family := range table(t, read(t, "docs/reference/measures.md"), "family") {
		for i := range summary {
			n, err := strconv.Atoi(family[i+1])
			if err != nil {
				t.Fatalf("%s: %v", family[0], err)
			}
			summary[i] += n
		}
	}
	if want := [2]int{len(rows), noted}; summary != want {
		t.Errorf("the summary counts %d rows, %d with a note; the table has %d", summary[0], summary[1], want)
	}
}
