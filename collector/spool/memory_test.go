package spool

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
)

// TestReplayHoldsOneBatchAtATime opens and empties a spool of 96 MiB, and looks
// now and then at what is reachable.
func TestReplayHoldsOneBatchAtATime(t *testing.T) {
	const records, size, limit = 1536, 64 << 10, 16 << 20
	folder := t.TempDir()
	options := func(o *Options) { o.Folder, o.Segment, o.BatchBytes = folder, 8<<20, 1<<20 }
	s := open(t, options)
	body := bytes.Repeat([]byte("x"), size)
	for i := range records {
		put(t, s, string(append(body, fmt.Sprint(i)...)), "")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	body = nil
	before := reachable()
	s = open(t, options)
	if held := reachable() - before; held > limit {
		t.Errorf("after opening %d bytes are held, of %d on disk", held, s.Stats().Bytes)
	}
	most, got := int64(0), 0
	for n := 0; ; n++ {
		b, err := s.Cut()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		if n%8 == 0 {
			most = max(most, reachable()-before)
		}
		got += len(b.Records)
		if err := s.Confirm(b); err != nil {
			t.Fatal(err)
		}
	}
	if got != records || most > limit {
		t.Errorf("%d records of %d, %d bytes held at most", got, records, most)
	}
	t.Logf("%d MiB replayed, %d KiB held at most", records*size>>20, most>>10)
}

func reachable() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
