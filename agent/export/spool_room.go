package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// admit says whether n more bytes of this kind fit. Traces and predictions that
// wait make room for logs: a window is never refused for their sake.
func (s *spool) admit(k Kind, n int64) error {
	total := int64(0)
	for _, c := range s.counts {
		total += c.Bytes
	}
	over := total + n - s.max
	switch {
	case k == Metrics && s.counts[k].Bytes+n > s.max/2, k == Predictions && s.counts[k].Bytes+n > s.max/4, k == Traces && s.counts[k].Bytes+n > s.max/8:
	case over <= 0:
		return nil
	case k == Logs && over <= s.counts[Predictions].Bytes+s.counts[Traces].Bytes:
		return s.evict(over)
	}
	return errs.E("append to the export spool", errs.Exhausted,
		fmt.Errorf("%d bytes of %s do not fit, %d of %d are used", n, k, total, s.max),
		"the collector takes less than is produced; see whether it is up, or raise export.spool.max")
}

// evict removes the oldest traces, and where those are not enough the oldest
// predictions, until n bytes are free. It may take the one that is being sent.
func (s *spool) evict(n int64) error {
	for n > 0 {
		k := Traces
		if len(s.queues[k]) == 0 {
			k = Predictions
		}
		counts, e := s.counts[k], s.queues[k][0]
		records := s.recordsOf(e)
		if err := os.Remove(filepath.Join(s.folder, e.name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errs.E("make room in the export spool", errs.Unavailable, err, "")
		}
		counts.Evicted++
		counts.RecordsEvicted += records
		s.drop(e)
		n -= e.size
	}
	return nil
}

// recordsOf gives how many records a request holds; 0 where its file does not
// say so.
func (s *spool) recordsOf(e entry) int64 {
	if e.records != unread {
		return e.records
	}
	raw, err := os.ReadFile(filepath.Join(s.folder, e.name()))
	if err != nil {
		return 0
	}
	r, err := decodeRequest(e.kind, raw)
	if err != nil {
		return 0
	}
	return r.Records
}

// expire removes what has waited longer than maxAge, the oldest first. A clock
// that was set back lets requests wait longer, never shorter than they should.
func (s *spool) expire(k Kind) error {
	if s.maxAge <= 0 {
		return nil
	}
	before, counts, was := s.now().Add(-s.maxAge), s.counts[k], s.counts[k].Expired
	for len(s.queues[k]) > 0 && s.queues[k][0].since.Before(before) {
		e := s.queues[k][0]
		records := s.recordsOf(e)
		if err := removeIfThere(filepath.Join(s.folder, e.name())); err != nil {
			return errs.E("remove what has waited too long from the export spool", errs.Unavailable, err, "")
		}
		counts.Expired++
		counts.RecordsExpired += records
		s.drop(e)
	}
	if n := counts.Expired - was; n > 0 {
		s.log.Error("requests have waited too long for the collector and are removed; see whether it is up, or raise export.spool.max_age",
			"signal", k, "requests", n, "max_age", s.maxAge)
	}
	return nil
}
