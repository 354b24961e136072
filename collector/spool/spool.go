package spool

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Spool is an open queue. Append may be called from any number of goroutines;
// Cut, Confirm and Quarantine from one or several.
type Spool struct {
	o    Options
	lock io.Closer

	requests chan *request // unbuffered: what the writer received it answers
	closing  chan struct{}
	writer   sync.WaitGroup
	spare    []byte // the writer's, for the next group
	closed   sync.Once
	closeErr error

	// cutting is held by what reads segments and changes the journal. Whoever
	// needs both takes it before mu, and never holds mu during input or output.
	cutting sync.Mutex
	journal *journal
	cuts    []*cut            // not settled, or behind one that is not, in order
	handed  int               // cuts[:handed] have been handed out
	cursor  position          // where the next new range begins
	through uint64            // last record of the last range
	opened  uint64            // last record that was there when the spool was opened
	damage  map[position]bool // already reported

	ballast sync.Mutex // held while its file is written or removed; taken before mu

	mu       sync.Mutex
	segments []*segment // in order; the last is the active one
	next     uint64     // sequence number of the next record
	mark     uint64     // every record up to here is settled
	memory   *memory
	began    time.Time // the first reading of the clock; never changed
	waiting  int       // records not settled
	used     int64     // bytes of all segments
	broken   error     // set once: nothing is taken any more
	light    bool      // the disk was full and the ballast is gone: nothing is taken until it is back
	stats    Stats
}

// Stats are counts for health metrics.
type Stats struct {
	Bytes              int64  // in segments, confirmed ones included until their file goes
	Records            int    // not settled
	Taken              uint64 // since the spool was opened
	Last               uint64 // sequence number of the newest record
	Settled            uint64 // every record up to here is settled
	DamagedBytes       int64  // found damaged since the spool was opened
	TornBytes          int64  // of writes that did not end, found when it was opened
	QuarantinedBatches uint64 // put aside since the spool was opened
	Duplicates         uint64 // acknowledged without storing again
	Forgotten          uint64 // remembered names dropped before their time
}

// Stats gives the present counts.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Bytes, st.Records, st.Forgotten = s.used, s.waiting, s.memory.forgotten
	st.Taken, st.Last, st.Settled = s.next-1-s.opened, s.next-1, s.mark
	return st
}

// Healthy gives the error that made the spool refuse everything, or nil.
func (s *Spool) Healthy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// Close waits for the writer to finish its group, syncs the journal and lets
// the folder go. Appends that wait get an error. Further calls give the same
// result.
func (s *Spool) Close() error {
	s.closed.Do(func() {
		close(s.closing)
		s.writer.Wait()
		s.cutting.Lock()
		defer s.cutting.Unlock()
		s.closeErr = errors.Join(s.journal.sync(), s.release())
	})
	return s.closeErr
}

// release closes every file and the lock.
func (s *Spool) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, seg := range s.segments {
		err = errors.Join(err, seg.file.Close())
	}
	if s.journal != nil {
		err = errors.Join(err, s.journal.file.Close())
	}
	return errors.Join(err, s.lock.Close())
}

// fail makes the spool refuse everything from now on: after a failed sync
// nobody knows what the disk holds. Opening it again reads what is there.
func (s *Spool) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = errs.E("spool", errs.Unavailable, err, "look at the disk under "+s.o.Folder+", then restart the collector")
		s.o.Log.Error("spool refuses everything from now on", "error", s.broken)
	}
	return s.broken
}

func (s *Spool) active() *segment { return s.segments[len(s.segments)-1] }

// FullError says that the bound is reached and when to try again. It is the
// cause inside an error of kind errs.Exhausted.
type FullError struct {
	Max        int64
	RetryAfter time.Duration
	Cause      error // the file system's, where that is what is full
}

// Error says how full.
func (e *FullError) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("no space left: %v", e.Cause)
	}
	return fmt.Sprintf("the spool holds its %d bytes", e.Max)
}

// Unwrap gives the file system's error.
func (e *FullError) Unwrap() error { return e.Cause }

func (s *Spool) full(cause error) error {
	return errs.E("append to the spool", errs.Exhausted,
		&FullError{Max: s.o.Max, RetryAfter: s.o.RetryAfter, Cause: cause},
		"is the store away? raise spool.max, or free disk space")
}
