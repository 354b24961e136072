package export

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// fillUp leaves no room in a spool of 1 MiB, which may have taken a heartbeat.
func fillUp(t testing.TB, s *spool) {
	t.Helper()
	for {
		used := s.Counts(Logs).Bytes + s.Counts(Metrics).Bytes
		err := s.Append(req(Logs, strings.Repeat("x", 1<<20-200-int(used))))
		if err == nil {
			return
		}
		if errs.KindOf(err) != errs.Exhausted { // another heartbeat was quicker
			t.Fatal(err)
		}
	}
}

// A spool that takes nothing: windows are held in order, and written as soon as
// there is room.
func TestWindowsAreHeldWhileTheSpoolIsFull(t *testing.T) {
	receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer { return otlptest.Answer{Status: 503} })
	e := newExporter(t, t.TempDir(), receiver.URL(), func(o *Options) {
		o.Export.Spool.Max = 1 << 20
		o.Heartbeat = 5 * time.Millisecond
	})
	fillUp(t, e.spool)
	for i := range uint64(3) {
		err := e.Publish(context.Background(), closedWindow(i+1, "7"))
		if err == nil || !strings.Contains(err.Error(), "held") {
			t.Fatalf("window %d: %v, want it held", i+1, err)
		}
	}
	if held, lost := e.held.account(); held != 3 || lost != 0 {
		t.Fatalf("%d held, %d lost", held, lost)
	}
	_, number := oldest(t, e.spool, Logs)
	if err := e.spool.Done(Logs, number); err != nil { // room
		t.Fatal(err)
	}
	receiver.Answer(nil)
	e.Start() // the heartbeat writes what is held
	otlptest.Eventually(t, "9 profiles", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 9 })
	for i, event := range receiver.Events(signal.EventWindowProfile) {
		if got := event.Attributes["evenkeel.window.sequence"]; got != int64(i/3+1) {
			t.Errorf("record %d is of window %v", i, got)
		}
	}
}

// The disk goes away and comes back: nothing is lost meanwhile.
func TestWindowsAreHeldWhileTheDiskIsAway(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	folder := filepath.Join(t.TempDir(), "spool")
	e := newExporter(t, folder, receiver.URL(), nil)
	publish(t, e, closedWindow(1, "7"))
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	if err := e.Publish(context.Background(), closedWindow(2, "7")); !errs.Retryable(err) {
		t.Fatalf("without a disk: %v", err)
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	publish(t, e, closedWindow(3, "7"))
	e.Start()
	otlptest.Eventually(t, "9 profiles", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 9 })
	for i, event := range receiver.Events(signal.EventWindowProfile) {
		if got := event.Attributes["evenkeel.window.sequence"]; got != int64(i/3+1) {
			t.Errorf("record %d is of window %v", i, got)
		}
	}
}

// A window that no repetition can write must not keep the later ones back.
func TestWindowThatCannotBeSentIsLostAndCounted(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", nil)
	c := closedWindow(1, "7")
	c.Distributions[0].Feature = signal.FeatureName(strings.Repeat("x", maxEvidence))
	if err := e.Publish(context.Background(), c); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("got %v", err)
	}
	publish(t, e, closedWindow(2, "7"))
	if held, lost := e.held.account(); held != 0 || lost != 1 {
		t.Errorf("%d held, %d lost", held, lost)
	}
}

func TestHeldWindowsAreBounded(t *testing.T) {
	var h holding
	n := 0
	for ; h.add(closedWindow(1, "")); n++ {
	}
	if held, lost := h.account(); held != int64(n) || lost != 1 || int64(n)*weight(closedWindow(1, "")) > maxHeldBytes || n == 0 {
		t.Errorf("%d held of %d, %d lost", held, n, lost)
	}
	for ; !h.empty(); n-- {
		h.remove()
	}
	if n != 0 || h.bytes != 0 {
		t.Errorf("%d windows and %d bytes are left", n, h.bytes)
	}
}
