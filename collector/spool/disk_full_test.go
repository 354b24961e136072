package spool

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// TestARealDiskThatIsFull fills a small file system until it takes no more, and
// empties the spool again. It needs the right to mount.
func TestARealDiskThatIsFull(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("no file system of its own: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	s := open(t, func(o *Options) { o.Folder, o.Segment = filepath.Join(folder, "spool"), 64<<10 })
	var acknowledged, stored []string
	body := strings.Repeat("x", 4<<10)
	for round := range 3 {
		var err error
		for i := 0; err == nil; i++ {
			name := fmt.Sprintf("%d/%d %s", round, i, body)
			if _, err = s.Append(context.Background(), Entry{Kind: Logs, Body: []byte(name)}); err == nil {
				acknowledged = append(acknowledged, name)
			}
		}
		var full *FullError
		if errs.KindOf(err) != errs.Exhausted || !errors.As(err, &full) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := s.Healthy(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got := len(stored)
		for {
			b, err := s.Cut()
			if err != nil {
				t.Fatalf("round %d: cut on a full disk: %v", round, err)
			}
			if b == nil {
				break
			}
			for _, r := range b.Records {
				stored = append(stored, string(r.Body))
			}
			if err := s.Confirm(b); err != nil {
				t.Fatalf("round %d: confirm on a full disk: %v", round, err)
			}
		}
		if len(stored) == got {
			t.Fatalf("round %d: nothing came out", round)
		}
	}
	if !slices.Equal(stored, acknowledged) {
		t.Errorf("acknowledged %d, stored %d", len(acknowledged), len(stored))
	}
	t.Logf("acknowledged %d, stored %d, refused 3 times", len(acknowledged), len(stored))
}
