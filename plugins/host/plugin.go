package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// Plugin is a supervised child process that serves a TicketSink. Its methods
// are safe for concurrent use.
type Plugin struct {
	opts Options

	stop context.CancelFunc
	done chan struct{} // closed when the supervisor has ended

	mu     sync.Mutex
	now    *process // nil while it is down
	starts int
	status Status
}

// Status is how a plugin is doing, for people.
type Status struct {
	Name      string
	Version   string
	Summary   string
	Running   bool
	PID       int
	Restarts  int
	LastError string // why it was down last; empty if it never was
}

// exitPoll is how often the supervisor looks whether the process still lives;
// go-plugin has no channel for it.
const exitPoll = 100 * time.Millisecond

// Start launches the plugin and returns when it is ready. A plugin that does
// not come up the first time, or refuses its configuration, is an error and
// leaves nothing behind. Stop ends what Start began.
func Start(ctx context.Context, opts Options) (*Plugin, error) {
	if err := opts.fill(); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &Plugin{opts: opts, stop: stop, done: make(chan struct{}), status: Status{Name: opts.Name}}
	first := make(chan error, 1)
	go p.supervise(run, first)
	select {
	case err := <-first:
		if err == nil {
			return p, nil
		}
		<-p.done
		stop()
		return nil, errs.E("plugin "+opts.Name, kindOf(err), err, "")
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), p.Stop(context.WithoutCancel(ctx)))
	}
}

func kindOf(err error) errs.Kind {
	if kind := errs.KindOf(err); kind != errs.Other {
		return kind
	}
	return errs.Invalid
}

// supervise keeps one process running. It owns an operating-system thread for
// its whole life, since children die with the thread that started them.
func (p *Plugin) supervise(ctx context.Context, first chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	pause := &backoff.ExponentialBackOff{
		InitialInterval: p.opts.RestartMin, MaxInterval: p.opts.RestartMax, Multiplier: 2, RandomizationFactor: 0.3,
	}
	pause.Reset()
	for {
		begun := time.Now()
		proc, err := launch(&p.opts)
		if err == nil {
			p.up(proc)
		}
		if first != nil {
			first <- err
			if err != nil {
				return
			}
			first = nil
		}
		if err == nil {
			err = p.attend(ctx, proc)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > p.opts.RestartMax {
			pause.Reset() // it ran well for a while
		}
		wait := pause.NextBackOff()
		p.down(err)
		p.opts.Log.Warn("plugin is down", "error", err, "restart_in", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// attend waits until the process ends or is to be ended, and cleans up.
func (p *Plugin) attend(ctx context.Context, proc *process) error {
	defer proc.end()
	tick := time.NewTicker(exitPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.down(nil)
			return nil
		case <-tick.C:
			if proc.client.Exited() {
				return fmt.Errorf("the process ended")
			}
		}
	}
}

func (p *Plugin) up(proc *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Restarts = p.starts
	p.starts++
	p.now = proc
	p.status.Running, p.status.PID = true, proc.cmd.Process.Pid
	p.status.Version, p.status.Summary = proc.about.Version, proc.about.Summary
}

func (p *Plugin) down(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = nil
	p.status.Running, p.status.PID = false, 0
	if err != nil {
		p.status.LastError = err.Error()
	}
}

// Status tells how the plugin is doing.
func (p *Plugin) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Name is the sink's name as configured.
func (p *Plugin) Name() string { return p.opts.Name }

// Stop ends the process and waits for it, at most StopTimeout. It may be
// called twice.
func (p *Plugin) Stop(ctx context.Context) error {
	p.stop()
	ctx, cancel := context.WithTimeout(ctx, p.opts.StopTimeout)
	defer cancel()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop plugin %s: %w", p.opts.Name, ctx.Err())
	}
}

// call gives the running sink and a bounded context, or errs.Unavailable.
func (p *Plugin) call(ctx context.Context) (context.Context, context.CancelFunc, sdk.TicketSink, error) {
	p.mu.Lock()
	proc := p.now
	p.mu.Unlock()
	if proc == nil {
		return nil, nil, nil, errs.E("plugin "+p.opts.Name, errs.Unavailable, errors.New("it is not running"), "")
	}
	ctx, cancel := context.WithTimeout(ctx, p.opts.CallTimeout)
	return ctx, cancel, proc.sink, nil
}
