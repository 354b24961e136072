package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Examination is what can be seen of a spool's folder from outside.
type Examination struct {
	InUse       bool  // a process has it open
	Bytes       int64 // of segments: what waits, and what was confirmed while its file still holds something
	Damaged     int   // pieces of damaged or torn records in the quarantine
	Quarantined int   // batches that the store refused for good
	Full        bool  // the ballast was given up: the disk was full
}

// Examine looks at a folder without opening the spool; it may be in use. A folder
// that is not there is an empty spool.
func Examine(folder string) (Examination, error) {
	var e Examination
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	names := map[string]bool{}
	for _, entry := range entries {
		names[entry.Name()] = true
		if info, err := entry.Info(); err == nil && strings.HasSuffix(entry.Name(), segmentSuffix) {
			e.Bytes += info.Size()
		}
	}
	e.Full = names[journalName] && !names[ballastName]
	lock, err := Disk{}.Lock(filepath.Join(folder, "lock"))
	if errors.Is(err, errLocked) {
		e.InUse = true
	} else if err == nil {
		err = lock.Close()
	}
	if err != nil && !e.InUse {
		return e, err
	}
	aside, err := os.ReadDir(filepath.Join(folder, quarantineFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	for _, entry := range aside {
		switch name := entry.Name(); {
		case strings.HasPrefix(name, "damaged-"), strings.HasPrefix(name, "torn-"):
			e.Damaged++
		case strings.HasSuffix(name, ".reason.txt"):
			e.Quarantined++
		}
	}
	return e, err
}
