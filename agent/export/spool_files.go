package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// partial ends the name of a file that is being written.
const partial = ".partial"

// entry is one file of the spool.
type entry struct {
	number uint64
	kind   Kind
	size   int64     // of the file
	since  time.Time // when it was written

	records int64 // that it holds, as far as it says so; unread: its file was not looked into
}

// unread stands for the records of a file that an earlier process wrote.
const unread = -1

// scanFolder lists a folder's entries by number and removes partial files.
func scanFolder(folder string) ([]entry, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, f := range files {
		if strings.HasSuffix(f.Name(), partial) {
			if err := os.Remove(filepath.Join(folder, f.Name())); err != nil {
				return nil, err
			}
			continue
		}
		digits, kind, found := strings.Cut(f.Name(), ".")
		number, err := strconv.ParseUint(digits, 10, 64)
		if !found || err != nil || !slices.Contains(kinds, Kind(kind)) {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		out = append(out, entry{number: number, kind: Kind(kind), size: info.Size(), since: info.ModTime(), records: unread})
	}
	slices.SortFunc(out, func(a, b entry) int { return int(int64(a.number) - int64(b.number)) })
	return out, nil
}

func (e entry) name() string { return fmt.Sprintf("%020d.%s", e.number, e.kind) }

// writeFile makes folder/name durable with the given content. After an error
// the file may be there all the same, not durable yet.
func (s *spool) writeFile(name string, content []byte) error {
	path := filepath.Join(s.folder, name)
	f, err := os.OpenFile(path+partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+partial, path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(path+partial))
	}
	return s.syncFolder(s.folder)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncFolder makes a rename in it durable.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
