package export

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Kind is the signal that a request carries; each keeps its own order.
type Kind string

// The kinds.
const (
	Logs        Kind = "logs"        // evidence: windows, baselines, lineage
	Metrics     Kind = "metrics"     // views
	Predictions Kind = "predictions" // single rows, as logs
	Traces      Kind = "traces"      // single requests and windows, as spans
)

var kinds = []Kind{Logs, Metrics, Predictions, Traces}

// spool keeps OTLP requests on disk until the collector has them: one file for
// each request, named <number>.<kind>, written aside, fsynced and renamed, so
// that it is there whole or not at all. Numbers never repeat, also not over
// restarts: the collector deduplicates by them.
//
// Logs may use all of max, metrics half, predictions a quarter and traces an eighth
// of it. What does not fit is refused, except that waiting traces, and then
// predictions, make room for logs.
// Safe for concurrent use; one process at a time (the state folder's lock).
type spool struct {
	folder     string
	quarantine string // what the collector will never take; part of it, at most an eighth of max
	max        int64
	maxAge     time.Duration    // of what waits; 0: any age
	now        func() time.Time // the clock of the files
	log        *slog.Logger
	syncFolder func(folder string) error // tests let it fail

	mu      sync.Mutex
	next    uint64 // number of the next request
	granted uint64 // numbers below it may be given out; on disk
	queues  map[Kind][]entry
	counts  map[Kind]*Counts
	aside   []entry // quarantined, oldest first
	wake    map[Kind]chan struct{}
}

// grant is how many numbers are reserved at once: a crash skips at most these.
const grant = 1 << 12

const (
	numberFile   = "next"
	quarantineIn = "quarantine"
)

// openSpool opens or makes the folder. Numbers go on where they were, but not
// below first. Files that a crash left half written are removed: they were
// never acknowledged.
func openSpool(folder string, max int64, first uint64, log *slog.Logger) (*spool, error) {
	s := &spool{
		folder: folder, quarantine: filepath.Join(folder, quarantineIn), max: max, now: time.Now, log: log, syncFolder: syncFolder, next: first,
		queues: map[Kind][]entry{}, counts: map[Kind]*Counts{}, wake: map[Kind]chan struct{}{},
	}
	for _, k := range kinds {
		s.counts[k] = new(Counts)
		s.wake[k] = make(chan struct{}, 1)
	}
	const op, hint = "open export spool", "the agent's state folder must be writable for its user"
	if err := os.MkdirAll(s.quarantine, 0o700); err != nil {
		return nil, errs.E(op, errs.Denied, err, hint)
	}
	if err := s.scan(); err != nil {
		return nil, errs.E(op, errs.Other, err, hint)
	}
	if err := s.reserve(); err != nil {
		return nil, errs.E(op, errs.Denied, err, hint)
	}
	return s, nil
}

// scan reads the folders and the number file.
func (s *spool) scan() error {
	waiting, err := scanFolder(s.folder)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		s.queues[e.kind] = append(s.queues[e.kind], e)
		s.counts[e.kind].Waiting++
		s.counts[e.kind].Bytes += e.size
		s.next = max(s.next, e.number+1)
	}
	if s.aside, err = scanFolder(s.quarantine); err != nil {
		return err
	}
	for _, e := range s.aside {
		s.next = max(s.next, e.number+1)
	}
	raw, err := os.ReadFile(filepath.Join(s.folder, numberFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w", numberFile, err)
	}
	s.next = max(s.next, n)
	return nil
}

// reserve makes the next numbers usable: on disk first, so that after a crash
// none of them is given out again.
func (s *spool) reserve() error {
	granted := s.next + grant
	if err := s.writeFile(numberFile, []byte(strconv.FormatUint(granted, 10))); err != nil {
		return err
	}
	s.granted = granted
	return nil
}

// Append stores a request; when it returns nil, the request survives a crash.
// A full spool is errs.Exhausted, any other failure of the disk
// errs.Unavailable; both are counted as refused.
func (s *spool) Append(r *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw := r.encode()
	if err := s.admit(r.Kind, int64(len(raw))); err != nil {
		s.counts[r.Kind].Refused++
		return err
	}
	if s.next >= s.granted {
		if err := s.reserve(); err != nil {
			s.counts[r.Kind].Refused++
			return errs.E("number a request in the export spool", errs.Unavailable, err, "")
		}
	}
	e := entry{number: s.next, kind: r.Kind, size: int64(len(raw)), since: s.now(), records: r.Records}
	s.next++ // also when the write fails: no number comes twice
	if err := s.writeFile(e.name(), raw); err != nil {
		// What was refused is written again under another number: if this file
		// came through, it would be sent beside it after the next start.
		err = errors.Join(err, removeIfThere(filepath.Join(s.folder, e.name())))
		s.counts[r.Kind].Refused++
		return errs.E("write to the export spool", errs.Unavailable, err, "")
	}
	c := s.counts[r.Kind]
	c.Appended++
	c.Waiting++
	c.Bytes += e.size
	s.queues[r.Kind] = append(s.queues[r.Kind], e)
	select {
	case s.wake[r.Kind] <- struct{}{}:
	default:
	}
	return nil
}

// Oldest gives the oldest request of a kind, or nil if there is none. What has
// waited too long is removed first. A file that is not what was written is put
// aside and the next one taken.
func (s *spool) Oldest(k Kind) (*request, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.expire(k); err != nil {
		return nil, 0, err
	}
	for len(s.queues[k]) > 0 {
		e := s.queues[k][0]
		raw, err := os.ReadFile(filepath.Join(s.folder, e.name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, 0, errs.E("read from the export spool", errs.Unavailable, err, "")
		}
		r, damage := decodeRequest(k, raw)
		if damage == nil {
			s.queues[k][0].records = r.Records
			return r, e.number, nil
		}
		s.log.Error("a request in the export spool is damaged; it is put aside", "file", e.name(), "error", damage)
		s.counts[k].Damaged++
		s.counts[k].RecordsDamaged += max(0, e.records)
		s.putAside(e)
	}
	return nil, 0, nil
}

// Done removes the oldest request: the collector has acknowledged it. One that
// had to make room meanwhile is gone already, and counts as lost.
func (s *spool) Done(k Kind, number uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.head(k, number)
	if e == nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.folder, e.name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("remove from the export spool", errs.Unavailable, err, "")
	}
	s.counts[k].Sent++
	s.counts[k].RecordsSent += max(0, e.records)
	s.drop(*e)
	return nil
}

// Reject notes that the collector dropped records of the oldest request, which
// it took.
func (s *spool) Reject(k Kind, number uint64, records int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[k].Rejected += records
	if e, _ := s.head(k, number); e != nil && e.records > 0 {
		lost := min(records, e.records)
		s.counts[k].RecordsRefused += lost
		e.records -= lost
	}
}

// head gives the oldest request, which should have this number; nil without an
// error where that one had to make room.
func (s *spool) head(k Kind, number uint64) (*entry, error) {
	if len(s.queues[k]) == 0 || s.queues[k][0].number > number {
		return nil, nil
	}
	e := &s.queues[k][0]
	if e.number != number {
		return nil, fmt.Errorf("request %d is acknowledged, but %d is the oldest", number, e.number)
	}
	return e, nil
}

// drop takes the first entry out of its queue and account.
func (s *spool) drop(e entry) {
	s.queues[e.kind] = s.queues[e.kind][1:]
	s.counts[e.kind].Waiting--
	s.counts[e.kind].Bytes -= e.size
}
