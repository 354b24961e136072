package peerbench

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/demo/ports"
)

// server is the ClickHouse that both write to, over the native protocol.
type server struct {
	store          *clickhouse.Store
	addr           string
	user, password string
	turns          int
}

func startServer(t *testing.T) *server {
	t.Helper()
	options := storetest.Options(t)
	s := &server{store: storetest.OpenWith(t, options), user: options.User, password: options.Password}
	if err := s.store.Conn().Exec(t.Context(), "SYSTEM START LISTEN TCP"); err != nil {
		t.Fatal(err)
	}
	var port uint16
	if err := s.store.Conn().QueryRow(t.Context(), "SELECT getServerPort('tcp_port')").Scan(&port); err != nil {
		t.Fatal(err)
	}
	s.addr = fmt.Sprintf("127.0.0.1:%d", port)
	return s
}

// database names the next turn's.
func (s *server) database() string {
	s.turns++
	return fmt.Sprintf("turn_%d", s.turns)
}

// settle is how long a table must stand still to hold all that was sent.
const settle = 3 * time.Second

// settled waits until a table has stopped growing, and gives its rows.
func (s *server) settled(t *testing.T, database, table string) uint64 {
	t.Helper()
	var last uint64
	since := time.Now()
	for deadline := time.Now().Add(5 * time.Minute); time.Since(since) < settle; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s.%s still grows", database, table)
		}
		var rows uint64
		if err := s.store.Conn().QueryRow(t.Context(), "SELECT count() FROM "+database+"."+table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows != last {
			last, since = rows, time.Now()
		}
	}
	return last
}

// running is a collector that is measured.
type running struct {
	name, listen, database string

	cmd *exec.Cmd
	log bytes.Buffer
}

func (p *programs) startOurs(t *testing.T, s *server) *running {
	t.Helper()
	free, folder, r := freePorts(t), t.TempDir(), &running{name: "evenkeel-collector", database: s.database()}
	r.listen = ports.Addr(free.GRPC)
	password, config := filepath.Join(folder, "password"), filepath.Join(folder, "collector.yaml")
	for path, text := range map[string]string{
		password: s.password,
		config: fmt.Sprintf(`data: %s
clickhouse: {addr: %q, database: %s, user: %s, password_file: %s}
otlp: {grpc: {listen: %q}, http: {listen: %q}}
api: {listen: %q}
drain: {max_records: 5000}
`, folder, s.addr, r.database, s.user, password, r.listen, ports.Addr(free.HTTP), ports.Addr(free.API)),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.start(t, exec.Command(p.ours, "run", "--config", config))
	return r
}

func (p *programs) startPeer(t *testing.T, s *server) *running {
	t.Helper()
	r := &running{name: "OpenTelemetry Collector", listen: ports.Addr(freePorts(t).GRPC), database: s.database()}
	cmd := exec.Command(p.peer, "--config", p.configuration)
	cmd.Env = append(os.Environ(), "PEER_LISTEN="+r.listen, "PEER_QUEUE="+t.TempDir(), "PEER_CLICKHOUSE=tcp://"+s.addr,
		"PEER_USER="+s.user, "PEER_PASSWORD="+s.password, "PEER_DATABASE="+r.database)
	r.start(t, cmd)
	return r
}

func freePorts(t *testing.T) ports.Set {
	t.Helper()
	free, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// start starts the program and waits until it listens.
func (r *running) start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	r.cmd = cmd
	cmd.Stdout, cmd.Stderr = &r.log, &r.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", r.listen); err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatalf("%s does not listen\n%s", r.name, r.log.String())
		}
	}
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil || t.Failed() {
		t.Logf("%s ended with %v\n%s", r.name, err, r.log.String())
	}
}

// ticksPerSecond is what /proc counts CPU time in, on every Linux.
const ticksPerSecond = 100

// cpu is what the process has used so far, in user and kernel.
func (r *running) cpu(t *testing.T) time.Duration {
	t.Helper()
	_, after, _ := strings.Cut(r.proc(t, "stat"), ") ") // the name may hold anything
	fields := strings.Fields(after)
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// resident is the most memory that the process had, in bytes.
func (r *running) resident(t *testing.T) int64 {
	t.Helper()
	for line := range strings.Lines(r.proc(t, "status")) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("no VmHWM in the process's status")
	return 0
}

func (r *running) proc(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", r.cmd.Process.Pid, file))
	if err != nil {
		t.Fatalf("%s is gone: %v\n%s", r.name, err, r.log.String())
	}
	return string(raw)
}
