package export

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/signal"
)

func TestHeartbeatIsSentAlsoWhenIdle(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), func(o *Options) { o.Heartbeat = 20 * time.Millisecond })
	e.Start()
	beats := func() (n int) {
		for _, r := range receiver.Accepted() {
			if r.Path == "/v1/metrics" {
				n++
			}
		}
		return n
	}
	otlptest.Eventually(t, "three heartbeats", func() bool { return beats() >= 3 })
	p := receiver.Points(signal.MetricHeartbeat)
	if len(p) != 1 || p[0].Value != float64(noon.Unix()) {
		t.Errorf("heartbeat %+v", p)
	}
}

// heartbeats gives the heartbeat of each accepted export of metrics, in order;
// NaN where it has none.
func heartbeats(r *otlptest.Receiver) []float64 {
	var out []float64
	for _, req := range r.Accepted() {
		if req.Path != "/v1/metrics" {
			continue
		}
		beat := math.NaN()
		for _, p := range req.Points(signal.MetricHeartbeat) {
			beat = p.Value
		}
		out = append(out, beat)
	}
	return out
}

// A clean stop says goodbye with a heartbeat of 0, the last of all metrics;
// what ends because it broke, or never started, says nothing.
func TestOnlyACleanStopSaysGoodbye(t *testing.T) {
	for name, test := range map[string]struct {
		start, fail bool
		want        float64
	}{
		"clean":         {start: true, want: 0},
		"failed":        {start: true, fail: true, want: float64(noon.Unix())},
		"never started": {want: float64(noon.Unix())},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := otlptest.Start(t, nil)
			folder := t.TempDir()
			e := newExporter(t, folder, receiver.URL(), nil)
			if test.start {
				e.Start()
			}
			if test.fail {
				e.Failed()
			}
			if err := e.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			s := open(t, folder, 8<<20) // what was not sent is on disk
			sender := newSender(t, s, receiver.URL())
			sender.kind = Metrics
			sender.drain(context.Background())
			beats := heartbeats(receiver)
			if len(beats) == 0 || beats[len(beats)-1] != test.want {
				t.Errorf("heartbeats %v, want the last to be %v", beats, test.want)
			}
			for _, beat := range beats[:len(beats)-1] {
				if beat == 0 {
					t.Errorf("heartbeats %v: goodbye is not the last", beats)
				}
			}
		})
	}
}

// Whatever panics behind the tap, the agent goes on, and says so.
func TestPanicsAreRecoveredAndCounted(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	var attempts atomic.Int64
	if err := e.Watch(Sources{
		QueueBytes:  func() int64 { panic("callback") },
		Dropped:     func() map[string]uint64 { return nil },
		Ignored:     func() map[string]uint64 { return nil },
		Undecodable: func() map[string]uint64 { return nil },
		Profilers:   func() []*window.Profiler { return nil },
		Carries:     func() window.CarryFaults { return window.CarryFaults{} },
	}); err != nil {
		t.Fatal(err)
	}
	e.client.Timeout = 0 // its timer would outlive the panic
	healthy := e.client.Transport
	e.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if attempts.Add(1) <= 2 {
			panic("sender")
		}
		return healthy.RoundTrip(r)
	})
	e.Start()
	broken := closedWindow(1, "7")
	broken.Distributions[1] = nil
	if err := e.Publish(context.Background(), broken); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("a window that cannot be encoded: %v", err)
	}
	publish(t, e, closedWindow(2, "7"))
	otlptest.Eventually(t, "the second window", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 3 })
	if text := scrape(t, e.MetricsHandler()); !strings.Contains(text, "evenkeel_drift_score{") {
		t.Errorf("a callback that panics takes the others with it:\n%s", text)
	}
	counts := e.o.Guard.Counts()
	// Both senders; the broken window's records; its scores and the callback.
	if counts[partSender] != 2 || counts[partEvidence] != 1 || counts[partMetrics] < 2 {
		t.Errorf("panics %v", counts)
	}
}

func TestCloseIsIdempotentAndSafeBeforeStart(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", nil)
	for range 2 {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// Stopping while the collector holds its answer takes no longer than allowed,
// and what is unsent is sent after the next start.
func TestStopIsBoundedAndTheRestIsSentLater(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer { return otlptest.Answer{Hold: hold} })
	folder := t.TempDir()
	e := newExporter(t, folder, receiver.URL(), nil)
	e.Start()
	publish(t, e, closedWindow(1, "7"))
	ctx, stop := context.WithCancel(context.Background())
	stop() // no time at all
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
	receiver.Answer(nil)
	again := newExporter(t, folder, receiver.URL(), nil)
	again.Start()
	otlptest.Eventually(t, "3 profiles", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 3 })
	otlptest.Eventually(t, "the end of the run, which was written though time had run out", func() bool {
		return slices.ContainsFunc(receiver.Events(signal.EventLineageRun), func(e otlptest.Event) bool {
			return e.Attributes[signal.KeyLineageEventType] == string(signal.RunComplete)
		})
	})
}
