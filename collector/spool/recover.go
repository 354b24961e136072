package spool

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Open locks the folder, reads what an earlier process left, and starts the
// writer. An interrupted write at the end of a file is cut off; it and damaged
// bytes are put aside and counted. A folder that somebody else has open is
// errs.Conflict; segments without a readable journal are errs.Corrupt, since
// nobody could tell what the store already has.
func Open(o Options) (*Spool, error) {
	if err := o.check(); err != nil {
		return nil, errs.E("open the spool", errs.Invalid, err, "")
	}
	if err := o.FS.MkdirAll(o.Folder); err != nil {
		return nil, errs.E("open the spool", errs.Other, err, "make sure that "+o.Folder+" can be written")
	}
	lock, err := o.FS.Lock(filepath.Join(o.Folder, "lock"))
	if errors.Is(err, errLocked) {
		return nil, errs.E("open the spool "+o.Folder, errs.Conflict, err, "stop the other collector, or give this one its own data folder")
	}
	if err != nil {
		return nil, errs.E("lock the spool "+o.Folder, errs.Other, err, "")
	}
	s := &Spool{
		o:        o,
		lock:     lock,
		requests: make(chan *request),
		closing:  make(chan struct{}),
		damage:   map[position]bool{},
		memory:   newMemory(o.Remember),
		began:    o.Now(),
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, s.release())
	}
	s.writer.Add(1)
	go s.write()
	return s, nil
}

// recover rebuilds the state from the folder and begins a new segment.
func (s *Spool) recover() error {
	names, err := s.o.FS.List(s.o.Folder)
	if err != nil {
		return errs.E("read the spool", errs.Other, err, "")
	}
	h, err := s.loadJournal()
	if err != nil {
		return err
	}
	var found []foundRecord
	for _, name := range names {
		first, ok := segmentFirst(name)
		if !ok {
			continue
		}
		if !h.found {
			return errs.E("open the spool", errs.Corrupt,
				fmt.Errorf("there are segments, but no head in %s", journalName),
				"put the journal back, or move the folder "+s.o.Folder+" aside and start with an empty one")
		}
		records, err := s.loadSegment(first)
		if err != nil {
			return errs.E("read the spool's segment "+name, errs.Unavailable, err, "")
		}
		found = append(found, records...)
	}
	s.restoreCuts(h, found)
	return s.begin(h)
}

func (s *Spool) loadJournal() (*history, error) {
	var contents []expiry
	journal, h, err := openJournal(&s.o, func(e expiry, named bool) {
		if !named {
			contents = append(contents, e)
			return
		}
		if now := s.clock(); e.at > now.Unix() {
			e.at = min(e.at, now.Add(s.o.RememberSender).Unix()) // the clock may have been set back
			s.memory.keep(e, named, now)
		}
	}, func(f File, path string, bad span) error { return s.setAside(f, path, 0, bad) })
	if err != nil {
		return nil, errs.E("open the spool", errs.Unavailable, err, "")
	}
	s.rememberContents(contents)
	s.journal = journal
	s.mark, s.next = h.watermark, h.next
	return h, nil
}

// rememberContents takes the keys of contents from the journal, as if no time had
// passed since the newest of them: how long nobody was here cannot be told from
// clocks that may have been set meanwhile, and a sender that could not reach us
// for so long repeats what it sent before.
func (s *Spool) rememberContents(keys []expiry) {
	newest := int64(math.MinInt64)
	for _, e := range keys {
		newest = max(newest, e.at)
	}
	now := s.clock()
	until := now.Add(s.o.RememberContent).Unix()
	for _, e := range keys {
		if e.at += until - newest; e.at > now.Unix() {
			s.memory.keep(e, false, now)
		}
	}
}

// foundRecord is a record that is not settled, and where it begins.
type foundRecord struct {
	seq   uint64
	start position
}

// loadSegment reads one segment, cuts an interrupted write off, remembers the
// keys, and gives the records behind the watermark.
func (s *Spool) loadSegment(first uint64) ([]foundRecord, error) {
	path := segmentPath(s.o.Folder, first)
	file, err := s.o.FS.Open(path)
	if err != nil {
		return nil, err
	}
	seg := &segment{first: first, path: path, file: file}
	s.segments = append(s.segments, seg)
	if seg.end, err = file.Size(); err != nil {
		return nil, err
	}
	frames := newRecordReader(file, first, 0, seg.end, func(bad span) error { return s.setAside(file, path, first, bad) })
	var found []foundRecord
	for {
		f, err := frames.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		r, err := readRecord(f)
		if err != nil {
			return nil, err
		}
		seg.last = max(seg.last, r.Seq)
		seg.records++
		if r.Seq > s.mark {
			s.memory.hold(&r, s.clock(), s.o.RememberContent)
			found = append(found, foundRecord{r.Seq, position{first, f.offset}})
		}
	}
	if frames.torn >= 0 {
		err = s.cutOff(seg, frames.torn)
	}
	s.used += seg.end
	s.next = max(s.next, seg.last+1, first)
	return found, errors.Join(err, file.Sync())
}

// cutOff ends a segment where an interrupted write began. Nobody was told that
// it is stored; but since the same is seen of a file that lost its end, what is
// left of it is put aside, too.
func (s *Spool) cutOff(seg *segment, from int64) error {
	lost := seg.end - from
	s.o.Log.Info("an interrupted write was cut off", "segment", filepath.Base(seg.path), "bytes", lost)
	if err := s.copyAside(seg.file, "torn-"+filepath.Base(seg.path)+"-"+strconv.FormatInt(from, 10), span{from, seg.end}); err != nil {
		return err
	}
	s.mu.Lock()
	s.stats.TornBytes += lost
	s.mu.Unlock()
	seg.end = from
	return seg.file.Truncate(from)
}

// restoreCuts rebuilds the ranges that are not settled. Records between two
// ranges, whose own cut the journal lost, become one range of their own, which
// begins where the lost one did: the store is asked about it.
func (s *Spool) restoreCuts(h *history, found []foundRecord) {
	s.through = s.mark
	for _, b := range h.ranges() {
		if b.first <= s.through {
			continue
		}
		if n := recordsBefore(found, b.first); n > 0 {
			s.restoreCut(bounds{s.through + 1, b.first - 1}, found[:n], false)
			found = found[n:]
		}
		n := recordsBefore(found, b.last+1)
		_, done := h.settled[b.first]
		s.restoreCut(b, found[:n], done)
		found = found[n:]
	}
	s.next = max(s.next, s.through+1)
	s.mark, s.cuts = s.markBehind()
	if len(found) > 0 {
		s.cursor = found[0].start
	}
}

// recordsBefore counts the leading records with a number below seq.
func recordsBefore(found []foundRecord, seq uint64) int {
	n := 0
	for n < len(found) && found[n].seq < seq {
		n++
	}
	return n
}

// restoreCut adds a range with the records that are left of it. One of which
// nothing is left needs no more work.
func (s *Spool) restoreCut(b bounds, records []foundRecord, done bool) {
	c := &cut{bounds: b, again: true, done: done || len(records) == 0}
	if len(records) > 0 {
		c.start = records[0].start
	}
	s.cuts = append(s.cuts, c)
	s.through = b.last
}

// begin opens the segment for new records, writes down where things stand, and
// drops what is settled.
func (s *Spool) begin(h *history) error {
	s.next = max(s.next, s.mark+1)
	if !h.found {
		s.next = max(s.next, uint64(s.o.Now().UnixMicro()))
		s.mark, s.through = s.next-1, s.next-1
	}
	s.opened = s.next - 1
	if n := len(s.segments); n > 0 && s.segments[n-1].first == s.next {
		s.used -= s.segments[n-1].end // nothing in it could be read; its bytes are in quarantine
		_ = s.segments[n-1].file.Close()
		s.segments = s.segments[:n-1]
	}
	err := s.rewriteJournal()
	if errors.Is(err, syscall.ENOSPC) && s.dropBallast() {
		err = s.rewriteJournal()
	}
	if err != nil {
		return errs.E("open the spool", errs.Unavailable, err, "free disk space, or look at the disk under "+s.o.Folder)
	}
	fresh, err := createSegment(&s.o, s.next)
	if err != nil {
		return errs.E("open the spool", errs.Unavailable, err, "free disk space, or look at the disk under "+s.o.Folder)
	}
	s.segments = append(s.segments, fresh)
	if s.cursor.segment == 0 {
		s.cursor = position{segment: s.next}
	}
	s.waiting = s.countWaiting()
	if err := s.dropSegments(); err != nil {
		return err
	}
	s.loadBallast()
	return nil
}
