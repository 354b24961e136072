package collector

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/spool"
)

func TestLifecycleGoesDownInReverse(t *testing.T) {
	l := newLifecycle(slog.New(slog.DiscardHandler))
	var order []string
	l.opened("spool", func() error { order = append(order, "spool"); return nil })
	l.started("drain", func(ctx context.Context) error {
		<-ctx.Done()
		order = append(order, "drain")
		return ctx.Err()
	})
	broken := errors.New("broken")
	l.opened("socket", func() error { order = append(order, "socket"); return broken })
	if err := l.down(); !errors.Is(err, broken) {
		t.Errorf("got %v; the error of one part is told, and the others still go down", err)
	}
	if want := []string{"socket", "drain", "spool"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
	if err := l.down(); err != nil || len(order) != 3 {
		t.Errorf("going down twice: %v, %v", err, order)
	}
}

func TestLifecycleEndsWithTheStageThatFails(t *testing.T) {
	for _, cause := range []error{errors.New("disk gone"), nil} {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		l.started("api", func(context.Context) error { return cause })
		err := l.wait(t.Context())
		if err == nil || (cause != nil && !errors.Is(err, cause)) {
			t.Errorf("%v: got %v", cause, err)
		}
		_ = l.down()
	}
}

func TestWatermarkHoldsUntilTheDrainPasses(t *testing.T) {
	var s spool.Stats
	w := newWatermark(func() spool.Stats { return s })
	at := time.Unix(1000, 0)
	s = spool.Stats{Last: 10, Settled: 7, Records: 3}
	if w.stored(at) {
		t.Error("three records still wait")
	}
	s = spool.Stats{Last: 20, Settled: 9, Records: 11}
	if w.stored(at) {
		t.Error("one of those records still waits")
	}
	s = spool.Stats{Last: 30, Settled: 10, Records: 20}
	if !w.stored(at) {
		t.Error("what came later does not matter")
	}
	s = spool.Stats{Last: 30, Settled: 25, Records: 0}
	if !w.stored(at.Add(time.Second)) {
		t.Error("nothing waits")
	}
}
