// Package docs_test holds the documentation against the code: links resolve,
// examples load, and the tables name what there is, no more and no less.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// row is a line of a Markdown table, without the marks of code.
type row []string

// table gives the rows of every table of a page whose first heading is this.
func table(t *testing.T, page, heading string) []row {
	t.Helper()
	var rows []row
	inside := false
	for _, line := range strings.Split(page, "\n") {
		if !strings.HasPrefix(line, "|") {
			inside = false
			continue
		}
		cells := row(strings.Split(strings.Trim(line, "|"), "|"))
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case cells[0] == heading:
			inside = true
		case inside && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("no table begins with the column %q", heading)
	}
	return rows
}

var code = regexp.MustCompile("`([^`\n]+)`")

// codes gives what is marked as code in a text.
func codes(text string) []string {
	var out []string
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// firstCodes gives what the first column of the rows marks as code, sorted.
func firstCodes(rows []row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, codes(r[0])...)
	}
	slices.Sort(out)
	return out
}

// same reports what one list has and the other lacks.
func same(t *testing.T, what string, documented, real []string) {
	t.Helper()
	for _, name := range real {
		if !slices.Contains(documented, name) {
			t.Errorf("%s: %s is not documented", what, name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(real, name) {
			t.Errorf("%s: %s is documented and does not exist", what, name)
		}
	}
}

// block is a fenced piece of YAML that begins with the file's name.
type block struct{ name, text string }

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(# (\\S+\\.yaml)\n.*?)```")

func blocks(page string) []block {
	var out []block
	for _, m := range yamlBlock.FindAllStringSubmatch(page, -1) {
		out = append(out, block{m[2], m[1]})
	}
	return out
}

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestLinksResolve(t *testing.T) {
	pages := []string{"README.md", "CONTRIBUTING.md"}
	err := filepath.WalkDir(root+"/docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			resolve(t, page, m[1])
		}
	}
	if links < 20 {
		t.Errorf("%d links in %d pages; the test looks at the wrong folder", links, len(pages))
	}
}

func resolve(t *testing.T, page, target string) {
	t.Helper()
	path, anchor, _ := strings.Cut(target, "#")
	to := page
	if path != "" {
		to = filepath.Join(filepath.Dir(page), path)
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil {
		t.Errorf("%s: the link %s leads nowhere", page, target)
		return
	}
	if anchor == "" {
		return
	}
	for _, m := range heading.FindAllStringSubmatch(read(t, to), -1) {
		slug := strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		if slug == anchor {
			return
		}
	}
	t.Errorf("%s: %s has no heading for %s", page, to, target)
}
