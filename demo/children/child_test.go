package children

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary play the programs that the tests supervise.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILD_ROLE") {
	case "polite":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println("ready")
		<-signals
		fmt.Println("goodbye")
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "crash":
		fmt.Println("something is wrong")
		os.Exit(3)
	case "parent":
		playParent()
	default:
		goleak.VerifyTestMain(m)
	}
}

// playParent starts a polite child, tells its pid, and waits to be killed.
func playParent() {
	c, err := Start(self("polite", os.Getenv("CHILD_LOG")))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.PID())
	select {}
}

func self(role, log string) Spec {
	return Spec{Name: role, Path: "/usr/bin/env", Args: []string{"CHILD_ROLE=" + role, os.Args[0]}, Log: log}
}

func startSelf(t *testing.T, role string) *Child {
	t.Helper()
	c, err := Start(self(role, filepath.Join(t.TempDir(), "log")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never saw: %s", what)
		}
	}
}

func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(raw), ") Z ")
}

func TestStopIsPoliteAndIdempotent(t *testing.T) {
	c := startSelf(t, "polite")
	eventually(t, "ready", func() bool { return strings.Contains(c.Tail(5), "ready") })
	for range 2 {
		if err := c.Stop(5 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(c.Tail(5), "goodbye") {
		t.Errorf("log: %s", c.Tail(5))
	}
}

func TestStopKillsTheDeaf(t *testing.T) {
	c := startSelf(t, "deaf")
	eventually(t, "ready", func() bool { return strings.Contains(c.Tail(5), "ready") })
	err := c.Stop(50 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("got %v", err)
	}
	if alive(c.PID()) {
		t.Error("still alive")
	}
}

func TestCrashIsToldWithTheLog(t *testing.T) {
	c := startSelf(t, "crash")
	<-c.Done()
	if err := c.Ended(); !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "something is wrong") {
		t.Errorf("got %v", err)
	}
}

func TestMissingProgramNamesTheCure(t *testing.T) {
	_, err := Start(Spec{Name: "evenkeel-agent", Path: "/nowhere/evenkeel-agent", Log: filepath.Join(t.TempDir(), "log")})
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v", err)
	}
}

// The parent is killed as by kill -9; the child has to go as well.
func TestChildEndsWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "CHILD_ROLE=parent", "CHILD_LOG="+filepath.Join(t.TempDir(), "log"))
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatal("the child died before its parent")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	eventually(t, "the child gone", func() bool { return !alive(pid) })
}

func TestProgramsAreFoundOrTheCureIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"evenkeel-collector", "evenkeel-agent", "plugins/evenkeel-plugin-webhook"} {
		if _, err := FindPrograms(dir); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "make build") {
			t.Errorf("without %s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p, err := FindPrograms(dir)
	if err != nil || p.Webhook != filepath.Join(dir, "plugins", "evenkeel-plugin-webhook") {
		t.Errorf("%+v %v", p, err)
	}
	if err := os.Chmod(p.Agent, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FindPrograms(dir); err == nil || !strings.Contains(err.Error(), "is not a program") {
		t.Errorf("a file that cannot run: %v", err)
	}
}
