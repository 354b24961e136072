// Package children runs the demo's programs as real processes and ends them
// again, whatever happens: on Stop, when a program hangs, and when the demo
// itself dies.
//
//	demo -> Start -> evenkeel-collector (-> its engine, its plugins)
//	             -> evenkeel-agent
//
// Each child leads its own process group, so that a Ctrl-C in the terminal
// reaches the demo alone, which then stops its children in order.
package children

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Spec says what to run.
type Spec struct {
	Name string // for people
	Path string
	Args []string
	Log  string // file that receives standard output and error
}

// Child is a running program. Its methods are safe for concurrent use.
type Child struct {
	spec    Spec
	cmd     *exec.Cmd
	done    chan struct{}
	err     error // how it ended; read after done
	stop    sync.Once
	stopErr error
}

// Start runs the program. Its standard output and error go to the log file.
//
// Linux sends the parent-death signal when the *thread* that made the child
// ends, not the process. So one goroutine stays locked to its thread from the
// start of the child to its end; that goroutine ends with the child.
func Start(spec Spec) (*Child, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: open log: %w", spec.Name, err)
	}
	c := &Child{spec: spec, cmd: exec.Command(spec.Path, spec.Args...), done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := c.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, errs.E("start "+spec.Name, errs.NotFound, err, "build the programs with: make build")
	}
	return c, nil
}

// Name is what the spec called the program.
func (c *Child) Name() string { return c.spec.Name }

// PID is the process, and the process group, of the child.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed when the program has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Ended tells how a program ended by itself, with the last lines of its log.
// It is to be called after Done.
func (c *Child) Ended() error {
	<-c.done
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s ended by itself (%s); the end of its log:\n%s", c.spec.Name, how, c.Tail(8))
}

// Stop asks the program to end, kills its whole group after the grace, and
// returns when it has ended. An error says that it had to be killed, or ended
// with another status than 0 or of something else than being asked to. Stopping twice gives the first result again.
func (c *Child) Stop(grace time.Duration) error {
	c.stop.Do(func() { c.stopErr = c.end(grace) })
	return c.stopErr
}

func (c *Child) end(grace time.Duration) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		c.killGroup()
		<-c.done
		return fmt.Errorf("stop %s: still running after %s, so it was killed; the end of its log:\n%s", c.spec.Name, grace, c.Tail(8))
	}
	c.killGroup() // whatever the program left behind in its group
	if c.err != nil && !c.terminated() {
		return fmt.Errorf("stop %s: %w; the end of its log:\n%s", c.spec.Name, c.err, c.Tail(8))
	}
	return nil
}

// terminated says that the program died of the signal that asked it to end: it
// had just been started and did not listen for signals yet.
func (c *Child) terminated() bool {
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// Kill ends the whole group at once.
func (c *Child) Kill() {
	c.killGroup()
	<-c.done
}

func (c *Child) killGroup() {
	if err := syscall.Kill(-c.PID(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = c.cmd.Process.Kill()
	}
}

// Tail gives the last lines of the log.
func (c *Child) Tail(lines int) string {
	raw, err := os.ReadFile(c.spec.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	return "  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}
