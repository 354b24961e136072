// Package wholefile replaces files as a whole: a crash leaves the old content or
// the new one, never a part.
package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes content to a file beside path that only its owner may read,
// syncs it, renames it over path and syncs the folder. When it returns nil, the
// content survives a crash. On an error path is as it was, unless syncing the
// folder failed: then it is the old file or the new one after a crash. A crash
// may leave the file beside it, path.tmp, which the next call overwrites.
//
// One process at a time may replace a path.
func Replace(path string, content []byte) error {
	beside := path + ".tmp"
	if err := write(beside, content); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func write(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
