package spool

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// segment is one file of frames, named by the first sequence number that it
// may hold.
type segment struct {
	first   uint64
	path    string
	file    File
	end     int64  // bytes that are synced: readers stop here
	last    uint64 // highest sequence number in it; 0 while empty
	records int
}

const segmentSuffix = ".seg"

func segmentPath(folder string, first uint64) string {
	return filepath.Join(folder, fmt.Sprintf("%020d%s", first, segmentSuffix))
}

// segmentFirst reads a segment's number from its file name.
func segmentFirst(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	return n, err == nil
}

// position is a place between two frames.
type position struct {
	segment uint64 // segment.first
	offset  int64
}

// createSegment opens an empty segment that begins with the given number and
// makes its name durable.
func createSegment(o *Options, first uint64) (*segment, error) {
	path := segmentPath(o.Folder, first)
	file, err := o.FS.Open(path)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	err = file.Truncate(0)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = o.FS.SyncDir(o.Folder)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("create segment: %w", err)
	}
	return &segment{first: first, path: path, file: file}, nil
}

// remove closes and deletes a segment.
func (s *segment) remove(fs FS) error {
	_ = s.file.Close()
	if err := fs.Remove(s.path); err != nil {
		return fmt.Errorf("remove a segment that is confirmed: %w", err)
	}
	return nil
}
