package engine

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// supervise keeps an engine running until ctx ends. first gets the outcome of
// the first start: a first start that fails is final, later ones are repeated.
func (e *Engine) supervise(ctx context.Context, first chan<- error) {
	// Never unlocked: the parent-death signal is bound to the thread that
	// forks, so this thread must live as long as the engine.
	runtime.LockOSThread()
	defer close(e.done)
	defer e.lock.release()
	defer e.files.forget()

	schedule := backoff.NewExponentialBackOff()
	schedule.InitialInterval, schedule.MaxInterval = e.options.BackoffMin, e.options.BackoffMax
	schedule.Reset()
	for {
		up, err := e.runOnce(ctx, first)
		if ctx.Err() != nil {
			return
		}
		if first != nil && err != nil && up == 0 {
			return // Start has the error
		}
		first = nil
		if up >= e.options.Stable {
			schedule.Reset()
		}
		pause := schedule.NextBackOff()
		e.options.Log.Warn("engine died, starting it again", slog.Any("error", err), slog.Duration("in", pause))
		if !sleep(ctx, pause) {
			return
		}
	}
}

// runOnce starts the engine, waits until it ends or ctx does, and says how
// long it listened.
func (e *Engine) runOnce(ctx context.Context, first chan<- error) (time.Duration, error) {
	p, err := e.startProcess(ctx)
	if first != nil {
		first <- err
	}
	if err != nil {
		return 0, err
	}
	since := time.Now()
	defer e.connections.closeAll()
	defer e.set("", nil)
	select {
	case <-p.ended:
		return time.Since(since), p.err
	case <-ctx.Done():
		e.set("", p)
		e.connections.closeAll()
		if !p.stop(e.options.StopTimeout) {
			e.options.Log.Warn("engine did not leave in time and was killed", slog.Duration("after", e.options.StopTimeout))
		}
		return time.Since(since), nil
	}
}

// startProcess launches an engine and waits until it listens.
func (e *Engine) startProcess(ctx context.Context) (*process, error) {
	if err := e.files.write(e.password, e.options.Memory); err != nil {
		return nil, errs.E("start the engine", errs.Invalid, err, "set data in the configuration to a folder that can be written")
	}
	defer e.files.forget()
	p, err := launch(e.options.Library, e.files, e.lock.engine)
	if err != nil {
		return nil, errs.E("start the engine", errs.Other, err, "")
	}
	timer := time.NewTimer(e.options.StartTimeout)
	defer timer.Stop()
	select {
	case address, ok := <-p.address:
		if ok {
			e.set(address, p)
			return p, nil
		}
		<-p.ended
		err = p.err
	case <-timer.C:
		err = errors.New("it does not listen in time")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.kill()
	return nil, errs.E("start the engine", errs.Unavailable, err, "see "+e.files.log+"; make setup fetches the library again if it is damaged")
}

// set changes address and process and wakes whoever waits for the address.
func (e *Engine) set(address string, p *process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if address != "" && e.ready {
		e.restarts++
	}
	e.ready = e.ready || address != ""
	e.address, e.process = address, p
	close(e.changed)
	e.changed = make(chan struct{})
}

// sleep waits and says whether ctx still runs.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
