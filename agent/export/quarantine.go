package export

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Quarantine puts the oldest request aside: the collector will never take it.
// One that had to make room meanwhile is gone already.
func (s *spool) Quarantine(k Kind, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, _ := s.head(k, number) // its error is that of an acknowledgement, which this is not
	if e == nil {
		return
	}
	s.counts[k].Quarantined++
	s.counts[k].RecordsRefused += max(0, e.records)
	s.putAside(*e)
}

func (s *spool) putAside(e entry) {
	err := os.Rename(filepath.Join(s.folder, e.name()), filepath.Join(s.quarantine, e.name()))
	s.drop(e)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.log.Error("a request could not be moved to quarantine and is lost", "file", e.name(), "error", err)
		return
	}
	s.aside = append(s.aside, e)
	s.trimQuarantine()
}

// trimQuarantine keeps the newest files, up to an eighth of the spool.
func (s *spool) trimQuarantine() {
	var total int64
	for _, e := range s.aside {
		total += e.size
	}
	for total > s.max/8 && len(s.aside) > 1 {
		oldest := s.aside[0]
		if err := os.Remove(filepath.Join(s.quarantine, oldest.name())); err != nil {
			s.log.Warn("an old quarantined request could not be removed", "file", oldest.name(), "error", err)
		}
		s.counts[oldest.kind].Forgotten++
		total -= oldest.size
		s.aside = s.aside[1:]
	}
}
