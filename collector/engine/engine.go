package engine

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Options say how the engine runs. Zero values mean the defaults.
type Options struct {
	Library string // path of libchdb.so; empty: DefaultLibrary
	Dir     string // the data folder; made if it does not exist; one collector at a time
	Log     *slog.Logger

	Memory       int64         // bytes that the engine may use; default 1 GiB, a query three quarters of it
	StartTimeout time.Duration // until it listens, and for an old engine to let go of Dir; default 30s
	StopTimeout  time.Duration // until it is killed while stopping; default 5s
	BackoffMin   time.Duration // before the first restart; default 100ms, doubling
	BackoffMax   time.Duration // between restarts; default 15s
	Stable       time.Duration // running this long ends the doubling; default 1m
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Memory <= 0 {
		o.Memory = 1 << 30
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.StartTimeout, 30 * time.Second},
		{&o.StopTimeout, 5 * time.Second},
		{&o.BackoffMin, 100 * time.Millisecond},
		{&o.BackoffMax, 15 * time.Second},
		{&o.Stable, time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return o
}

// Engine is a running engine, or one that is being restarted. All methods are
// safe for concurrent use.
type Engine struct {
	options  Options
	files    files
	password string
	lock     *folderLock

	cancel context.CancelFunc // asks the supervisor to stop
	done   chan struct{}      // closed when the supervisor is gone and the folder free

	connections connections

	mu       sync.Mutex
	address  string        // host:port; empty while there is no engine
	changed  chan struct{} // closed and replaced whenever address changes
	process  *process      // nil while there is no engine
	ready    bool          // it has listened at least once
	restarts int
}

// Start takes the data folder, starts the engine and returns when it listens.
// ctx bounds the start only; Stop ends the engine. A folder that another
// collector holds is errs.Conflict, a library that is not there errs.NotFound,
// each with the cure.
func Start(ctx context.Context, options Options) (*Engine, error) {
	o := options.withDefaults()
	dir, err := filepath.Abs(o.Dir)
	if err != nil || o.Dir == "" {
		return nil, errs.E("start the engine", errs.Invalid, err, "set data in the configuration to a folder")
	}
	if o.Library, err = findLibrary(o.Library); err != nil {
		return nil, err
	}
	lock, err := lockFolder(ctx, dir, o.StartTimeout)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.Background())
	e := &Engine{
		options: o, files: filesIn(dir), password: newPassword(), lock: lock,
		cancel: cancel, done: make(chan struct{}), changed: make(chan struct{}),
	}
	first := make(chan error, 1)
	go e.supervise(running, first)
	select {
	case err = <-first:
	case <-ctx.Done():
		err = errs.E("start the engine", errs.Unavailable, context.Cause(ctx), "")
	}
	if err != nil {
		e.shutdown()
		return nil, err
	}
	return e, nil
}

// Stop closes listener and connections, lets the engine end, and kills it when StopTimeout
// or ctx runs out. Calling it again, or from several goroutines, waits for the
// same end. It always leaves nothing running.
func (e *Engine) Stop(ctx context.Context) error {
	e.cancel()
	select {
	case <-e.done:
	case <-ctx.Done():
		if p := e.current(); p != nil {
			p.kill()
		}
		<-e.done
	}
	return nil
}

func (e *Engine) shutdown() {
	e.cancel()
	<-e.done
}

// User is the account's name, and Password its password, made at Start and
// kept in memory only.
func (e *Engine) User() string { return accountName }

// Password belongs to User. It stays the same while the engine is restarted.
func (e *Engine) Password() string { return e.password }

// Pid is the process of the engine, 0 while it is being restarted.
func (e *Engine) Pid() int {
	if p := e.current(); p != nil {
		return p.cmd.Process.Pid
	}
	return 0
}

func (e *Engine) current() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process
}

// Restarts counts how often the engine died and came back.
func (e *Engine) Restarts() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.restarts
}
