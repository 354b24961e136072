package host_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/host"
)

// program is a real plugin, built once.
var program string

// background outlives a test.
var background = context.Background()

// asParent, in the environment, makes this test binary a host that waits to be
// killed.
const asParent = "EVENKEEL_TEST_PARENT"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if path := os.Getenv(asParent); path != "" {
		return parent(path)
	}
	dir, err := os.MkdirTemp("", "evenkeel-host-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "evenkeel-plugin-webhook")
	build := exec.Command("go", "build", "-o", program, "github.com/evenkeel/evenkeel/plugins/webhook")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugin: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

var config = json.RawMessage(`{"url":"https://example.org/"}`)

func options(path string) (host.Options, error) {
	raw, err := os.ReadFile(path)
	sum := sha256.Sum256(raw)
	return host.Options{Name: "webhook", Path: path, SHA256: hex.EncodeToString(sum[:]), Config: config}, err
}

// parent starts the plugin, tells its process id, and waits for the end.
func parent(path string) int {
	o, err := options(path)
	if err != nil {
		return 1
	}
	p, err := host.Start(background, o)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(p.Status().PID)
	select {}
}

// TestPluginDiesWithItsHost kills the host as kill -9 does.
func TestPluginDiesWithItsHost(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asParent+"="+program, "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent says: %s", line)
	}
	group, err := syscall.Getpgid(pid)
	if err != nil || group != pid {
		t.Errorf("the plugin %d is in group %d (%v); want its own", pid, group, err)
	}
	if env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err != nil || strings.Contains(string(env), asParent) {
		t.Errorf("the plugin sees our environment (%v)", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed: the error says just that
	for deadline := time.Now().Add(10 * time.Second); alive(pid); {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("plugin %d outlived its host", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// alive says whether a process runs; one that waits to be reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestOnlyTheProgramThatWasTrustedRuns(t *testing.T) {
	good, err := options(program)
	if err != nil {
		t.Fatal(err)
	}
	unnamed, wrong, missing := good, good, good
	unnamed.SHA256 = ""
	wrong.SHA256 = strings.Repeat("0", 64)
	missing.Path = "/nonexistent/plugin"
	for _, c := range []struct {
		name    string
		options host.Options
		kind    errs.Kind
		word    string
	}{
		{"no checksum", unnamed, errs.Denied, "sha256: " + good.SHA256},
		{"another checksum", wrong, errs.Denied, "who changed the program"},
		{"no program", missing, errs.NotFound, "/nonexistent/plugin"},
	} {
		p, err := host.Start(t.Context(), c.options)
		if err == nil {
			t.Errorf("%s: it runs", c.name)
			_ = p.Stop(background) // told already
			continue
		}
		if errs.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v; want kind %d and %q", c.name, err, c.kind, c.word)
		}
	}
}

func TestProgramThatIsNoPlugin(t *testing.T) {
	script := filepath.Join(t.TempDir(), "not-a-plugin")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	o, err := options(script)
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	if p, err := host.Start(t.Context(), o); err == nil {
		t.Errorf("it runs: %+v", p.Status())
	}
	left, err := os.ReadDir(tmp)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d files are left behind", len(left))
	}
}
