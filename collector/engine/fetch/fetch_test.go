package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const library = "package/libchdb.so"

// packed makes an npm package and a source that "fetches" it.
func packed(t *testing.T, members map[string]string) (source, *atomic.Int32) {
	t.Helper()
	var raw bytes.Buffer
	zip := gzip.NewWriter(&raw)
	archive := tar.NewWriter(zip)
	for name, text := range members {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(raw.Bytes())
	var calls atomic.Int32
	return source{
		spec: "engine@1", member: library,
		integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		pack: func(_ context.Context, _, dir string) (string, error) {
			calls.Add(1)
			path := filepath.Join(dir, "engine-1.tgz")
			return path, os.WriteFile(path, raw.Bytes(), 0o600)
		},
	}, &calls
}

func TestSeveralAtOnceFetchOnce(t *testing.T) {
	from, calls := packed(t, map[string]string{"package/package.json": "{}", library: "the engine"})
	target := filepath.Join(t.TempDir(), "v", "libchdb.so")
	var out bytes.Buffer
	var guard sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var mine bytes.Buffer
			if err := fetch(t.Context(), from, target, &mine); err != nil {
				t.Error(err)
			}
			guard.Lock()
			defer guard.Unlock()
			out.Write(mine.Bytes())
		})
	}
	all.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("packed %d times, want once", n)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("said %d lines, want one: %q", n, out.String())
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "the engine" {
		t.Errorf("target holds %q, %v", got, err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(target), "fetch-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestFetchesAgainWhatDoesNotFit(t *testing.T) {
	from, calls := packed(t, map[string]string{library: "the engine"})
	target := filepath.Join(t.TempDir(), "libchdb.so")
	for i, spoil := range []func() error{
		func() error { return nil }, // nothing there yet
		func() error { return os.WriteFile(target, []byte("the eng"), 0o600) },
		func() error { return os.Remove(target) },
		func() error { return os.Remove(stampOf(target)) },
		func() error {
			return os.WriteFile(stampOf(target), []byte(`{"integrity":"sha512-other","size":10}`), 0o600)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(filepath.Dir(target), "fetch-killed"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := fetch(t.Context(), from, target, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(target), "fetch-killed")); !os.IsNotExist(err) {
			t.Errorf("the folder of a fetch that was killed is still there: %v", err)
		}
		if n := calls.Load(); int(n) != i+1 {
			t.Fatalf("case %d: packed %d times, want %d", i, n, i+1)
		}
	}
	if err := fetch(t.Context(), from, target, &bytes.Buffer{}); err != nil || calls.Load() != 5 {
		t.Errorf("a whole one was fetched again: %v", err)
	}
}

func TestRefusesAnotherPackage(t *testing.T) {
	from, _ := packed(t, map[string]string{library: "the engine"})
	from.integrity = "sha512-AAAA"
	target := filepath.Join(t.TempDir(), "libchdb.so")
	err := fetch(t.Context(), from, target, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "nothing was installed") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(target); !os.IsNotExist(err) {
		t.Errorf("something was installed: %v", err)
	}
}

func TestRefusesAPackageWithoutTheLibrary(t *testing.T) {
	from, _ := packed(t, map[string]string{"package/index.js": ""})
	err := fetch(t.Context(), from, filepath.Join(t.TempDir(), "libchdb.so"), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "holds no "+library) {
		t.Errorf("got %v", err)
	}
}

func TestOtherPlatformsHearOfTheWayOut(t *testing.T) {
	if err := supported("linux", "amd64"); err != nil {
		t.Error(err)
	}
	for _, p := range [][2]string{{"linux", "arm64"}, {"darwin", "arm64"}, {"windows", "amd64"}} {
		if err := supported(p[0], p[1]); err == nil || !strings.Contains(err.Error(), "clickhouse.addr") {
			t.Errorf("%v: got %v", p, err)
		}
	}
}
