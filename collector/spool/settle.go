package spool

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Confirm says that the store has a batch. Its records go as soon as their
// segment holds nothing else. The note itself becomes durable lazily: after a
// crash the batch may come again, marked Again. Confirming twice is an error.
func (s *Spool) Confirm(b *Batch) error {
	s.cutting.Lock()
	defer s.cutting.Unlock()
	return s.settle(b)
}

// Quarantine puts a batch aside, with the reason beside it, and counts it. It
// is never deleted: its frames are under quarantine in the spool's folder.
func (s *Spool) Quarantine(b *Batch, reason string) error {
	s.cutting.Lock()
	defer s.cutting.Unlock()
	var frames []byte
	for i := range b.Records {
		r := &b.Records[i]
		entry := Entry{Kind: r.Kind, Body: r.Body}
		if r.named {
			entry.Sender = "-" // only whether there was one is kept, with the key
		}
		frames = appendFrame(frames, r.Seq, appendRecord(nil, &entry, r.key, r.Received))
	}
	name := fmt.Sprintf("batch-%020d-%020d", b.First, b.Last)
	err := s.keepFile(name+segmentSuffix, frames)
	if err == nil {
		err = s.keepFile(name+".reason.txt", []byte(reason+"\n"))
	}
	if err != nil {
		return errs.E("put a batch aside", errs.Unavailable, err, "look at the disk under "+s.o.Folder)
	}
	if err := s.settle(b); err != nil {
		return err
	}
	s.mu.Lock()
	s.stats.QuarantinedBatches++
	s.mu.Unlock()
	return nil
}

// settle notes that a batch needs no more work and frees what it can.
func (s *Spool) settle(b *Batch) error {
	var c *cut
	for _, candidate := range s.cuts[:s.handed] {
		if candidate.first == b.First && !candidate.done {
			c = candidate
		}
	}
	if c == nil {
		return errs.E("confirm a batch", errs.Invalid, fmt.Errorf("%d is not a batch that waits", b.First), "")
	}
	c.done = true
	mark, left := s.markBehind()
	settled := appendOp(nil, opSettled, c.first, c.last, mark)
	err := s.record(append([][]byte{settled}, s.releaseKeys(b)...), false)
	if errors.Is(err, syscall.ENOSPC) {
		// The keys stay in memory and are written when the journal is shortened; a
		// crash before that forgets them, but a full spool would never be emptied.
		err = s.record([][]byte{settled}, false)
	}
	if err != nil {
		c.done = false
		return err
	}
	s.handed = max(0, s.handed-(len(s.cuts)-len(left)))
	s.cuts = left
	s.mu.Lock()
	s.mark = mark
	s.waiting = s.countWaiting()
	s.mu.Unlock()
	return s.dropSegments()
}

// markBehind gives the watermark as the cuts stand, and the cuts from there on.
func (s *Spool) markBehind() (uint64, []*cut) {
	mark, left := s.mark, s.cuts
	for len(left) > 0 && left[0].done {
		mark, left = left[0].last, left[1:]
	}
	return mark, left
}

// releaseKeys starts the time that a batch's keys are remembered for, and
// gives the journal's entries about them.
func (s *Spool) releaseKeys(b *Batch) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var entries [][]byte
	now := s.clock()
	for i := range b.Records {
		r := &b.Records[i]
		if e, ok := s.memory.release(r, s.o.RememberSender, now); ok {
			entries = append(entries, appendKeyOp(nil, e, r.named))
		}
	}
	return entries
}

// countWaiting counts the records behind the watermark; mu is held.
func (s *Spool) countWaiting() int {
	n := 0
	for _, seg := range s.segments {
		if seg.last > s.mark {
			n += int(min(uint64(seg.records), seg.last-s.mark))
		}
	}
	return n
}

// dropSegments deletes the segments that are settled as a whole, after their
// notes in the journal are durable, and shortens the journal. The caller holds
// cutting.
func (s *Spool) dropSegments() error {
	s.mu.Lock()
	n := 0
	for n < len(s.segments)-1 && s.segments[n].last <= s.mark {
		n++
	}
	gone := append([]*segment(nil), s.segments[:n]...)
	s.mu.Unlock()
	if n > 0 {
		if err := s.journal.sync(); err != nil {
			return s.fail(err)
		}
	}
	for _, seg := range gone {
		if err := seg.remove(s.o.FS); err != nil {
			s.o.Log.Warn("a confirmed segment stays until the next start", "path", filepath.Base(seg.path), "error", err)
		}
	}
	s.mu.Lock()
	for _, seg := range gone {
		s.used -= seg.end
	}
	s.segments = append([]*segment(nil), s.segments[n:]...)
	s.mu.Unlock()
	short := s.withoutBallast()
	if short {
		s.loadBallast()
	}
	if s.journal.end > 2*s.journal.base+rewriteAt || short && !s.withoutBallast() {
		return s.shortenJournal()
	}
	return nil
}

// shortenJournal rewrites the journal; without space the old one goes on.
func (s *Spool) shortenJournal() error {
	err := s.rewriteJournal()
	if errors.Is(err, syscall.ENOSPC) {
		s.o.Log.Warn("the journal of cuts stays long", "error", err)
		return nil
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// rewriteJournal keeps of the journal what still counts. The head stands
// twice, since without it nobody knows what is settled.
func (s *Spool) rewriteJournal() error {
	s.mu.Lock()
	head := appendOp(nil, opHead, s.next, s.mark)
	entries := [][]byte{head, head}
	s.memory.live(s.clock(), func(e expiry, named bool) {
		entries = append(entries, appendKeyOp(nil, e, named))
	})
	s.mu.Unlock()
	for _, c := range s.cuts {
		entries = append(entries, appendOp(nil, opCut, c.first, c.last))
		if c.done {
			entries = append(entries, appendOp(nil, opSettled, c.first, c.last, s.mark))
		}
	}
	return s.journal.rewrite(entries)
}
