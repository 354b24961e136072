package livetest

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/collector/engine"
)

// built holds our programs, each made when it is first asked for.
var built struct {
	mu     sync.Mutex
	folder string
	paths  map[string]string
}

// Main runs the tests of a package, removes what was built and fails if a
// goroutine is left over. It is the whole of a TestMain and does not return.
func Main(m *testing.M) {
	engine.RunIfChild() // a collector's engine is this program
	code := m.Run()
	if err := tidy(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func tidy() error {
	http.DefaultClient.CloseIdleConnections()
	if built.folder == "" {
		return nil
	}
	return os.RemoveAll(built.folder)
}

// Program gives the path of one of our programs, for example evenkeel-agent,
// built as a release is: without cgo.
func Program(t testing.TB, name string) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	path, err := build(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build(name string) (string, error) {
	if path := built.paths[name]; path != "" {
		return path, nil
	}
	if built.folder == "" {
		folder, err := os.MkdirTemp("", "evenkeel-programs-")
		if err != nil {
			return "", fmt.Errorf("build %s: %w", name, err)
		}
		built.folder, built.paths = folder, map[string]string{}
	}
	path := filepath.Join(built.folder, name)
	cmd := exec.Command("go", "build", "-o", path, "github.com/evenkeel/evenkeel/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build %s: %w", name, err), errors.New(string(out)))
	}
	built.paths[name] = path
	return path, nil
}
