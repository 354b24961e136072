package spool

import (
	"fmt"
	"path/filepath"
)

const quarantineFolder = "quarantine"

// setAside copies damaged bytes into the quarantine and counts them, a piece
// once while the spool is open. A restart that finds them again writes the
// same file.
func (s *Spool) setAside(file File, path string, first uint64, bad span) error {
	s.mu.Lock()
	at := position{first, bad.from}
	known := s.damage[at]
	s.damage[at] = true
	s.mu.Unlock()
	if known {
		return nil
	}
	name := fmt.Sprintf("damaged-%s-%d", filepath.Base(path), bad.from)
	if err := s.copyAside(file, name, bad); err != nil {
		return err
	}
	s.mu.Lock()
	s.stats.DamagedBytes += bad.to - bad.from
	s.mu.Unlock()
	s.o.Log.Error("damaged bytes in the spool were put aside; records in them are lost",
		"segment", filepath.Base(path), "offset", bad.from, "bytes", bad.to-bad.from, "copy", name)
	return nil
}

// copyAside keeps a piece of a file in the quarantine.
func (s *Spool) copyAside(file File, name string, piece span) error {
	raw := make([]byte, min(piece.to-piece.from, maxPayload))
	if err := readFull(file, raw, piece.from); err != nil {
		return fmt.Errorf("read damaged bytes: %w", err)
	}
	if err := s.keepFile(name, raw); err != nil {
		return fmt.Errorf("put damaged bytes aside: %w", err)
	}
	return nil
}

// keepFile writes a file into the quarantine, durably.
func (s *Spool) keepFile(name string, content []byte) error {
	folder := filepath.Join(s.o.Folder, quarantineFolder)
	if err := s.o.FS.MkdirAll(folder); err != nil {
		return err
	}
	file, err := s.o.FS.Open(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	err = file.Truncate(0)
	if err == nil && len(content) > 0 {
		_, err = file.WriteAt(content, 0)
	}
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = s.o.FS.SyncDir(folder)
	}
	return err
}
