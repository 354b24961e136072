package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

func open(t testing.TB, change func(*Options)) *Spool {
	t.Helper()
	o := Default()
	o.Folder = machineFolder
	if change != nil {
		change(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t testing.TB, s *Spool, body, sender string) Receipt {
	t.Helper()
	r, err := s.Append(context.Background(), Entry{Kind: Logs, Body: []byte(body), Sender: sender})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// take cuts and confirms everything and gives the bodies.
func take(t testing.TB, s *Spool) []string {
	t.Helper()
	var out []string
	for {
		b, err := s.Cut()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return out
		}
		for _, r := range b.Records {
			out = append(out, string(r.Body))
		}
		if err := s.Confirm(b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyOneProcessHasTheFolder(t *testing.T) {
	folder := t.TempDir()
	s := open(t, func(o *Options) { o.Folder = folder })
	o := Default()
	o.Folder = folder
	if _, err := Open(o); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "stop the other collector") {
		t.Errorf("a second open: %v", err)
	}
	put(t, s, "a", "")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(context.Background(), Entry{}); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("append after close: %v", err)
	}
	again := open(t, func(o *Options) { o.Folder = folder })
	if got := take(t, again); len(got) != 1 || got[0] != "a" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestNumbersNeverRepeat(t *testing.T) {
	disk := newMemDisk()
	now := time.Unix(1_800_000_000, 0)
	last := uint64(0)
	for round := range 6 {
		s := open(t, func(o *Options) { o.FS, o.Now = disk, func() time.Time { return now } })
		r := put(t, s, fmt.Sprint(round), "")
		if r.Seq <= last {
			t.Fatalf("round %d: number %d after %d", round, r.Seq, last)
		}
		last = r.Seq
		take(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if round == 3 { // somebody empties the folder, a second later
			disk, now = newMemDisk(), now.Add(time.Second)
		}
	}
}

func TestSegmentsWithoutTheirJournalAreNotGuessedAt(t *testing.T) {
	disk := newMemDisk()
	s := open(t, func(o *Options) { o.FS = disk })
	put(t, s, "a", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := disk.Remove(filepath.Join(machineFolder, journalName)); err != nil {
		t.Fatal(err)
	}
	o := Default()
	o.Folder, o.FS = machineFolder, disk
	if _, err := Open(o); errs.KindOf(err) != errs.Corrupt {
		t.Errorf("opened without a journal: %v", err)
	}
}

func TestFullRefusesAndConfirmingMakesRoom(t *testing.T) {
	s := open(t, func(o *Options) { o.FS, o.Max, o.Segment, o.RetryAfter = newMemDisk(), 4<<10, 64<<20, 3*time.Second })
	taken := 0
	var err error
	for ; err == nil; taken++ {
		_, err = s.Append(context.Background(), Entry{Kind: Logs, Body: fmt.Appendf(nil, "%0100d", taken)})
	}
	taken--
	var full *FullError
	if errs.KindOf(err) != errs.Exhausted || !errors.As(err, &full) || full.RetryAfter != 3*time.Second {
		t.Fatalf("after %d: %v", taken, err)
	}
	if st := s.Stats(); st.Bytes > 4<<10 || st.Records != taken {
		t.Errorf("%+v", st)
	}
	if s.Healthy() != nil {
		t.Error("being full is not being broken")
	}
	if got := take(t, s); len(got) != taken {
		t.Fatalf("%d of %d", len(got), taken)
	}
	put(t, s, "room again", "")
	if st := s.Stats(); st.Records != 1 {
		t.Errorf("%+v", st)
	}
}

// failing makes one kind of operation on segments or the journal fail while
// on.
func failing(op, suffix string, err error) (fault func(op, path string) error, off func()) {
	on := true
	return func(o, path string) error {
		if on && o == op && strings.HasSuffix(path, suffix) {
			return err
		}
		return nil
	}, func() { on = false }
}

func (d *memDisk) setFault(f func(op, path string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

func TestNoSpaceIsARefusalThatEnds(t *testing.T) {
	for name, cause := range map[string]error{
		"nothing written": syscall.ENOSPC, "half written": shortWrite{syscall.ENOSPC},
	} {
		disk := newMemDisk()
		s := open(t, func(o *Options) { o.FS = disk })
		put(t, s, "before", "")
		fault, off := failing("write", segmentSuffix, cause)
		disk.setFault(fault)
		if _, err := s.Append(context.Background(), Entry{Kind: Logs, Body: []byte("lost")}); errs.KindOf(err) != errs.Exhausted {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Healthy(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		off()
		put(t, s, "after", "")
		if got := take(t, s); len(got) != 2 || got[1] != "after" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWithoutSpaceForTheCutNothingIsHandedOut(t *testing.T) {
	disk := newMemDisk()
	s := open(t, func(o *Options) { o.FS = disk })
	put(t, s, "a", "")
	fault, off := failing("write", journalName, shortWrite{syscall.ENOSPC})
	disk.setFault(fault)
	if b, err := s.Cut(); b != nil || errs.KindOf(err) != errs.Exhausted {
		t.Errorf("cut: %+v, %v", b, err)
	}
	off()
	if got := take(t, s); len(got) != 1 {
		t.Errorf("afterwards: %q", got)
	}
}

// TestAFailedSyncBreaksTheSpool: after it nobody knows what the disk holds, so
// nothing is acknowledged any more, and what was not is not taken for stored.
func TestAFailedSyncBreaksTheSpool(t *testing.T) {
	for name, suffix := range map[string]string{"segment": segmentSuffix, "journal": journalName} {
		disk := newMemDisk()
		s := open(t, func(o *Options) { o.FS = disk })
		put(t, s, "before", "")
		fault, off := failing("sync", suffix, syscall.EIO)
		disk.setFault(fault)
		_, err := s.Append(context.Background(), Entry{Kind: Logs, Body: []byte("doubtful")})
		if suffix == journalName {
			_, err = s.Cut()
		}
		if errs.KindOf(err) != errs.Unavailable || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", name, err)
		}
		off()
		if _, err := s.Append(context.Background(), Entry{Kind: Logs, Body: []byte("later")}); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("%s: the broken spool takes more: %v", name, err)
		}
		if s.Healthy() == nil {
			t.Errorf("%s: healthy", name)
		}
		_ = s.Close()
		again := open(t, func(o *Options) { o.FS = disk })
		got := take(t, again)
		if suffix == segmentSuffix && (len(got) != 1 || got[0] != "before") {
			t.Errorf("%s: after a restart %q", name, got)
		}
		if r := put(t, again, "doubtful", ""); suffix == segmentSuffix && r.Duplicate {
			t.Errorf("%s: what was never acknowledged counts as stored", name)
		}
	}
}

func TestRepeatedRequestsAreKnownForTheirTime(t *testing.T) {
	disk := newMemDisk()
	now := time.Unix(1_800_000_000, 0)
	var s *Spool
	reopen := func() {
		if s != nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, func(o *Options) { o.FS, o.Now = disk, func() time.Time { return now } })
	}
	expect := func(when, body, sender string, want bool) {
		t.Helper()
		if r := put(t, s, body, sender); r.Duplicate != want {
			t.Errorf("%s: duplicate %t, want %t", when, r.Duplicate, want)
		}
	}
	reopen()
	expect("first", "a", "agent/1", false)
	expect("at once", "a", "agent/1", true)
	expect("the same name for something else", "b", "agent/1", false)
	expect("the same without a name", "a", "", false)
	expect("without a name again", "a", "", true)
	now = now.Add(9 * time.Minute)
	reopen()
	expect("waiting, after a restart", "a", "agent/1", true)
	expect("content after 9 minutes and a restart", "a", "", true)
	take(t, s)
	reopen()
	expect("content, confirmed, after a restart", "a", "", true)
	now = now.Add(9 * time.Minute)
	expect("content 9 minutes after the restart", "a", "", true)
	now = now.Add(2 * time.Minute)
	expect("content 11 minutes after the restart", "a", "", false)
	now = now.Add(23 * time.Hour)
	expect("confirmed, after 23 hours", "a", "agent/1", true)
	reopen()
	expect("and a restart", "a", "agent/1", true)
	now = now.Add(time.Hour)
	expect("after more than 24 hours", "a", "agent/1", false)
	if n := s.Stats().Duplicates; n == 0 {
		t.Errorf("%d duplicates counted", n)
	}
}

// The clock is set while nobody is here: what came last is known for its time
// after the restart, and not longer.
func TestAClockThatWasSetForgetsNothing(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		for _, confirmed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/confirmed=%t", step, confirmed), func(t *testing.T) {
				disk := newMemDisk()
				now := time.Unix(1_800_000_000, 0)
				options := func(o *Options) { o.FS, o.Now = disk, func() time.Time { return now } }
				s := open(t, options)
				put(t, s, "old", "")
				now = now.Add(8 * time.Minute)
				put(t, s, "new", "")
				put(t, s, "named", "agent/1")
				if confirmed {
					take(t, s)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				now = now.Add(step)
				s = open(t, options)
				if !put(t, s, "new", "").Duplicate || !put(t, s, "old", "").Duplicate || !put(t, s, "named", "agent/1").Duplicate {
					t.Error("something was forgotten")
				}
				now = now.Add(9 * time.Minute)
				if !put(t, s, "new", "").Duplicate || !put(t, s, "named", "agent/1").Duplicate {
					t.Error("something was forgotten after 9 minutes")
				}
				if confirmed && put(t, s, "old", "").Duplicate {
					t.Error("what came 17 minutes ago is still known")
				}
				now = now.Add(2 * time.Minute)
				if put(t, s, "new", "").Duplicate {
					t.Error("what came before the restart is known for more than 10 minutes after it")
				}
			})
		}
	}
}

func TestMemoryForNamesIsBounded(t *testing.T) {
	s := open(t, func(o *Options) { o.FS, o.Remember = newMemDisk(), 10 })
	for i := range 100 {
		put(t, s, fmt.Sprint(i), fmt.Sprint("agent/", i))
	}
	take(t, s)
	if n := len(s.memory.expires); n != 10 {
		t.Errorf("%d names in memory", n)
	}
	if st := s.Stats(); st.Forgotten != 90 {
		t.Errorf("%+v", st)
	}
	if r := put(t, s, "99", "agent/99"); !r.Duplicate {
		t.Error("the newest name was forgotten")
	}
}

func TestConfirmedSegmentsGoAndQuarantineStays(t *testing.T) {
	folder := t.TempDir()
	s := open(t, func(o *Options) { o.Folder, o.Segment, o.BatchRecords = folder, 1<<10, 3 })
	for i := range 60 {
		put(t, s, fmt.Sprintf("%0100d", i), "")
	}
	b, err := s.Cut()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Quarantine(b, "for the test"); err != nil {
		t.Fatal(err)
	}
	if err := s.Confirm(b); errs.KindOf(err) != errs.Invalid {
		t.Errorf("confirmed what was put aside: %v", err)
	}
	take(t, s)
	segments, _ := filepath.Glob(filepath.Join(folder, "*"+segmentSuffix))
	if len(segments) != 1 {
		t.Errorf("segments left: %q", segments)
	}
	reasons, _ := filepath.Glob(filepath.Join(folder, quarantineFolder, "*.reason.txt"))
	frames, _ := filepath.Glob(filepath.Join(folder, quarantineFolder, "*"+segmentSuffix))
	if len(reasons) != 1 || len(frames) != 1 {
		t.Fatalf("quarantine: %q %q", reasons, frames)
	}
	raw, err := os.ReadFile(frames[0])
	if err != nil {
		t.Fatal(err)
	}
	r := newFrameReader(bytes.NewReader(raw), 0, int64(len(raw)), nil)
	for i := range b.Records {
		f, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if rec, err := readRecord(f); err != nil || !bytes.Equal(rec.Body, b.Records[i].Body) || rec.Seq != b.Records[i].Seq {
			t.Errorf("record %d in quarantine: %+v, %v", i, rec, err)
		}
	}
	if st := s.Stats(); st.QuarantinedBatches != 1 || st.Records != 0 {
		t.Errorf("%+v", st)
	}
}

func TestDamageIsPutAsideOnceAndCounted(t *testing.T) {
	disk := newMemDisk()
	s := open(t, func(o *Options) { o.FS = disk })
	for i := range 3 {
		put(t, s, strings.Repeat(fmt.Sprint(i), 50), "")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := disk.files(segmentSuffix)[0]
	frameSize := headerSize + envelopeSize + 50
	disk.names[path].data[frameSize+headerSize+envelopeSize+7] ^= 1 // in the second one
	for range 2 {
		s = open(t, func(o *Options) { o.FS = disk })
		if st := s.Stats(); st.DamagedBytes != int64(frameSize) || st.Records != 2 {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if aside := disk.files(fmt.Sprintf("-%d", frameSize)); len(aside) != 1 {
		t.Errorf("put aside: %q", aside)
	}
	s = open(t, func(o *Options) { o.FS = disk })
	if got := take(t, s); len(got) != 2 || got[0][0] != '0' || got[1][0] != '2' {
		t.Errorf("what is intact: %q", got)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, 1, []byte("one")), 2, nil))
	f.Add(append(appendFrame(nil, 1, magic), "rubbish"...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		covered := int64(0)
		r := newFrameReader(bytes.NewReader(raw), 0, int64(len(raw)), func(s span) error {
			if s.from < covered || s.to <= s.from || s.to > int64(len(raw)) {
				t.Fatalf("damage %+v after %d of %d", s, covered, len(raw))
			}
			covered = s.to
			return nil
		})
		for {
			fr, err := r.next()
			if err != nil {
				break
			}
			if fr.offset != covered || !bytes.Equal(appendFrame(nil, fr.seq, fr.payload), raw[fr.offset:fr.end()]) {
				t.Fatalf("frame %+v after %d is not what the bytes say", fr, covered)
			}
			covered = fr.end()
		}
		if r.torn >= 0 {
			if r.torn != covered {
				t.Fatalf("torn at %d, covered to %d", r.torn, covered)
			}
			covered = int64(len(raw))
		}
		if covered != int64(len(raw)) {
			t.Fatalf("%d of %d bytes are accounted for", covered, len(raw))
		}
		if fr, err := newFrameReader(bytes.NewReader(append(bytes.Clone(raw), appendFrame(nil, 9, []byte("intact"))...)), int64(len(raw)), int64(len(raw)+headerSize+6), nil).next(); err != nil || fr.seq != 9 {
			t.Fatalf("an intact frame behind it: %+v, %v", fr, err)
		}
	})
}
