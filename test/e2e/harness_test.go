package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// bin is where TestMain built the programs, laid out as make build does.
var bin string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "evenkeel-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	for out, packages := range map[string]string{
		bin + "/": "./cmd/...",
		filepath.Join(bin, "plugins", "evenkeel-plugin-webhook"): "./plugins/webhook",
	} {
		cmd := exec.Command("go", "build", "-o", out, packages)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if log, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", packages, err, log)
			return 1
		}
	}
	if code := m.Run(); code != 0 {
		return code
	}
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func program(name string) string { return filepath.Join(bin, name) }

// process is a program under test with its output.
type process struct {
	*exec.Cmd
	temp   string // its TMPDIR
	stdout output
	stderr output
	done   chan error
}

// start runs a program in a folder for temporary files of its own. It is
// killed at the end of the test if it still runs then.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program(name), args...), temp: t.TempDir(), done: make(chan error, 1)}
	p.Env = append(os.Environ(), "TMPDIR="+p.temp, "NO_COLOR=1")
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		p.done <- p.Cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill() // an error means that it has ended
		<-ended
		if t.Failed() {
			t.Logf("%s %v said:\n%s%s", name, args, p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// wait gives the exit of the process; it fails the test after the limit.
func (p *process) wait(t *testing.T, limit time.Duration) error {
	t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(limit):
		t.Fatalf("%s still runs after %s", p.Path, limit)
		return nil
	}
}

// run runs a program to its end and gives its standard output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	p := start(t, name, args...)
	if err := p.wait(t, time.Minute); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, p.stderr.String())
	}
	return p.stdout.String()
}

// output collects what a process writes; it may be read meanwhile.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// eventually asks until ok, and fails the test after the limit.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// survivors lists the processes whose command line or environment names a
// folder: the programs, their engine and their plugins.
func survivors(folder string) []string {
	var found []string
	lists, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lists {
		pid := filepath.Base(filepath.Dir(path))
		if pid == fmt.Sprint(os.Getpid()) {
			continue
		}
		command, _ := os.ReadFile(path)
		environment, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if bytes.Contains(command, []byte(folder)) || bytes.Contains(environment, []byte(folder)) {
			found = append(found, pid+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

// leavesNothing checks that neither a process nor a file of p is left.
func (p *process) leavesNothing(t *testing.T) {
	t.Helper()
	if left := survivors(p.temp); len(left) > 0 {
		t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}
	entries, err := os.ReadDir(p.temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("a file is left: %s", e.Name())
	}
}
