package collector

import (
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/collector/spool"
)

// watermark answers whether everything that was acknowledged before a time is
// in the store. It compares where the spool's end was when the time was first
// asked for with how far the drain has come since.
type watermark struct {
	stats func() spool.Stats

	mu  sync.Mutex
	end map[time.Time]uint64 // the newest record when the time was first asked for
}

func newWatermark(stats func() spool.Stats) *watermark {
	return &watermark{stats: stats, end: map[time.Time]uint64{}}
}

// stored is for times that are over. A time that is settled is forgotten.
func (w *watermark) stored(t time.Time) bool {
	s := w.stats()
	w.mu.Lock()
	defer w.mu.Unlock()
	end, asked := w.end[t]
	if !asked {
		end = s.Last
		w.end[t] = end
	}
	if s.Settled < end && s.Records > 0 {
		return false
	}
	delete(w.end, t)
	return true
}
