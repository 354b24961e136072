package spool

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// machine drives a spool and a store of the simplest kind, and knows what must
// be true: every acknowledged record reaches the store exactly once, or lies
// in quarantine, or stood in bytes that were damaged on purpose.
type machine struct {
	disk  *memDisk
	spool *Spool
	now   time.Time

	damages string // records, journal, or nothing

	ids     int
	acked   map[string]string // id -> sender, by acknowledged append
	sent    map[string]bool   // every id that was ever tried
	damaged map[string]bool   // ids whose bytes were flipped
	hurt    bool              // the journal was flipped: batches may be put aside
	stored  map[uint64][]string
	aside   []string
	open    []*Batch // handed out by this process
	ranges  map[uint64]uint64
}

const machineFolder = "/spool"

func newMachine(t *rapid.T) *machine {
	m := &machine{
		disk: newMemDisk(), now: time.Unix(1_800_000_000, 0),
		acked: map[string]string{}, sent: map[string]bool{}, damaged: map[string]bool{},
		stored: map[uint64][]string{}, ranges: map[uint64]uint64{},
	}
	m.damages = rapid.SampledFrom([]string{"nothing", "records", "journal"}).Draw(t, "damages")
	m.start(t)
	return m
}

func (m *machine) start(t *rapid.T) {
	o := Default()
	o.Folder, o.FS, o.Now = machineFolder, m.disk, func() time.Time { return m.now }
	o.Max, o.Segment, o.BatchRecords, o.BatchBytes = 16<<10, 700, 4, 600
	s, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	m.spool, m.open = s, nil
}

// body pads an id, sometimes with bytes that look like a frame.
func body(t *rapid.T, id string) []byte {
	pad := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "pad")
	if rapid.IntRange(0, 5).Draw(t, "look") == 0 {
		pad = append(pad, magic...)
	}
	return append([]byte(id+"|"), pad...)
}

func idOf(b []byte) string {
	id, _, _ := strings.Cut(string(b), "|")
	return id
}

// appendSome appends a few entries at once, so that groups form.
func (m *machine) appendSome(t *rapid.T) {
	n := rapid.IntRange(1, 5).Draw(t, "n")
	entries := make([]Entry, n)
	for i := range entries {
		m.ids++
		id := fmt.Sprintf("r%d", m.ids)
		m.sent[id] = true
		entries[i] = Entry{Kind: Logs, Body: body(t, id)}
		if rapid.Bool().Draw(t, "named") {
			entries[i].Sender = "agent/" + id
		}
	}
	results := make([]error, n)
	var wg sync.WaitGroup
	for i := range entries {
		wg.Go(func() { _, results[i] = m.spool.Append(context.Background(), entries[i]) })
	}
	wg.Wait()
	for i, err := range results {
		if err == nil {
			m.acked[idOf(entries[i].Body)] = entries[i].Sender
			if !m.hurt {
				m.repeat(t, entries[i])
			}
		}
	}
}

// repeat sends the same request again: it must be a duplicate.
func (m *machine) repeat(t *rapid.T, e Entry) {
	r, err := m.spool.Append(context.Background(), e)
	if err != nil || !r.Duplicate {
		t.Fatalf("the same request again: %+v, %v; want a duplicate", r, err)
	}
}

// cut hands a batch to the store, which sometimes stores it, and sometimes
// lets the acknowledgement get lost.
func (m *machine) cut(t *rapid.T) bool {
	b, err := m.spool.Cut()
	if err != nil {
		t.Fatalf("cut: %v", err)
	}
	if b == nil {
		return false
	}
	if last, ok := m.ranges[b.First]; ok && last != b.Last && !m.hurt {
		t.Fatalf("range %d ended at %d and now at %d", b.First, last, b.Last)
	}
	m.ranges[b.First] = b.Last
	m.open = append(m.open, b)
	return true
}

// store does what the drain does with one open batch.
func (m *machine) store(t *rapid.T) {
	if len(m.open) == 0 {
		return
	}
	b := m.open[0]
	var ids []string
	for _, r := range b.Records {
		ids = append(ids, idOf(r.Body))
	}
	have, there := m.stored[b.First]
	switch {
	case there && !b.Again:
		t.Fatalf("batch %d is in the store, and the spool says it was never tried", b.First)
	case there && len(have) == len(ids):
		if !slices.Equal(have, ids) {
			t.Fatalf("batch %d held %v and now %v", b.First, have, ids)
		}
	case there:
		if m.damages == "nothing" {
			t.Fatalf("batch %d held %v and now %v", b.First, have, ids)
		}
		if err := m.spool.Quarantine(b, "the store holds another number of rows"); err != nil {
			t.Fatalf("quarantine: %v", err)
		}
		m.aside = append(m.aside, ids...)
		m.open = m.open[1:]
		return
	default:
		m.stored[b.First] = ids
	}
	if rapid.IntRange(0, 3).Draw(t, "lost") == 0 {
		b.Again = true // the acknowledgement did not arrive: the store is asked later
		return
	}
	if err := m.spool.Confirm(b); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	m.open = m.open[1:]
}

func (m *machine) restart(t *rapid.T) {
	if err := m.spool.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	m.start(t)
}

// fault flips one bit of the kind of file that this run damages.
func (m *machine) fault(t *rapid.T) {
	switch m.damages {
	case "records":
		m.flipRecord(t)
	case "journal":
		m.flip(t, m.disk.files(journalName))
		m.hurt = true
	}
}

// crash cuts the power at any byte; afterwards a bit may be flipped anywhere.
func (m *machine) crash(t *rapid.T) {
	after := m.disk.crash(func(n int) int { return rapid.IntRange(0, n).Draw(t, "crash") })
	_ = m.spool.Close() // its goroutines end; what it writes goes to the old disk
	m.disk = after
	if rapid.IntRange(0, 2).Draw(t, "flip") == 0 {
		m.fault(t)
	}
	m.start(t)
}

func (m *machine) flip(t *rapid.T, paths []string) (string, int) {
	if len(paths) == 0 {
		return "", 0
	}
	path := rapid.SampledFrom(paths).Draw(t, "file")
	data := m.disk.names[path].data
	if len(data) == 0 {
		return "", 0
	}
	at := rapid.IntRange(0, len(data)-1).Draw(t, "byte")
	data[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
	return path, at
}

// flipRecord damages a segment and notes whose bytes they were.
func (m *machine) flipRecord(t *rapid.T) {
	paths := slices.DeleteFunc(m.disk.files(segmentSuffix), func(p string) bool { return filepath.Dir(p) != machineFolder })
	before := map[string][]frame{}
	for _, p := range paths {
		f := m.disk.names[p]
		r := newFrameReader(f, 0, int64(len(f.data)), nil)
		for fr, err := r.next(); err == nil; fr, err = r.next() {
			before[p] = append(before[p], fr)
		}
	}
	path, at := m.flip(t, paths)
	for _, fr := range before[path] {
		if int64(at) >= fr.offset && int64(at) < fr.end() {
			m.damaged[idOf(fr.payload[envelopeSize:])] = true
		}
	}
}

// check drains everything and counts.
func (m *machine) check(t *rapid.T) {
	for m.cut(t) {
	}
	for len(m.open) > 0 {
		m.store(t)
	}
	seen := map[string]int{}
	for _, ids := range m.stored {
		for _, id := range ids {
			seen[id]++
		}
	}
	for id, n := range seen {
		if n > 1 {
			t.Fatalf("%s is in the store %d times", id, n)
		}
		if !m.sent[id] {
			t.Fatalf("%q was never sent", id)
		}
	}
	for id := range m.acked {
		if seen[id] == 0 && !m.damaged[id] && !slices.Contains(m.aside, id) {
			t.Fatalf("%s was acknowledged and is lost", id)
		}
	}
	if st := m.spool.Stats(); st.Records != 0 {
		t.Fatalf("%d records wait after everything was confirmed", st.Records)
	}
}

func TestEveryAcknowledgedRecordIsStoredExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		defer func() { _ = m.spool.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append":  m.appendSome,
			"cut":     func(t *rapid.T) { m.cut(t) },
			"store":   m.store,
			"restart": m.restart,
			"crash":   m.crash,
			"wait":    func(*rapid.T) { m.now = m.now.Add(7 * time.Minute) },
		})
		m.check(t)
	})
}
