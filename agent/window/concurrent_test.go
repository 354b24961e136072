package window

import (
	"sync"
	"testing"
	"time"
)

// TestAReaderNeverWaitsForTheSink: the exporter reads counts for its metrics
// under locks that its sink may need.
func TestAReaderNeverWaitsForTheSink(t *testing.T) {
	inSink, release := make(chan struct{}), make(chan struct{})
	o := options(t, func(*Closed) { close(inSink); <-release })
	o.Count = 6
	set, err := NewSet([]Options{o})
	if err != nil {
		t.Fatal(err)
	}
	var observing sync.WaitGroup
	observing.Go(func() { set.Observe(applicants()) })
	<-inSink
	read := make(chan Totals)
	go func() {
		p := set.Profilers()[0]
		p.Violations()
		read <- p.Totals()
	}()
	select {
	case total := <-read:
		if total.Windows != 1 || total.Rows != 6 {
			t.Errorf("%+v", total)
		}
	case <-time.After(10 * time.Second):
		t.Error("a reader waits for the sink")
		close(release)
		<-read
		return
	}
	close(release)
	observing.Wait()
}

// TestManyObserversLoseNothing counts from several goroutines and closes by
// count and by flush at once.
func TestManyObserversLoseNothing(t *testing.T) {
	var got collected
	o := options(t, got.take)
	o.Count = 50
	p := profiler(t, o)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 100 {
				p.Observe(applicants())
				if i%10 == 0 {
					p.Flush()
				}
			}
		})
	}
	all.Wait()
	p.Flush()
	rows := uint64(0)
	for i, w := range got.windows {
		if w.ID.Sequence != uint64(i+1) {
			t.Fatalf("window %d was handed over as sequence %d", i, w.ID.Sequence)
		}
		rows += w.Distributions[0].N
	}
	if rows != 4*100*6 {
		t.Errorf("%d rows in windows, want %d", rows, 4*100*6)
	}
}
