package window

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/signal"
)

// Sequences numbers the windows of every model version from 1 and keeps the
// last number of each in a file, so that a restart goes on where it was. The
// file is replaced as a whole, and synced, before a number is used: a number
// can be lost in a crash, which shows as a gap, but never be used twice.
//
// One process may use the file at a time; the owner of the state folder sees
// to that.
type Sequences struct {
	path string

	mu   sync.Mutex
	last []lastSequence // the version used last stands at the end
}

type lastSequence struct {
	Model    signal.ModelRef `json:"model"`
	Sequence uint64          `json:"sequence"`
}

// OpenSequences reads the file at path, which need not exist yet; its folder
// must.
func OpenSequences(path string) (*Sequences, error) {
	s := &Sequences{path: path}
	err := wholefile.ReadJSON(path, &s.last)
	switch {
	case errors.Is(err, wholefile.ErrDamaged):
		return nil, errs.E("read window sequences "+path, errs.Corrupt, err,
			"if it cannot be restored, remove it together with the instance id, so that no window id is used twice")
	case err != nil:
		return nil, fmt.Errorf("read window sequences: %w", err)
	}
	return s, nil
}

// LastVersion gives the version of the named model that had a window last;
// false where none had.
func (s *Sequences) LastVersion(name string) (version string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range slices.Backward(s.last) {
		if l.Model.Name == name {
			return l.Model.Version, true
		}
	}
	return "", false
}

// next gives the next number of a model. Where it cannot be saved the number
// is still good for this process, and the error says what is at stake.
func (s *Sequences) next(m signal.ModelRef) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := lastSequence{Model: m}
	if i := slices.IndexFunc(s.last, func(l lastSequence) bool { return l.Model == m }); i >= 0 {
		entry = s.last[i]
		s.last = slices.Delete(s.last, i, i+1)
	}
	entry.Sequence++
	s.last = append(s.last, entry)
	return entry.Sequence, s.save()
}

func (s *Sequences) save() error {
	if err := wholefile.ReplaceJSON(s.path, s.last); err != nil {
		return fmt.Errorf("save window sequences: %w", err)
	}
	return nil
}
