package export

import (
	"context"
	"log/slog"
	"testing"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
)

// stopping is a log whose first line stops something.
type stopping struct {
	slog.Handler
	stop context.CancelFunc
}

// Handle stops it.
func (s stopping) Handle(context.Context, slog.Record) error {
	s.stop()
	return nil
}

// Enabled says so for every level.
func (stopping) Enabled(context.Context, slog.Level) bool { return true }

// A stop that comes while predictions are being written does not break that off:
// they are on the disk, and none is lost.
func TestAStopWhilePredictionsAreWrittenLosesNone(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	e := newExporter(t, t.TempDir(), receiver.URL(), func(o *Options) {
		o.Log = slog.New(stopping{quiet().Handler(), stop}) // the version that is new is told in the middle of the writing
	})
	e.Predict(someRows(1, 3))
	e.keepPredictions(ctx)
	if ctx.Err() == nil {
		t.Fatal("nothing was told, so nothing was stopped")
	}
	counts := e.spool.Counts(Predictions)
	for reason, n := range e.predictions.lost(counts) {
		if n != 0 {
			t.Errorf("%d predictions are lost: %s", n, reason)
		}
	}
	if waiting := e.predictions.take(); len(waiting) != 0 || counts.Waiting != 1 {
		t.Errorf("%d predictions wait, %+v in the spool", len(waiting), counts)
	}
}
