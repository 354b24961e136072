package spool

import (
	"bytes"
	"context"
	"testing"

	"pgregory.net/rapid"
)

// What is compressed on disk is given back as it came, also after a restart,
// and by a spool that compresses nothing itself.
func TestBodiesComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		folder := t.TempDir()
		above := rapid.SampledFrom([]int{0, 1, 100}).Draw(rt, "above")
		s := open(t, func(o *Options) { o.Folder, o.PackAbove = folder, above })
		piece := rapid.SliceOfN(rapid.Byte(), 0, 60)
		var want [][]byte
		for i := range rapid.IntRange(1, 8).Draw(rt, "entries") {
			body := bytes.Repeat(append(piece.Draw(rt, "piece"), byte(i)), rapid.IntRange(1, 40).Draw(rt, "times"))
			want = append(want, body)
			if _, err := s.Append(context.Background(), Entry{Kind: Logs, Body: body}); err != nil {
				rt.Fatal(err)
			}
		}
		if rapid.Bool().Draw(rt, "restart") {
			if err := s.Close(); err != nil {
				rt.Fatal(err)
			}
			s = open(t, func(o *Options) { o.Folder, o.PackAbove = folder, 0 })
		}
		b, err := s.Cut()
		if err != nil || b == nil || len(b.Records) != len(want) {
			rt.Fatalf("%+v, %v", b, err)
		}
		for i, r := range b.Records {
			if !bytes.Equal(r.Body, want[i]) {
				rt.Errorf("record %d: %q became %q", i, want[i], r.Body)
			}
		}
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// What can be compressed takes less of the disk; what cannot, no more.
func TestPackedBodiesTakeLess(t *testing.T) {
	body := bytes.Repeat([]byte("the same over and over, "), 1000)
	var used [2]int64
	for i, above := range []int{0, 100} {
		s := open(t, func(o *Options) { o.Folder, o.PackAbove = t.TempDir(), above })
		put(t, s, string(body), "")
		used[i] = s.Stats().Bytes
	}
	if used[1] > used[0]/10 {
		t.Errorf("%d bytes, packed %d", used[0], used[1])
	}
}

// A batch counts the bytes that it holds in memory, not those on disk.
func TestBatchBytesCountUnpackedBodies(t *testing.T) {
	s := open(t, func(o *Options) { o.Folder, o.PackAbove, o.BatchBytes = t.TempDir(), 100, 25_000 })
	for i := range 4 {
		put(t, s, string(bytes.Repeat([]byte{'a' + byte(i)}, 10_000)), "")
	}
	b, err := s.Cut()
	if err != nil || len(b.Records) != 2 {
		t.Fatalf("%d records, %v", len(b.Records), err)
	}
}

// A body whose compression is broken, though its checksum agrees, is given as it
// lies on disk, so that it is put aside and not in the way of others.
func TestBrokenPackingIsNotInTheWay(t *testing.T) {
	r := Record{Body: []byte{0xff, 0xff, 0xff, 0xff, 0xff}, packed: true}
	r.unpack()
	if !bytes.Equal(r.Body, []byte{0xff, 0xff, 0xff, 0xff, 0xff}) || r.size() != 5 {
		t.Errorf("%+v", r)
	}
	huge := Record{Body: []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}, packed: true} // says that it holds 4 GiB
	huge.unpack()
	if len(huge.Body) != 6 {
		t.Errorf("%d bytes", len(huge.Body))
	}
}
