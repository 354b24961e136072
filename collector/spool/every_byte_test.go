package spool

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// smallSpool is a spool of five requests, closed: the file of its segment, that
// of its journal, and what the records are. Two of them look like frames inside.
type smallSpool struct {
	segment, journal string
	files            map[string][]byte
	bodies           []string
	ends             []int // in the segment, of each frame
}

func newSmallSpool(t *testing.T) smallSpool {
	t.Helper()
	disk := newMemDisk()
	s := open(t, func(o *Options) { o.FS, o.BatchRecords = disk, 2 })
	inside := string(appendFrame(nil, 7, []byte("a frame inside")))
	sp := smallSpool{bodies: []string{"first", strings.Repeat("two", 40), "", inside + "tail", "last" + inside[:headerSize]}}
	for i, b := range sp.bodies {
		put(t, s, b, fmt.Sprint("agent/", i))
		end := headerSize + envelopeSize + len(b)
		if i > 0 {
			end += sp.ends[i-1]
		}
		sp.ends = append(sp.ends, end)
	}
	if b, err := s.Cut(); err != nil || len(b.Records) != 2 { // a range in the journal, not settled
		t.Fatalf("%+v, %v", b, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sp.segment, sp.journal = disk.files(segmentSuffix)[0], filepath.Join(machineFolder, journalName)
	sp.files = map[string][]byte{}
	for path, f := range disk.names {
		if path == sp.segment || path == sp.journal {
			sp.files[path] = bytes.Clone(f.data)
		}
	}
	if len(sp.files[sp.segment]) != sp.ends[len(sp.ends)-1] {
		t.Fatalf("the segment has %d bytes, its records end at %v", len(sp.files[sp.segment]), sp.ends)
	}
	return sp
}

// opened gives a spool over the files with one of them replaced, and its disk.
func (sp *smallSpool) opened(path string, content []byte) (*Spool, *memDisk, error) {
	disk := newMemDisk()
	for name, raw := range sp.files {
		if name == path {
			raw = content
		}
		f := &memFile{disk: disk, path: name, data: bytes.Clone(raw), synced: bytes.Clone(raw)}
		disk.names[name], disk.durable[name] = f, f
	}
	o := Default()
	o.Folder, o.FS, o.BatchRecords = machineFolder, disk, 2
	s, err := Open(o)
	return s, disk, err
}

// aside joins what was put aside, by path.
func (d *memDisk) aside() (all []byte) {
	var names []string
	for path := range d.names {
		if filepath.Base(filepath.Dir(path)) == quarantineFolder {
			names = append(names, path)
		}
	}
	slices.Sort(names)
	for _, path := range names {
		all = append(all, d.names[path].data...)
	}
	return all
}

// owner is the record that a byte of the segment belongs to.
func (sp *smallSpool) owner(at int) int {
	return slices.IndexFunc(sp.ends, func(end int) bool { return at < end })
}

func (sp *smallSpool) without(record int) []string {
	return slices.Delete(slices.Clone(sp.bodies), record, record+1)
}

// expectCosts opens damaged files and wants exactly the given records, and what
// is left of the others put aside and counted.
func (sp *smallSpool) expectCosts(t *testing.T, what string, content []byte, want []string, lost []byte) {
	t.Helper()
	s, disk, err := sp.opened(sp.segment, content)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer func() { _ = s.Close() }()
	if got := take(t, s); !slices.Equal(got, want) {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
	st := s.Stats()
	if counted := st.DamagedBytes + st.TornBytes; counted != int64(len(lost)) {
		t.Fatalf("%s: %d bytes counted, want %d", what, counted, len(lost))
	}
	if kept := disk.aside(); !bytes.Equal(kept, lost) {
		t.Fatalf("%s: %d bytes put aside, want %d", what, len(kept), len(lost))
	}
	if err := s.Healthy(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// TestAFlippedByteCostsItsRecord turns around each byte of a segment, wholly and
// by one bit.
func TestAFlippedByteCostsItsRecord(t *testing.T) {
	sp := newSmallSpool(t)
	whole := sp.files[sp.segment]
	for at := range whole {
		record := sp.owner(at)
		from := sp.ends[record] - headerSize - envelopeSize - len(sp.bodies[record])
		for _, mask := range []byte{0xff, 0x01, 0x80} {
			flipped := bytes.Clone(whole)
			flipped[at] ^= mask
			sp.expectCosts(t, fmt.Sprintf("byte %d ^ %#x", at, mask), flipped, sp.without(record), flipped[from:sp.ends[record]])
		}
	}
	t.Logf("%d bytes, three flips each: lost 1 record each, others lost 0, doubled 0", len(whole))
}

// TestAByteThatIsMissingCostsItsRecord takes each byte out of the middle, so that
// all records behind it stand elsewhere.
func TestAByteThatIsMissingCostsItsRecord(t *testing.T) {
	sp := newSmallSpool(t)
	whole := sp.files[sp.segment]
	for at := range whole {
		record := sp.owner(at)
		from := sp.ends[record] - headerSize - envelopeSize - len(sp.bodies[record])
		shorter := slices.Delete(bytes.Clone(whole), at, at+1)
		sp.expectCosts(t, fmt.Sprint("without byte ", at), shorter, sp.without(record), shorter[from:sp.ends[record]-1])
	}
}

// TestASegmentThatEndsEarlyCostsWhatIsBehind ends the file at each byte, as a
// power cut does: with nothing there, or with zeros.
func TestASegmentThatEndsEarlyCostsWhatIsBehind(t *testing.T) {
	sp := newSmallSpool(t)
	whole := sp.files[sp.segment]
	for end := range whole {
		record := sp.owner(end)
		from := sp.ends[record] - headerSize - envelopeSize - len(sp.bodies[record])
		sp.expectCosts(t, fmt.Sprint("ends at ", end), whole[:end], sp.bodies[:record], whole[from:end])
	}
}

// TestADamagedJournalCostsNothing turns around each byte of the journal, and ends
// it at each: every record still comes, or the spool says that it cannot tell.
func TestADamagedJournalCostsNothing(t *testing.T) {
	sp := newSmallSpool(t)
	whole := sp.files[sp.journal]
	refused := 0
	try := func(what string, content []byte, mayRefuse bool) {
		t.Helper()
		s, _, err := sp.opened(sp.journal, content)
		if mayRefuse && errs.KindOf(err) == errs.Corrupt {
			refused++
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer func() { _ = s.Close() }()
		if got := take(t, s); !slices.Equal(got, sp.bodies) {
			t.Fatalf("%s: got %q", what, got)
		}
	}
	for at := range whole {
		for _, mask := range []byte{0xff, 0x01} {
			flipped := bytes.Clone(whole)
			flipped[at] ^= mask
			try(fmt.Sprintf("byte %d ^ %#x", at, mask), flipped, false)
		}
		try(fmt.Sprint("ends at ", at), whole[:at], true)
	}
	if refused == 0 || refused > 2*headerSize+40 {
		t.Errorf("%d of %d journals were not believed", refused, len(whole))
	}
}
