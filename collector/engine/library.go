package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// The pinned engine. A new version is a new folder in the cache, so clones of
// different age share the cache without a fight.
const (
	Version     = "26.7.3-stable.1"
	Package     = "@chdb/lib-linux-x64-gnu" // on npm
	Integrity   = "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="
	libraryFile = "libchdb.so"
)

// DefaultLibrary is where `make setup` puts the engine: in the user's cache
// folder, so that clones share it.
func DefaultLibrary() (string, error) {
	cache, err := os.UserCacheDir() // $XDG_CACHE_HOME, else ~/.cache
	if err != nil {
		return "", errs.E("find the engine", errs.NotFound, err, "set XDG_CACHE_HOME, or engine.library in the collector's configuration")
	}
	return filepath.Join(cache, "evenkeel", "engine", Version, libraryFile), nil
}

// findLibrary gives the path to load; the empty path means the default.
func findLibrary(path string) (string, error) {
	if path == "" {
		var err error
		if path, err = DefaultLibrary(); err != nil {
			return "", err
		}
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		kind := errs.Invalid
		if errors.Is(err, fs.ErrNotExist) {
			kind = errs.NotFound
		}
		return "", errs.E("find the engine", kind, err,
			"run make setup, which fetches it once, or set clickhouse.addr to use a server")
	}
	return filepath.Abs(path)
}
