package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/agent/changes"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/genai"
	"github.com/evenkeel/evenkeel/agent/reload"
	"github.com/evenkeel/evenkeel/agent/span"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/internal/guard"
	"github.com/evenkeel/evenkeel/internal/listen"
	"github.com/evenkeel/evenkeel/internal/version"
	"github.com/evenkeel/evenkeel/signal"
)

// Agent is a running sidecar.
type Agent struct {
	c        *agentconfig.Config
	log      *slog.Logger
	guard    *guard.Guard // of all that runs behind the tap
	state    *state
	identity export.Identity
	upstream *url.URL
	ceiling  *ceiling

	current   atomic.Pointer[plan] // nil until the windows are open
	consuming sync.RWMutex         // held while an exchange is counted, and by replace

	talliesMu sync.Mutex
	tallies   map[string]*tally // by model

	inferenceListener, adminListener net.Listener

	exporter  *export.Exporter
	spans     *span.Keeper
	changes   *changes.Book  // what is served
	genai     *genai.Metrics // of language models
	sequences *window.Sequences
	carries   *window.Carries
	faults    *wire.FaultLog
	tap       *tap.Tap

	payloads // what others have logged
	evaluating
	joining   // labels, and attributes that are no inputs
	operation // what follows the configuration while the agent runs
	probing   // known cases that the model server is asked
	sharing   // what several models of one URL have in common

	inference, admin *http.Server
	probe            *http.Client // asks the model server whether it is ready
	failed           chan error   // a server that ended by itself
	serving          sync.WaitGroup

	stopPipeline context.CancelFunc
	pipeline     sync.WaitGroup
	drained      chan struct{} // closed when the pipeline has ended

	stopping sync.Once
	stopped  error
}

// Run serves until ctx ends or a server fails, and then stops in order, within
// stop_timeout. On SIGHUP it reads the configuration file again.
func Run(ctx context.Context, c *agentconfig.Config, log *slog.Logger) error {
	keepHeapSmall(c.Admin.Pprof)
	hangups, done := reload.Hangups()
	defer done()
	a, err := Start(ctx, c, log)
	if err != nil {
		return err
	}
	for {
		select {
		case <-hangups:
			a.fileChanged()
		case <-ctx.Done():
			log.Info("stopping")
			return a.Stop()
		case err := <-a.failed:
			a.exporter.Failed()
			return errors.Join(err, a.Stop())
		}
	}
}

// Start brings the agent up: when it returns, both ports answer. ctx is for
// starting only; Stop ends the agent. On an error nothing is left behind.
func Start(ctx context.Context, c *agentconfig.Config, log *slog.Logger) (*Agent, error) {
	a := &Agent{
		c: c, log: log, guard: guard.New(log), failed: make(chan error, 3), drained: make(chan struct{}),
		spans: span.New(spanSettings(c.Spans), nil), tallies: map[string]*tally{}, ceiling: newCeiling(),
	}
	for _, step := range []func(context.Context) error{
		a.readConfiguration,
		a.openState,
		a.openChanges,
		a.openModels,
		a.openPorts,
		a.openExporter,
		a.openGenAI,
		a.openEvaluations,
		a.openWindows,
		a.openTap,
		a.openIntake,
		a.openPlan,
		a.watch,
		a.watchOperation,
		a.watchProbes,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.Stop())
		}
	}
	a.exporter.Start()
	a.startPipeline()
	if a.inferenceListener != nil {
		a.serve(a.inference, tap.Steady(a.inferenceListener, a.c.Tap.StallTimeout.Std()))
	}
	a.serve(a.admin, a.adminListener)
	a.operate()
	log.Info("agent is up", "inference", a.Addr(), "upstream", a.upstream.String(), "admin", a.AdminAddr(),
		"collector", c.Export.Endpoint, "instance", a.identity.Instance, "version", a.identity.Version)
	return a, nil
}

// Addr is the address of the inference port; empty: there is none.
func (a *Agent) Addr() string {
	if a.inferenceListener == nil {
		return ""
	}
	return a.inferenceListener.Addr().String()
}

// AdminAddr is the address of the admin port.
func (a *Agent) AdminAddr() string { return a.adminListener.Addr().String() }

func (a *Agent) readConfiguration(context.Context) (err error) {
	if err := a.c.Validate(a.c.File); err != nil {
		return err
	}
	if a.upstream, err = url.Parse(a.c.Upstream); err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	if a.c.Export.TokenFile != "" && clearText(a.c.Export.Endpoint) {
		a.log.Warn("the collector's token travels in clear text; use an https endpoint", "endpoint", a.c.Export.Endpoint)
	}
	return nil
}

// clearText says that what is sent to the endpoint can be read on the way.
func clearText(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" {
		return false
	}
	return listen.Check(net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")), false) != nil
}

func (a *Agent) openState(context.Context) error {
	s, err := openState(a.c.State)
	if err != nil {
		return err
	}
	a.state = s
	id, err := s.instance(a.c.Instance)
	a.identity = export.Identity{System: a.c.System, Instance: id, Environment: a.c.Environment, Version: version.Version}
	return err
}

func (a *Agent) openPorts(ctx context.Context) (err error) {
	if a.c.Listen != "" { // otherwise the intake has a port
		if a.inferenceListener, err = listen.TCP(ctx, a.c.Listen); err != nil {
			return fmt.Errorf("inference port: %w", err)
		}
	}
	if a.adminListener, err = listen.TCP(ctx, a.c.Admin.Listen); err != nil {
		return fmt.Errorf("admin port: %w", err)
	}
	return nil
}

func (a *Agent) openExporter(context.Context) (err error) {
	a.exporter, err = export.New(export.Options{
		Identity:     a.identity,
		Folder:       a.state.path(spoolFolder),
		Export:       a.c.Export,
		Window:       a.c.Window,
		Heartbeat:    a.c.Heartbeat.Std(),
		LineageEvery: a.c.Lineage.Every.Std(),
		Models:       exportModels(a.first.models),
		Wrap:         a.clock.Wrap,
		Spans:        a.spans,
		Guard:        a.guard,
		Log:          a.log,
	})
	return err
}

func exportModels(models []monitored) []export.Model {
	out := make([]export.Model, len(models))
	for i, m := range models {
		out[i] = export.Model{Name: m.Name, Version: m.Version, Baseline: m.baseline, References: map[signal.FeatureName]string{}}
		for _, p := range m.Protected {
			out[i].References[p.Attribute] = p.Reference
		}
		m.intersectionReferences(out[i].References)
	}
	return out
}

// serve runs a server until it is shut down; ending by itself is a failure.
func (a *Agent) serve(s *http.Server, l net.Listener) {
	a.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	})
}

// Stop ends the agent in the order in which data flows: no new requests, those
// under way are finished, what was captured is counted, the open windows are
// closed, and all of it is on disk; then what waits is sent once. It takes
// stop_timeout at most, half of it for requests under way, and a little to
// write to the disk. Idempotent.
func (a *Agent) Stop() error {
	a.stopping.Do(func() { a.stopped = a.stop() })
	return a.stopped
}

func (a *Agent) stop() error {
	budget := a.c.StopTimeout.Std()
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	a.stopOperation()
	a.stopInference(ctx, budget/2)
	a.stopIntake(ctx)
	if a.stopPipeline != nil {
		a.stopPipeline()
		a.pipeline.Wait()
		a.closeIntake()
		for _, s := range a.plan().inOrder() {
			s.quiet()
		}
		a.plan().flush()
	}
	errs := []error{a.closeJoins()}
	if a.exporter != nil {
		errs = append(errs, a.exporter.Close(ctx))
	}
	if a.admin != nil {
		errs = append(errs, a.admin.Close())
	}
	a.serving.Wait()
	for _, l := range []net.Listener{a.inferenceListener, a.adminListener} {
		if l != nil {
			_ = l.Close() // a server that ran has closed it already
		}
	}
	if a.tap != nil {
		a.tap.Close()
		a.probe.CloseIdleConnections()
	}
	if a.state != nil {
		errs = append(errs, a.state.Close())
	}
	return errors.Join(errs...)
}

// stopInference lets requests under way end, for a while.
func (a *Agent) stopInference(ctx context.Context, patience time.Duration) {
	if a.inference == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := a.inference.Shutdown(ctx); err != nil {
		a.log.Warn("requests under way were cut off", "waited", patience, "error", err)
		_ = a.inference.Close() // its only error is the listener's, which Shutdown has closed
	}
}
