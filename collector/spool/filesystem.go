package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// FS is the part of a file system that the spool uses, so that tests can make
// it fail. Paths are under the spool's folder.
type FS interface {
	MkdirAll(path string) error
	// Open opens for reading and writing and creates what does not exist.
	Open(path string) (File, error)
	Rename(from, to string) error
	Remove(path string) error
	// List gives the names in a folder, sorted.
	List(path string) ([]string, error)
	// SyncDir makes creations, renames and removals in a folder durable.
	SyncDir(path string) error
	// Lock takes the lock file without waiting; errLocked if somebody has it.
	Lock(path string) (io.Closer, error)
}

// File is an open file. ReadAt and WriteAt may run at the same time.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error
}

var errLocked = errors.New("another process has it open")

// Disk is the operating system's file system.
type Disk struct{}

var _ FS = Disk{}

// MkdirAll makes the folder with mode 0700: what is spooled may be personal.
func (Disk) MkdirAll(path string) error { return os.MkdirAll(path, 0o700) }

// Open opens or creates a file with mode 0600.
func (Disk) Open(path string) (File, error) {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

// Rename replaces to by from.
func (Disk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file; one that is not there is no error.
func (Disk) Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List gives the names in a folder, sorted.
func (Disk) List(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// SyncDir syncs a folder.
func (Disk) SyncDir(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lock takes an advisory lock on a file, which ends with the process.
func (Disk) Lock(path string) (io.Closer, error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errLocked
	}
	return l, nil
}

type diskFile struct{ *os.File }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
