package engine_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/collector/engine"
)

const parentDir = "EVENKEEL_TEST_PARENT_DIR"

// runIfParent makes this process a parent that only starts an engine, tells
// its pid, and waits to be killed.
func runIfParent() {
	dir := os.Getenv(parentDir)
	if dir == "" {
		return
	}
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(e.Pid())
	select {}
}

// spawnParent gives a parent process and the pid of its engine.
func spawnParent(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parent.Process.Kill(); _ = parent.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	return parent, pid
}

func TestEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	parent, pid := spawnParent(t, dir)
	if gone(pid)() {
		t.Fatal("there is no engine to begin with")
	}
	if err := parent.Process.Kill(); err != nil { // kill -9
		t.Fatal(err)
	}
	_ = parent.Wait()
	// At once: the next start waits for the old engine to let go.
	e := start(t, in(dir))
	if !gone(pid)() {
		t.Error("the folder was taken while the old engine ran")
	}
	query(t, e, "SELECT 1")
}

func TestLivesAsLongAsItsParent(t *testing.T) {
	// A stopped parent's engine must live; this guards the test above against
	// passing because engines die early.
	parent, pid := spawnParent(t, t.TempDir())
	if err := parent.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if gone(pid)() {
		t.Error("the engine died although its parent lives")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the engine ends with its parent", gone(pid))
}
