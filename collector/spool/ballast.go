package spool

import (
	"errors"
	"path/filepath"
	"syscall"
)

// A full disk must not keep the spool from being emptied: segments go only when
// the journal says that the store has them, and the journal must have room for
// that. So a file of no use stands by, which is given up when the disk is full.
// Until it is back nothing is taken, else the room would be gone at once.
const (
	ballastName = "ballast"
	ballastSize = 256 << 10
)

func (s *Spool) ballastPath() string { return filepath.Join(s.o.Folder, ballastName) }

// loadBallast writes the file, if there is room, and lets the spool take
// entries again. Without room it is tried again with the next entry and with the
// next batch that is confirmed.
func (s *Spool) loadBallast() {
	s.ballast.Lock()
	defer s.ballast.Unlock()
	size := min(ballastSize, max(s.o.Max/16, 1))
	file, err := s.o.FS.Open(s.ballastPath())
	if err != nil {
		return
	}
	have, err := file.Size()
	if err == nil && have != size {
		if err = file.Truncate(0); err == nil {
			_, err = file.WriteAt(make([]byte, size), 0) // written, not only set: room that is really taken
		}
		if err == nil {
			err = file.Sync()
		}
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		_ = s.o.FS.Remove(s.ballastPath())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.light = errors.Is(err, syscall.ENOSPC)
}

// dropBallast gives the room up. False means that it is gone already.
func (s *Spool) dropBallast() bool {
	s.ballast.Lock()
	defer s.ballast.Unlock()
	s.mu.Lock()
	gone := s.light
	s.light = true
	s.mu.Unlock()
	return !gone && s.o.FS.Remove(s.ballastPath()) == nil
}

// withoutBallast says whether the ballast was given up and is not back yet.
func (s *Spool) withoutBallast() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.light
}
