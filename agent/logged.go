package agent

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/agent/intake"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/internal/listen"
)

// payloads is the port for what others have logged; all of it is nil where the
// configuration asks for none.
type payloads struct {
	counting       sync.Mutex // held while an exchange is counted: the tap's and the port's come from two goroutines
	intake         *intake.Intake
	intakeListener net.Listener
	intakeServer   *http.Server
}

// intakeTimeout bounds how long an event may take to come in: it holds memory
// meanwhile.
const intakeTimeout = 30 * time.Second

// IntakeAddr is the address of the port for logged payloads; empty: there is none.
func (a *Agent) IntakeAddr() string {
	if a.intakeListener == nil {
		return ""
	}
	return a.intakeListener.Addr().String()
}

func (a *Agent) openIntake(ctx context.Context) (err error) {
	o := a.c.Intake
	if o.Listen == "" {
		return nil
	}
	if a.intakeListener, err = listen.TCP(ctx, o.Listen); err != nil {
		return fmt.Errorf("intake port: %w", err)
	}
	a.intake = intake.New(intake.Options{
		Model: a.loggedModel, Wait: o.Wait.Std(), MaxBody: int64(a.c.Tap.MaxBody), Queue: int64(o.Queue),
	})
	a.intakeServer = tap.NewServer(a.intake, 0, a.log)
	a.intakeServer.ReadTimeout = intakeTimeout
	return nil
}

// loggedModel finds the model of a service's events: that of its name, or the
// only one where events name none.
func (a *Agent) loggedModel(name string) (string, bool) {
	p := a.plan()
	if name == "" && len(p.models) == 1 {
		return p.models[0].Name, true
	}
	return p.namedEntry(name)
}

// startIntake begins to decode and count what was logged, as startPipeline does
// with what was captured.
func (a *Agent) startIntake(ctx context.Context) {
	if a.intake == nil {
		return
	}
	a.pipeline.Go(func() {
		a.guard.Keep(ctx, partPipeline, func(ctx context.Context) { a.intake.Drain(ctx, a.consumeLogged) })
	})
	a.serve(a.intakeServer, a.intakeListener)
}

// consumeLogged counts an exchange as if it had passed: loggers tell of answers
// that were good, and of no URL.
func (a *Agent) consumeLogged(x *intake.Exchange) {
	a.consume(&tap.Exchange{
		Model: x.Model, Status: http.StatusOK, Start: x.Start, End: x.End, ID: x.ID, Trace: x.Trace,
		Request:  tap.Message{Body: x.Request.Body, ContentEncoding: x.Request.ContentEncoding},
		Response: tap.Message{Body: x.Response.Body, ContentEncoding: x.Response.ContentEncoding},
	})
}

// stopIntake lets events under way end, until ctx does.
func (a *Agent) stopIntake(ctx context.Context) {
	if a.intakeServer == nil {
		return
	}
	if err := a.intakeServer.Shutdown(ctx); err != nil {
		a.log.Warn("events under way were cut off", "error", err)
		_ = a.intakeServer.Close() // its only error is the listener's, which Shutdown has closed
	}
}

// closeIntake counts what still waits for its other half.
func (a *Agent) closeIntake() {
	if a.intake != nil {
		a.intake.Close()
	}
	if a.intakeListener != nil {
		_ = a.intakeListener.Close() // a server that ran has closed it already
	}
}

// logged gives the counts of what was logged of a model.
func (a *Agent) logged(model string) intake.Counts {
	if a.intake == nil {
		return intake.Counts{}
	}
	return a.intake.Counts(model)
}

// ignoredEvents counts the events of no model by reason; nil: no port takes any.
func (a *Agent) ignoredEvents() map[string]uint64 {
	if a.intake == nil {
		return nil
	}
	return a.intake.Refused()
}

// waitingBytes is the memory of all that waits to be decoded.
func (a *Agent) waitingBytes() int64 {
	held := a.tap.Stats().Held
	if a.intake != nil {
		held += a.intake.Held()
	}
	return held
}
