package export

import (
	"context"
	"errors"
	"sync"
)

// Failed says that the agent ends because something broke: Close then says no
// goodbye, so that the silence that follows is noticed.
func (e *Exporter) Failed() { e.failed.Store(true) }

// Close writes what is held, says that the run is complete, and exports the
// metrics a last time; behind them all goes a heartbeat of 0, which says that
// the agent stopped as it should and is not to be waited for. Then what waits
// in the spool has one attempt until ctx ends. The rest is sent after the next
// start. Writing to the disk does not depend on ctx: evidence must not be lost
// for want of time to send it. Close is idempotent, and does no harm before
// Start.
func (e *Exporter) Close(ctx context.Context) error {
	e.closing.Do(func() { e.closed = e.close(ctx) })
	return e.closed
}

func (e *Exporter) close(ctx context.Context) error {
	toDisk := context.WithoutCancel(ctx)
	if e.stop != nil {
		e.stop()
		e.running.Wait()
	}
	err := e.closePredictions(toDisk) // before their runs are complete
	if e.stop != nil {
		e.declare(toDisk, complete)
	}
	e.retryHeld(toDisk)
	if n := e.held.windows(); n > 0 {
		e.o.Log.Error("windows are lost: they could not be written to the export spool", "windows", n)
	}
	e.writeSpans()
	err = errors.Join(err, e.evidence.Close(toDisk), e.views.Close(toDisk, e.stop != nil && !e.failed.Load()))
	if e.stop != nil {
		var drains sync.WaitGroup
		for _, s := range e.senders {
			drains.Go(func() { e.o.Guard.Run(partSender, func() { s.drain(ctx) }) })
		}
		drains.Wait()
	}
	e.client.CloseIdleConnections()
	return err
}
