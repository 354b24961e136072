package export

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

// The collector is away for an hour by the injected clock, in which the agent is
// restarted halfway and the spool gets full to nine tenths, with windows and
// predictions. When it is back every id arrives, once, and nothing is counted as
// lost.
func TestCollectorAwayForAnHourLosesNothing(t *testing.T) {
	const (
		size    = 2 << 20
		full    = size * 9 / 10
		rowsMax = size * 22 / 100 // predictions may use a quarter
		outage  = time.Hour
	)
	var clock atomic.Int64
	clock.Store(noon.UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()).UTC() }
	folder := t.TempDir()
	receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer { return otlptest.Answer{Status: 503} })
	start := func() *Exporter {
		e := newExporter(t, folder, receiver.URL(), func(o *Options) {
			o.Export.Spool.Max, o.Now = size, now
		})
		e.Start()
		return e
	}
	used := func(e *Exporter) (bytes int64) {
		for _, k := range kinds {
			bytes += e.spool.Counts(k).Bytes
		}
		return bytes
	}
	e := start()
	windows, rows := uint64(0), 0
	fill := func(until int64) {
		for used(e) < until {
			windows++
			publish(t, e, closedWindow(windows, "7"))
			if e.spool.Counts(Predictions).Bytes < rowsMax {
				rows++
				e.Predict(someRows(rows, 50))
				e.writePredictions(context.Background())
			}
			clock.Add(int64(outage / 2000))
		}
	}
	fill(full / 2)
	stopping, stop := context.WithTimeout(context.Background(), 100*time.Millisecond)
	if err := e.Close(stopping); err != nil {
		t.Fatal(err)
	}
	stop()
	e = start()
	fill(full)
	if u := used(e); u < full || u > size {
		t.Fatalf("%d of %d bytes", u, size)
	}
	clock.Store(noon.Add(outage).UnixNano())
	receiver.Answer(nil)
	otlptest.Eventually(t, "an empty spool", func() bool { return used(e) == 0 })

	seen := map[string]int{}
	for _, ev := range receiver.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(ev.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		seen[d.Window.String()]++
	}
	for n := range windows {
		id := fmt.Sprint("i-1/", n+1)
		if seen[id] != 3 { // its three parts
			t.Errorf("window %s came %d times in parts of 3", id, seen[id])
		}
	}
	told := map[string]int{}
	for _, p := range predictionsOf(t, receiver) {
		told[fmt.Sprint(p.ID, "#", p.Row)]++
	}
	for _, n := range told {
		if n != 1 {
			t.Errorf("a prediction came %d times", n)
		}
	}
	if len(seen) != int(windows) || len(told) != 50*rows {
		t.Errorf("%d of %d windows, %d of %d predictions", len(seen), windows, len(told), 50*rows)
	}
	for _, k := range kinds {
		if c := e.spool.Counts(k); c.Refused+c.Evicted+c.Quarantined+c.Damaged+c.Rejected != 0 {
			t.Errorf("%s: %+v", k, c)
		}
	}
	if held, lost := e.held.account(); held+lost != 0 {
		t.Errorf("%d windows held, %d lost", held, lost)
	}
	t.Logf("%d windows and %d predictions waited in %d of %d bytes", windows, 50*rows, full, size)
}
