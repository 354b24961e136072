package spool

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// BenchmarkAppend shows what group fsync gives: many senders at once share it.
func BenchmarkAppend(b *testing.B) {
	for _, senders := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			s := open(b, func(o *Options) { o.Folder, o.Max = b.TempDir(), 16<<30 })
			body := bytes.Repeat([]byte("x"), 4<<10)
			b.SetBytes(int64(len(body)))
			appendFrom(b, s, senders, b.N, body)
		})
	}
}

// appendFrom appends n entries from several senders and gives the time it took.
func appendFrom(b *testing.B, s *Spool, senders, n int, body []byte) time.Duration {
	b.Helper()
	started := time.Now()
	var wg sync.WaitGroup
	for w := range senders {
		wg.Go(func() {
			for i := w; i < n; i += senders {
				if _, err := s.Append(context.Background(), Entry{Kind: Logs, Body: body, Sender: fmt.Sprint(senders, "/", i)}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(started)
}

// BenchmarkGroupSync compares, in one run and on one disk, 64 senders at once,
// who share a sync, with one who waits for his own each time; and with a plain
// loop of write and sync without a spool. One operation is 256 entries of 4 KiB.
func BenchmarkGroupSync(b *testing.B) {
	const entries = 256
	body := bytes.Repeat([]byte("x"), 4<<10)
	folder := b.TempDir()
	plain, err := os.Create(filepath.Join(folder, "plain"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	var together, alone, bare time.Duration
	for round := 0; b.Loop(); round++ {
		s := open(b, func(o *Options) { o.Folder, o.Max = filepath.Join(folder, fmt.Sprint(round)), 16<<30 })
		alone += appendFrom(b, s, 1, entries, body)
		together += appendFrom(b, s, 64, entries, body)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		started := time.Now()
		for range entries {
			if _, err := plain.Write(body); err != nil {
				b.Fatal(err)
			}
			if err := plain.Sync(); err != nil {
				b.Fatal(err)
			}
		}
		bare += time.Since(started)
	}
	b.ReportMetric(float64(together)/float64(alone), "ratio")
	b.ReportMetric(float64(together)/float64(bare), "ratio-to-write-and-sync")
	b.ReportMetric(float64(together.Microseconds())/float64(b.N*entries), "µs/entry")
}
