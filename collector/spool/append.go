package spool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// groupBytes bounds what one fsync covers.
const groupBytes = 8 << 20

// Receipt says what became of an entry.
type Receipt struct {
	Seq       uint64 // 0 for a duplicate
	Duplicate bool   // it is stored, or waits, from an earlier request
}

type request struct {
	entry   *Entry
	key     key
	receipt Receipt
	err     error
	done    chan struct{}
}

// Append stores an entry and returns after the fsync that covers it; so does a
// duplicate of an entry that waits for its fsync. An error of kind
// errs.Exhausted (with a *FullError) means full, errs.Unavailable that the
// spool is closed or broken. When ctx ends first the entry may be stored all
// the same, as if the acknowledgement had been lost.
func (s *Spool) Append(ctx context.Context, entry Entry) (Receipt, error) {
	if len(entry.Body) > maxPayload-envelopeSize {
		return Receipt{}, errs.E("append to the spool", errs.Invalid, fmt.Errorf("%d bytes are too many for one record", len(entry.Body)), "")
	}
	r := &request{entry: &entry, key: entry.key(), done: make(chan struct{})}
	buf := entry.pack(s.o.PackAbove)
	select {
	case s.requests <- r:
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	case <-s.closing:
		return Receipt{}, errs.E("append to the spool", errs.Unavailable, errors.New("the spool is closed"), "")
	}
	select {
	case <-r.done:
		if buf != nil {
			buffers.Put(buf)
		}
		return r.receipt, r.err
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
}

// write is the writer goroutine: it takes what waits as one group, again and
// again, until the spool closes.
func (s *Spool) write() {
	defer s.writer.Done()
	for {
		select {
		case r := <-s.requests:
			group := s.gather(r)
			s.commit(group)
			for _, r := range group {
				close(r.done)
			}
		case <-s.closing:
			return
		}
	}
}

func (s *Spool) gather(first *request) []*request {
	group, size := []*request{first}, len(first.entry.onDisk())
	for size < groupBytes {
		select {
		case r := <-s.requests:
			group, size = append(group, r), size+len(r.entry.onDisk())
		default:
			return group
		}
	}
	return group
}

// plan is a group made into bytes.
type plan struct {
	buf     []byte
	records []Record   // without bodies
	owners  []*request // the request of each record
	copies  []*request // duplicates of a record in this very group
}

// commit writes and syncs a group and sets every request's result.
func (s *Spool) commit(group []*request) {
	p, err := s.prepare(group)
	if err == nil && len(p.buf) > 0 {
		err = s.store(p.buf)
	}
	if err != nil {
		for _, r := range append(p.owners, p.copies...) {
			r.receipt, r.err = Receipt{}, err
		}
		return
	}
	s.publish(&p)
	if cap(p.buf) <= groupBytes {
		s.spare = p.buf[:0]
	}
}

// prepare decides about each request: duplicate, no room, or a frame.
func (s *Spool) prepare(group []*request) (plan, error) {
	var p plan
	if err := s.makeRoom(); err != nil {
		p.owners = group
		return p, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.buf = s.spare
	now := s.clock()
	inGroup := map[key]bool{}
	for _, r := range group {
		switch size := int64(headerSize + envelopeSize + len(r.entry.onDisk())); {
		case s.memory.knows(r.key, now):
			r.receipt = Receipt{Duplicate: true}
			s.stats.Duplicates++
		case inGroup[r.key]:
			r.receipt = Receipt{Duplicate: true}
			p.copies = append(p.copies, r)
		case s.used+int64(len(p.buf))+size > s.o.Max:
			r.err = s.full(nil)
		default:
			seq := s.next + uint64(len(p.records))
			received := r.entry.Received
			if received.IsZero() {
				received = s.o.Now()
			}
			rec := Record{Seq: seq, Kind: r.entry.Kind, Received: received, key: r.key, named: r.entry.Sender != ""}
			start := len(p.buf)
			p.buf = append(slices.Grow(p.buf, int(size)), make([]byte, headerSize)...)
			p.buf = appendRecord(p.buf, r.entry, r.key, received)
			sealFrame(p.buf[start:], seq)
			r.receipt = Receipt{Seq: seq}
			p.records, p.owners = append(p.records, rec), append(p.owners, r)
			inGroup[r.key] = true
		}
	}
	return p, nil
}

// makeRoom begins a new segment when the active one has its size, or when it
// is all confirmed and only stands in the way. While the ballast is gone there is
// no room.
func (s *Spool) makeRoom() error {
	if s.withoutBallast() {
		if s.loadBallast(); s.withoutBallast() {
			return s.full(syscall.ENOSPC)
		}
	}
	s.mu.Lock()
	broken, seg, next := s.broken, s.active(), s.next
	done := seg.last > 0 && seg.last <= s.mark
	turn := seg.end >= s.o.segmentSize() || done && s.used > s.o.Max/2
	s.mu.Unlock()
	if broken != nil || !turn || seg.end == 0 {
		return broken
	}
	fresh, err := createSegment(&s.o, next)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return s.full(err)
	case err != nil:
		return s.fail(err)
	}
	s.mu.Lock()
	s.segments = append(s.segments, fresh)
	s.mu.Unlock()
	if !done {
		return nil
	}
	s.cutting.Lock()
	defer s.cutting.Unlock()
	return s.dropSegments()
}

// store writes behind the active segment's end and syncs. A write that fails
// is taken back; a sync that fails breaks the spool.
func (s *Spool) store(buf []byte) error {
	s.mu.Lock()
	seg := s.active() // only this goroutine changes its end
	s.mu.Unlock()
	if _, err := seg.file.WriteAt(buf, seg.end); err != nil {
		if undo := seg.file.Truncate(seg.end); undo != nil || !errors.Is(err, syscall.ENOSPC) {
			return s.fail(errors.Join(err, undo))
		}
		return s.full(err)
	}
	if err := seg.file.Sync(); err != nil {
		return s.fail(errors.Join(err, seg.file.Truncate(seg.end)))
	}
	return nil
}

// publish makes a synced group visible to Cut and to later duplicates.
func (s *Spool) publish(p *plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg := s.active()
	seg.end += int64(len(p.buf))
	s.used += int64(len(p.buf))
	s.waiting += len(p.records)
	s.stats.Duplicates += uint64(len(p.copies))
	now := s.clock()
	for i := range p.records {
		s.memory.hold(&p.records[i], now, s.o.RememberContent)
		s.next = p.records[i].Seq + 1
		seg.last = p.records[i].Seq
		seg.records++
	}
}
