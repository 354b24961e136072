package spool

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// memDisk is a file system in memory that knows what a power cut would leave:
// what was synced, and any part of what was not.
type memDisk struct {
	mu      sync.Mutex
	names   map[string]*memFile // as processes see it
	durable map[string]*memFile // names that survive
	locked  bool
	fault   func(op, path string) error // nil: none
}

type memFile struct {
	disk   *memDisk
	path   string
	data   []byte
	synced []byte
}

func newMemDisk() *memDisk {
	return &memDisk{names: map[string]*memFile{}, durable: map[string]*memFile{}}
}

func (d *memDisk) fails(op, path string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(op, path)
}

func (d *memDisk) MkdirAll(string) error { return nil }

func (d *memDisk) Open(path string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fails("open", path); err != nil {
		return nil, err
	}
	f := d.names[path]
	if f == nil {
		f = &memFile{disk: d, path: path}
		d.names[path] = f
	}
	return f, nil
}

func (d *memDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[to] = d.names[from]
	d.names[to].path = to
	delete(d.names, from)
	return nil
}

func (d *memDisk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.names, path)
	return nil
}

func (d *memDisk) List(folder string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for path := range d.names {
		if filepath.Dir(path) == folder {
			out = append(out, filepath.Base(path))
		}
	}
	slices.Sort(out)
	return out, nil
}

func (d *memDisk) SyncDir(folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path := range d.durable {
		if filepath.Dir(path) == folder && d.names[path] == nil {
			delete(d.durable, path)
		}
	}
	for path, f := range d.names {
		if filepath.Dir(path) == folder {
			d.durable[path] = f
		}
	}
	return nil
}

func (d *memDisk) Lock(string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked {
		return nil, errLocked
	}
	d.locked = true
	return unlock{d}, nil
}

type unlock struct{ d *memDisk }

func (u unlock) Close() error {
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	u.d.locked = false
	return nil
}

// crash gives what a machine finds after the power was cut. pick(n) chooses a
// number in [0, n]: how much of every file's unsynced bytes arrived, and which
// of them as zeros.
func (d *memDisk) crash(pick func(n int) int) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newMemDisk()
	paths := make([]string, 0, len(d.durable))
	for path := range d.durable {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		f := d.durable[path]
		data := slices.Clone(f.synced)
		if unsynced := len(f.data) - len(f.synced); unsynced > 0 {
			data = slices.Clone(f.data[:len(f.synced)+pick(unsynced)])
			if pick(3) == 0 && len(data) > len(f.synced) {
				clear(data[len(f.synced)+pick(len(data)-len(f.synced)-1):])
			}
		}
		g := &memFile{disk: after, path: path, data: data, synced: slices.Clone(data)}
		after.names[path], after.durable[path] = g, g
	}
	return after
}

// files gives the paths that end so, sorted.
func (d *memDisk) files(suffix string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for path := range d.names {
		if strings.HasSuffix(path, suffix) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// shortWrite makes WriteAt write half and then fail with the cause.
type shortWrite struct{ cause error }

func (s shortWrite) Error() string { return "short write: " + s.cause.Error() }
func (s shortWrite) Unwrap() error { return s.cause }

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.disk.fails("write", f.path)
	var short shortWrite
	if errors.As(err, &short) {
		p = p[:len(p)/2]
	} else if err != nil {
		return 0, err
	}
	if need := int(off) + len(p); need > len(f.data) {
		f.data = append(f.data, make([]byte, need-len(f.data))...)
	}
	return copy(f.data[off:], p), err
}

func (f *memFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fails("truncate", f.path); err != nil {
		return err
	}
	f.data = f.data[:size]
	f.synced = f.synced[:min(int(size), len(f.synced))]
	return nil
}

func (f *memFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fails("sync", f.path); err != nil {
		return err
	}
	f.synced = slices.Clone(f.data)
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.data)), nil
}

func (f *memFile) Close() error { return nil }
