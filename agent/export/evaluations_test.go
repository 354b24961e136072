package export

import (
	"context"
	"testing"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Evaluations never take the room that windows need: half of the spool.
func TestEvaluationsLeaveRoomForWindows(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", func(o *Options) { o.Export.Spool.Max = 1 << 20 })
	one := []Evaluation{{At: noon, Attrs: []signal.Attr{{Key: signal.KeyEvaluationName, Value: "x"}}}}
	if err := e.Evaluate(context.Background(), one); err != nil {
		t.Fatal(err)
	}
	if err := e.spool.Append(&request{Kind: Logs, Path: "/", Body: make([]byte, 600<<10)}); err != nil {
		t.Fatal(err)
	}
	if err := e.Evaluate(context.Background(), one); errs.KindOf(err) != errs.Exhausted {
		t.Errorf("%v", err)
	}
	publish(t, e, closedWindow(1, "7"))
}
