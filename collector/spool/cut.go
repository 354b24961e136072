package spool

import (
	"errors"
	"io"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Batch is a cut range with its records. First names it for good.
type Batch struct {
	First, Last uint64
	// Again says that an earlier process may have handed the range, or some of
	// its records, to the store.
	Again bool
	// More says that records wait behind it.
	More    bool
	Records []Record // in order; fewer than Last-First+1 where some were damaged
}

// cut is a range whose bounds are in the journal.
type cut struct {
	bounds
	start position
	again bool
	done  bool
}

// Cut gives the next range, whose bounds are durable: first those that an
// earlier process cut and did not settle, then new ones. A batch belongs to
// the caller until Confirm or Quarantine and is not given again by this
// process. Nil without an error means that nothing waits.
func (s *Spool) Cut() (*Batch, error) {
	s.cutting.Lock()
	defer s.cutting.Unlock()
	if err := s.Healthy(); err != nil {
		return nil, err
	}
	for s.handed < len(s.cuts) && s.cuts[s.handed].done {
		s.handed++
	}
	if s.handed < len(s.cuts) {
		c := s.cuts[s.handed]
		b, err := s.readCut(c)
		if err == nil {
			s.handed++
		}
		return b, err
	}
	c, b, after, err := s.gatherCut()
	if err != nil || c == nil {
		return nil, err
	}
	if err := s.record([][]byte{appendOp(nil, opCut, c.first, c.last)}, true); err != nil {
		return nil, err
	}
	s.cuts = append(s.cuts, c)
	s.handed++
	s.cursor, s.through = after, c.last
	return b, nil
}

// readCut reads the records of a range that was cut before.
func (s *Spool) readCut(c *cut) (*Batch, error) {
	b := &Batch{First: c.first, Last: c.last, Again: c.again, More: true}
	err := s.readFrom(c.start, func(r Record, _ position) bool {
		if r.Seq > c.last {
			return false
		}
		if r.Seq >= c.first {
			r.unpack()
			b.Records = append(b.Records, r)
		}
		return true
	})
	return b, err
}

// gatherCut reads the next new range; after is where the one behind it begins.
func (s *Spool) gatherCut() (c *cut, b *Batch, after position, err error) {
	b = &Batch{}
	var size int64
	err = s.readFrom(s.cursor, func(r Record, behind position) bool {
		size += r.size()
		tooMany := r.Seq-s.through > uint64(s.o.BatchRecords) // damaged ones count too
		if len(b.Records) > 0 && (tooMany || size > s.o.BatchBytes) {
			b.More = true
			return false
		}
		r.unpack()
		b.Records = append(b.Records, r)
		after = behind
		return true
	})
	if err != nil || len(b.Records) == 0 {
		return nil, nil, position{}, err
	}
	// A range begins right behind the one before it, also where a record in
	// between was damaged: so the number can be found again if the journal loses it.
	b.First, b.Last = s.through+1, b.Records[len(b.Records)-1].Seq
	b.Again = b.First <= s.opened
	return &cut{bounds: bounds{b.First, b.Last}, start: s.cursor, again: b.Again}, b, after, nil
}

// view is what a reader may see of a segment.
type view struct {
	first uint64
	path  string
	file  File
	end   int64
}

// readFrom gives the synced records from a position on, each with the position
// behind it, until visit says no. The caller holds cutting, so that no segment
// goes away.
func (s *Spool) readFrom(from position, visit func(r Record, behind position) bool) error {
	for _, v := range s.views(from.segment) {
		start := int64(0)
		if v.first == from.segment {
			start = from.offset
		}
		frames := newRecordReader(v.file, v.first, start, v.end, func(bad span) error {
			return s.setAside(v.file, v.path, v.first, bad)
		})
		for {
			f, err := frames.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return errs.E("read the spool", errs.Unavailable, err, "look at the disk under "+s.o.Folder)
			}
			r, err := readRecord(f)
			if err != nil {
				return errs.E("read the spool", errs.Corrupt, err, "")
			}
			if !visit(r, position{v.first, f.end()}) {
				return nil
			}
		}
	}
	return nil
}

func (s *Spool) views(from uint64) []view {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []view
	for _, seg := range s.segments {
		if seg.first >= from {
			out = append(out, view{seg.first, seg.path, seg.file, seg.end})
		}
	}
	return out
}

// record appends to the journal, with a sync where the entries must hold
// before anything else happens.
func (s *Spool) record(entries [][]byte, sync bool) error {
	err := s.journal.append(entries...)
	if errors.Is(err, syscall.ENOSPC) && s.dropBallast() {
		err = s.journal.append(entries...)
	}
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return s.full(err)
		}
		return s.fail(err)
	}
	if !sync {
		return nil
	}
	if err := s.journal.sync(); err != nil {
		return s.fail(err)
	}
	return nil
}

// Uncut gives the number of the first record that no range has yet: every range
// that is cut from now on begins there or later.
func (s *Spool) Uncut() uint64 {
	s.cutting.Lock()
	defer s.cutting.Unlock()
	return s.through + 1
}
