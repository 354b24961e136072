package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listed is what go list says about a package.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// goList runs go list in the module's root, as for the platform that the lists
// are about, so that every machine lists the same.
func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	noteSources(t)
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

const root = "../.."

// noteSources reads the folders of the module: go test then knows that the
// result depends on them, and does not give a cached one after a change, which
// it cannot see in what go list reads.
func noteSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "bin") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImportsPointDown reads the imports of every package, those of its tests
// included, and holds them against the table.
func TestImportsPointDown(t *testing.T) {
	out := goList(t, "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	packages := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; packages++ {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, to := range p.Imports {
			report(t, from, to, false)
		}
		for _, to := range append(p.TestImports, p.XTestImports...) {
			if to != p.ImportPath {
				report(t, from, to, true)
			}
		}
	}
	if packages < 10 {
		t.Errorf("go list found %d packages; the test looks at the wrong folder", packages)
	}
}

func report(t *testing.T, from, to string, test bool) {
	t.Helper()
	to, ours := strings.CutPrefix(to, module+"/")
	if !ours || test && forTests(to) {
		return
	}
	if why := check(from, to, test); why != "" {
		where := ""
		if test {
			where = " (in a test)"
		}
		t.Error(why + where)
	}
}

// forTests names packages made for tests, which tests of any layer may use.
func forTests(pkg string) bool {
	return strings.HasSuffix(pkg, "test")
}

func TestTableSaysNo(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"collector/store/storetest", "collector/engine", ""},
		{"agent/tap", "agent/window", ""},
		{"agent/export", "agent/config", ""},
		{"agent", "agent/export", ""},
		{"cmd/evenkeel-agent", "agent", ""},
		{"collector/fleet", "collector/model", ""},
		{"signal", "measure", ""},
		{"agent/export", "agent/tap", "both of layer 4"},
		{"agent/config", "agent/window", "both of layer 4"},
		{"collector/fleet", "collector/ingest", "both of layer 4"},
		{"measure", "signal", "imports point down only"},
		{"collector/model", "collector/store/clickhouse", "imports point down only"},
		{"agent/export", "agent", "imports point down only"},
		{"agent", "collector/model", "agent and collector never import each other"},
		{"collector/api", "agent/config", "agent and collector never import each other"},
		{"plugins/webhook", "plugins/host", "both of layer 3"},
		{"shed", "signal", "stands in no layer"},
	} {
		got := check(c.from, c.to, false)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s -> %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func TestTestsMayLookBesideButNotUp(t *testing.T) {
	if why := check("agent/tap", "agent/wire", true); why != "" {
		t.Error(why)
	}
	for _, to := range []string{"agent", "collector/fleet"} {
		if why := check("agent/tap", to, true); why == "" {
			t.Errorf("a test of agent/tap may import %s", to)
		}
	}
}
