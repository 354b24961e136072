package faults

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/engine"
)

// deadline is how long any one step may take on a busy machine.
const deadline = 60 * time.Second

// site is one data folder with one address, over all the processes that come
// and go on it.
type site struct {
	t      *testing.T
	data   string
	config string
	http   string // host:port of OTLP/HTTP
	log    lockedBuffer
	server *server  // where it stores; nil: in its embedded engine
	env    []string // of its processes
	within []string // a command that runs its processes elsewhere; empty: here
	kills  int

	process *process
}

// process is one run of the collector.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it is gone
}

func newSite(t *testing.T, lines ...string) *site {
	t.Helper()
	return newSiteIn(t, t.TempDir(), lines...)
}

// newSiteIn makes a site on a data folder; lines are added to its configuration.
func newSiteIn(t *testing.T, data string, lines ...string) *site {
	t.Helper()
	library, err := engine.DefaultLibrary()
	if err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 3)
	s := &site{t: t, data: data, http: "127.0.0.1:" + ports[1]}
	s.config = filepath.Join(t.TempDir(), "collector.yaml")
	yaml := fmt.Sprintf(`data: %s
engine: {library: %s}
otlp:
  grpc: {listen: "127.0.0.1:%s"}
  http: {listen: %q}
api: {listen: "127.0.0.1:%s"}
drain: {max_records: 40, every: 20ms}
stop_timeout: 20s
%s
`, s.data, library, ports[0], s.http, ports[2], strings.Join(lines, "\n"))
	if err := os.WriteFile(s.config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the collector's log:\n%s", s.log.tail(64<<10))
		}
	})
	return s
}

// freePorts finds ports that nobody listens on, so that an address lasts over
// restarts.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // all are held until all are chosen
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}

// start starts the collector; a fault, name or name:n, makes it kill itself.
func (s *site) start(fault string) {
	s.t.Helper()
	line := append(slices.Clone(s.within), program(s.t), "run", "--config", s.config)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(append(os.Environ(), "EVENKEEL_FAULT="+fault), s.env...)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is read from ProcessState
		close(p.done)
	}()
	s.process = p
}

// untilUp waits until requests are answered.
func (s *site) untilUp() {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	until := time.Now().Add(deadline)
	for time.Now().Before(until) {
		resp, err := client.Get("http://" + s.http + "/") // any answer will do
		if err == nil {
			_ = resp.Body.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatal("the collector does not come up")
}

// revive starts the collector again if it has ended by itself, as a service
// manager would: an engine that is killed while it starts ends it.
func (s *site) revive() {
	select {
	case <-s.process.done:
		s.gone()
		s.start("")
	default:
	}
}

// gone waits until the process has ended by itself, and says how.
func (s *site) gone() syscall.WaitStatus {
	s.t.Helper()
	select {
	case <-s.process.done:
	case <-time.After(deadline):
		s.t.Fatal("the collector still runs; the fault point was not reached")
	}
	status, _ := s.process.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signal() == syscall.SIGKILL {
		s.kills++
	}
	s.process = nil
	return status
}

// kill ends the collector with -9, if it runs, and waits.
func (s *site) kill() {
	if s.process == nil {
		return
	}
	s.kills++
	_ = s.process.cmd.Process.Kill()
	<-s.process.done
	s.process = nil
}

// stop ends the collector as a person would, and waits for what it drains.
func (s *site) stop() {
	s.t.Helper()
	if err := s.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if status := s.gone(); status.ExitStatus() != 0 {
		s.t.Fatalf("the collector stopped with status %d", status.ExitStatus())
	}
}

// killEngine kills the collector's children with -9 and says whether there
// was one.
func (s *site) killEngine() bool {
	pid := s.process.cmd.Process.Pid
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	killed := false
	for _, path := range threads {
		raw, _ := os.ReadFile(path) // a thread may be gone by now
		for _, child := range strings.Fields(string(raw)) {
			if n, err := strconv.Atoi(child); err == nil {
				killed = syscall.Kill(n, syscall.SIGKILL) == nil || killed
			}
		}
	}
	if killed {
		s.kills++
	}
	return killed
}

// lockedBuffer collects output of several processes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	raw := l.b.Bytes()
	return string(raw[max(0, len(raw)-n):])
}
