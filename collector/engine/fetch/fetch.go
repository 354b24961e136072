package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// source is what to fetch.
type source struct {
	spec      string // npm's name@version
	integrity string // npm's form: sha512- and base64, over the packed file
	member    string // the one file that is taken out
	// pack puts the packed file into dir and gives its path.
	pack func(ctx context.Context, spec, dir string) (string, error)
}

// stamp is written beside the file once it is whole. A file without a fitting
// stamp is fetched again.
type stamp struct {
	Integrity string `json:"integrity"` // of the package that it came from
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
}

const lockPoll = 200 * time.Millisecond

// fetch makes sure that target holds the member. Several at once, also from
// several clones, fetch once: one works, the others wait for it.
func fetch(ctx context.Context, from source, target string, out io.Writer) error {
	if present(target, from.integrity) {
		return nil
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the cache folder: %w; set XDG_CACHE_HOME to a folder that can be written", err)
	}
	lock := flock.New(filepath.Join(dir, "fetch.lock"))
	defer lock.Close()
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("wait for another fetch: %w", err)
	}
	if present(target, from.integrity) {
		return nil
	}
	fmt.Fprintf(out, "fetching the ClickHouse engine (%s, 178 MB, once) into %s\n", from.spec, dir)
	removeLeftovers(dir)
	work, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return fmt.Errorf("make a folder in the cache: %w", err)
	}
	defer os.RemoveAll(work)
	packed, err := from.pack(ctx, from.spec, work)
	if err != nil {
		return err
	}
	return install(packed, from, work, target)
}

// removeLeftovers clears up after fetches that were killed; the caller holds
// the lock.
func removeLeftovers(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, "fetch-*")) // the pattern is well formed
	for _, path := range old {
		_ = os.RemoveAll(path)
	}
}

// install checks the packed file, takes the member out, and moves it into
// place with its stamp, the stamp last.
func install(packed string, from source, work, target string) error {
	if err := checkIntegrity(packed, from.integrity); err != nil {
		return err
	}
	extracted := filepath.Join(work, "extracted")
	s, err := extract(packed, from.member, extracted)
	if err != nil {
		return err
	}
	s.Integrity = from.integrity
	if err := os.Rename(extracted, target); err != nil {
		return fmt.Errorf("move into place: %w", err)
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the stamp: %w", err)
	}
	written := filepath.Join(work, "stamp")
	if err := os.WriteFile(written, raw, 0o644); err != nil {
		return fmt.Errorf("write the stamp: %w", err)
	}
	if err := os.Rename(written, stampOf(target)); err != nil {
		return fmt.Errorf("write the stamp: %w", err)
	}
	return nil
}

// present is the cheap check: the stamp is of this package and the size fits.
func present(target, integrity string) bool {
	raw, err := os.ReadFile(stampOf(target))
	if err != nil {
		return false
	}
	var s stamp
	if json.Unmarshal(raw, &s) != nil || s.Integrity != integrity {
		return false
	}
	info, err := os.Stat(target)
	return err == nil && info.Mode().IsRegular() && info.Size() == s.Size
}

func stampOf(target string) string { return target + ".json" }

// npmPack fetches with npm, which knows the user's registry and proxy. It runs
// no script of the package.
func npmPack(ctx context.Context, spec, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "npm", "pack", spec, "--ignore-scripts", "--silent", "--pack-destination", dir)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("npm is not installed; install Node.js with npm, or set clickhouse.addr in the collector's configuration to use a ClickHouse server")
	}
	if err != nil {
		return "", fmt.Errorf("npm pack %s: %w: %s; check the network and npm's registry setting", spec, err, text)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack %s left %d packed files, want 1", spec, len(found))
	}
	return found[0], nil
}
