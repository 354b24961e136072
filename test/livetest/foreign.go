package livetest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/children"
)

// foreignLimit is how long a foreign program may take; importing its libraries
// alone takes seconds.
const foreignLimit = 3 * time.Minute

// Foreign is a program of others, run to its end.
type Foreign struct {
	Path string
	Args []string
	Env  []string // added to the test's own
}

// Run runs it and gives its standard output and standard error. It fails the
// test if the program fails, and leaves none of its processes behind.
func (f Foreign) Run(t testing.TB) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), foreignLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, f.Path, f.Args...)
	cmd.Env = append(os.Environ(), f.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s\n%s", f.Path, f.Args, err, out.String(), errors.String())
	}
	return out.String(), errors.String()
}

// Serve starts a program that goes on until it is stopped, at the latest when
// the test ends, and waits until a GET of ready gives 200. Its log is shown if
// the test fails.
func Serve(t testing.TB, name, ready, path string, args ...string) (stop func()) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	c, err := children.Start(children.Spec{Name: name, Path: path, Args: args, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := c.Stop(30 * time.Second); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, c.Tail(60))
		}
	})
	Eventually(t, foreignLimit, name+" is ready", func() bool {
		select {
		case <-c.Done():
			t.Fatal(c.Ended())
		default:
		}
		return Answers(ready)
	})
	return stop
}
