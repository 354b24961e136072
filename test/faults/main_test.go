package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/collector/engine"
)

// built is the collector with fault points, made when it is first asked for.
var built struct {
	once   sync.Once
	folder string
	path   string
	err    error
}

func TestMain(m *testing.M) {
	engine.RunIfChild() // counting starts an engine, which is this program
	code := m.Run()
	printFigures(os.Stdout)
	if built.folder != "" {
		if err := os.RemoveAll(built.folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// program gives the path of the collector, built with fault points.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		built.folder, built.err = os.MkdirTemp("", "evenkeel-faults-")
		if built.err != nil {
			return
		}
		built.path = filepath.Join(built.folder, "evenkeel-collector")
		cmd := exec.CommandContext(context.Background(), "go", "build", "-tags", "faultpoints", "-o", built.path,
			"github.com/evenkeel/evenkeel/cmd/evenkeel-collector")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build the collector: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}
