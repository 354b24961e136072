package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is one run of the engine.
type process struct {
	cmd      *exec.Cmd
	lifeline io.Closer
	stderr   *tail
	address  chan string   // gives host:port once; closed when the engine ends before
	ended    chan struct{} // closed when the process is gone and waited for
	err      error         // why it ended; set before ended is closed
}

// launch starts the engine. The kernel ends the engine when the calling
// thread ends, so the caller is locked to its thread until the engine is gone.
func launch(library string, f files, lock *os.File) (*process, error) {
	portReader, portWriter, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	defer portWriter.Close()

	// Not os.Executable: the file may have been replaced by an upgrade since.
	cmd := exec.Command("/proc/self/exe", childArg, library, f.settings, f.data)
	cmd.Args[0] = os.Args[0]
	cmd.Dir = f.data
	cmd.Env = append(os.Environ(),
		"GODEBUG=asyncpreemptoff=1", // no SIGURG into foreign code
		"TZ=UTC")                    // a client without a time zone database must know the server's
	cmd.ExtraFiles = []*os.File{lockDescriptor - 3: lock, portDescriptor - 3: portWriter}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	p := &process{
		cmd:     cmd,
		stderr:  &tail{limit: 8 << 10},
		address: make(chan string, 1),
		ended:   make(chan struct{}),
	}
	cmd.Stderr = p.stderr
	if p.lifeline, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = portReader.Close()
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	go p.watch(portReader)
	return p, nil
}

// watch reads the port and then waits for the end.
func (p *process) watch(portReader *os.File) {
	defer close(p.ended)
	port, err := bufio.NewReader(io.LimitReader(portReader, 16)).ReadString('\n')
	_ = portReader.Close()
	if err == nil {
		p.address <- net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	}
	close(p.address)
	err = p.cmd.Wait()
	if err == nil {
		err = fmt.Errorf("it left by itself")
	}
	p.err = fmt.Errorf("the engine ended: %w: %s", err, p.stderr)
}

// stop asks the engine to leave, kills it at the timeout, and says whether it
// left by itself.
func (p *process) stop(timeout time.Duration) bool {
	_ = p.lifeline.Close()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		p.kill()
		return false
	}
}

// kill ends the engine at once and waits until it is gone. An engine that has
// gone already is no error.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// tail keeps the end of what is written to it.
type tail struct {
	mu    sync.Mutex
	limit int
	kept  []byte
}

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

// String gives what was kept, on one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) == 0 {
		return "(it said nothing)"
	}
	return strings.Join(strings.Fields(string(t.kept)), " ")
}
